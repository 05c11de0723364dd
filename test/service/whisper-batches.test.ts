/** Windows of several calls heard together say what each says alone; words to expect are given to the model. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWhisperRecognizer } from "../../src/inference/backends/whisper/whisper-recognizer.js";
import type { ModelEngine } from "../../src/inference/model-engine.js";
import type { RecognizedUtterance, SpeechInput, SpeechOutput } from "../../src/inference/speech-recognizer.js";
import { fixtureSound, modelFixture, WHISPER_FIXTURES } from "../support/model-fixtures.js";

const signal = new AbortController().signal;
const signals = (count: number): readonly AbortSignal[] => Array.from({ length: count }, () => new AbortController().signal);

/** A window of a live call: `samples` are in memory. */
function windowOf(seconds: number, seed: number, changes: Partial<SpeechInput> = {}): SpeechInput {
  const samples = Int16Array.from(fixtureSound({ seconds, seed }), (value) => Math.round(value * 32_767));
  const audio = { samples, sampleRateHz: 16_000, sourceSampleRateHz: 8_000, sampleCount: samples.length };
  return { audio, utterances: [{ startMs: 100, endMs: seconds * 1_000 - 100 }], language: "sw", allowedLanguages: ["sw"], ...changes };
}

function heardOf(outcome: PromiseSettledResult<SpeechOutput> | undefined): SpeechOutput {
  if (outcome?.status !== "fulfilled") throw new Error("it was not heard");
  return outcome.value;
}

const create = (name: string, more: { readonly glossary?: readonly string[] } = {}) =>
  createWhisperRecognizer({ id: name, directory: modelFixture(name), revision: name, suffix: "", threads: 1, windowMargin: 128, ...more });

describe.each(WHISPER_FIXTURES)("%s", (name) => {
  let engine: ModelEngine<"speech">;
  beforeAll(async () => {
    engine = await create(name);
  });
  afterAll(() => engine.close?.());
  const together = async (inputs: readonly SpeechInput[]): Promise<readonly PromiseSettledResult<SpeechOutput>[]> => {
    if (engine.runTogether === undefined) throw new Error("it can't");
    return engine.runTogether(inputs, { signals: signals(inputs.length) });
  };
  const alone = (input: SpeechInput): Promise<SpeechOutput> => engine.run(input, { signal });
  const plain = ({ text, language, words, stableLength }: RecognizedUtterance) => ({ text, language, stableLength, words: words.map((word) => word.text) });

  it("hears five windows of one length as it hears each alone: the same words, times and scores", async () => {
    const inputs = [3, 5, 8, 13, 21].map((seed) => windowOf(4, seed));
    const heard = (await together(inputs)).map(heardOf);
    for (const [index, input] of inputs.entries()) {
      const one = await alone(input);
      expect(heard[index]?.utterances.map(plain)).toEqual(one.utterances.map(plain));
      expect(heard[index]?.utterances[0]?.words.map(({ startMs, endMs }) => [startMs, endMs])).toEqual(
        one.utterances[0]?.words.map(({ startMs, endMs }) => [startMs, endMs]),
      );
      expect(heard[index]?.utterances[0]?.score).toBeCloseTo(one.utterances[0]?.score ?? -1, 4);
    }
    expect(new Set(heard.map(({ utterances }) => utterances[0]?.text)).size).toBeGreaterThan(1);
  });

  it("hears windows of very different lengths apart, so that none is padded up for another", async () => {
    const inputs = [windowOf(1, 3), windowOf(6, 5), windowOf(2, 8)];
    const heard = (await together(inputs)).map(heardOf);
    for (const [index, input] of inputs.entries()) expect(heard[index]?.utterances.map(plain)).toEqual((await alone(input)).utterances.map(plain));
  });

  it("tells the language of each", async () => {
    const inputs = [3, 5, 8].map((seed) => windowOf(3, seed, { language: "auto", allowedLanguages: ["sw", "en", "fr"] }));
    const heard = (await together(inputs)).map((outcome) => heardOf(outcome).language);
    expect(heard).toEqual(await Promise.all(inputs.map(async (input) => (await alone(input)).language)));
  });

  it("refuses a language it does not know to the one that asked, and hears the others", async () => {
    const [refused, heard] = await together([windowOf(2, 3, { language: "lg", allowedLanguages: ["lg"] }), windowOf(2, 5)]);
    expect(refused).toMatchObject({ status: "rejected", reason: { code: "MODEL_NOT_READY" } });
    expect(heardOf(heard).utterances.map(plain)).toEqual((await alone(windowOf(2, 5))).utterances.map(plain));
  });

  it("says how much of a text is steady when it knows what it listened to, and only then", async () => {
    const { utterances } = await alone(windowOf(5, 8));
    const [{ text, stableLength, words } = { text: "", stableLength: undefined, words: [] }] = utterances.map(plain);
    expect(text).not.toBe("");
    if (name === "whisper-merged") expect(stableLength).toBeUndefined();
    else {
      const steady = text.slice(0, stableLength);
      expect(["", ...words.map((_, index) => words.slice(0, index + 1).join(" "))]).toContain(steady);
    }
  });

  it("hears what it was told to expect: another text than without, in live windows and in recordings alike", async () => {
    const primed = await create(name, { glossary: ["Dandora", "Childline Kenya", "Mama Lucy"] });
    const [bare, withWords] = [await alone(windowOf(4, 13)), await primed.run(windowOf(4, 13), { signal })];
    expect(withWords.utterances.map(plain)).not.toEqual(bare.utterances.map(plain));
    const batch = await primed.runTogether?.([windowOf(4, 13), windowOf(4, 21)], { signals: signals(2) });
    expect(heardOf(batch?.[0]).utterances.map(plain)).toEqual(withWords.utterances.map(plain));
    await primed.close?.();
  });

  it("stops when nobody waits any more, and not before", async () => {
    const [stop, other] = [new AbortController(), new AbortController()];
    stop.abort(new Error("nobody waits"));
    const inputs = [windowOf(2, 3), windowOf(2, 5)];
    const outcomes = await engine.runTogether?.(inputs, { signals: [stop.signal, other.signal] });
    expect(heardOf(outcomes?.[1]).utterances.map(plain)).toEqual((await alone(windowOf(2, 5))).utterances.map(plain));
    await expect(engine.runTogether?.(inputs, { signals: [stop.signal, stop.signal] })).rejects.toThrow("nobody waits");
  });
});
