/** Our Whisper against Python's transformers on the same tiny weights: features, states, and every token. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeWindow, detectLanguages, timeTokens } from "../../src/inference/backends/whisper/decode-window.js";
import { decodeLong } from "../../src/inference/backends/whisper/long-form.js";
import { WhisperModel } from "../../src/inference/backends/whisper/whisper-model.js";
import { fixtureSound, modelFixture, WHISPER_FIXTURES, whisperParity } from "../support/model-fixtures.js";

const signal = new AbortController().signal;

describe.each(WHISPER_FIXTURES)("%s", (name) => {
  const parity = whisperParity(name);
  const sound = fixtureSound(parity.sound);
  let model: WhisperModel;
  beforeAll(async () => {
    model = await WhisperModel.open({ directory: modelFixture(name), suffix: "", threads: 1 });
  });
  afterAll(() => model.close());

  const heard = () => model.encode([model.features(sound, model.windowFrames)]);

  it("hears the same features, to 1e-4", () => {
    const mel = model.features(sound, model.windowFrames);
    for (const [place, value] of parity.mel) expect(Math.abs((mel[place] ?? Number.NaN) - value), `value ${place}`).toBeLessThan(1e-4);
  });

  it("has the same states and first logits, to 1e-3", async () => {
    const states = await heard();
    for (const [place, value] of parity.encoder)
      expect(Math.abs(((states.data as Float32Array)[place] as number) - value), `state ${place}`).toBeLessThan(1e-3);
    const { logits } = await model.startDecoder(states).step([parity.prompt]);
    const last = logits.subarray(logits.length - parity.logits.length);
    for (const [id, value] of parity.logits.entries()) expect(Math.abs((last[id] ?? Number.NaN) - value), `logit ${id}`).toBeLessThan(1e-3);
  });

  it("finds the same language", async () => {
    const [found = new Map<string, number>()] = await detectLanguages(model, await heard(), [Object.keys(parity.languages)]);
    for (const [tag, probability] of Object.entries(parity.languages)) expect(found.get(tag)).toBeCloseTo(probability, 3);
  });

  it.each(parity.runs)("writes the same tokens: $language $task, times $return_timestamps, beams $num_beams, after $prompt", async (run) => {
    const written = await decodeWindow(model, await heard(), {
      language: run.language,
      task: run.task,
      withTimes: run.return_timestamps === true,
      beamCount: run.num_beams ?? 1,
      prompt: run.prompt === undefined ? [] : model.settings.vocabulary.encode(run.prompt),
      maxTokens: parity.newTokens,
      temperatures: [0],
      signal,
    });
    expect(written.tokens).toEqual(run.tokens);
  });

  it("hears a short window as Python does with a table of positions cut to its length", async () => {
    const { positions, encoder, tokens } = parity.shortWindow;
    expect(model.hasShortWindows).toBe(true);
    expect(model.positionsFor(sound.length, 128)).toBe(positions);
    const states = await model.encode([model.features(sound, 2 * positions)], positions);
    for (const [place, value] of encoder) expect(Math.abs(((states.data as Float32Array)[place] as number) - value), `state ${place}`).toBeLessThan(1e-3);
    const request = {
      language: "sw",
      task: "transcribe",
      withTimes: false,
      beamCount: 1,
      prompt: [],
      maxTokens: parity.newTokens,
      temperatures: [0],
      signal,
    } as const;
    expect((await decodeWindow(model, states, request)).tokens).toEqual(tokens);
  });

  it("tells when each token was said as Python does, or that it can't", async () => {
    const states = await heard();
    const request = {
      language: "sw",
      task: "transcribe",
      withTimes: false,
      beamCount: 1,
      prompt: [],
      maxTokens: parity.newTokens,
      temperatures: [0],
      signal,
    } as const;
    const window = await decodeWindow(model, states, request);
    const times = (await timeTokens(model, states, window, { row: 0, positions: 350 }))?.startMs;
    expect(times).toEqual(model.hasCrossAttentions ? parity.tokenTimes.map((seconds) => Math.round(seconds * 1000)) : undefined);
  });

  it("goes through 70 seconds window by window as Python does, to the same times and tokens", async () => {
    const { segments, ...long } = parity.longForm;
    const request = { language: "sw", task: "transcribe", beamCount: 1, prompt: [], maxTokens: parity.newTokens, temperatures: [0], signal } as const;
    const found = await decodeLong(model, fixtureSound(long), request);
    expect(found.map(({ startMs, endMs, tokens }) => ({ start: startMs / 1000, end: endMs / 1000, tokens }))).toEqual(segments);
  });
});
