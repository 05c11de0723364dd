/** Weights of other types: 16-bit floats in and out, 4-bit and 8-bit weights, against Python's onnxruntime on the same graphs. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { WhisperModel } from "../../src/inference/backends/whisper/whisper-model.js";
import { createWhisperRecognizer } from "../../src/inference/backends/whisper/whisper-recognizer.js";
import { DTYPE_SUFFIXES } from "../../src/inference/store/model-manifest.js";
import { fixtureSound, modelFixture } from "../support/model-fixtures.js";

interface Parity {
  readonly prompt: readonly number[];
  readonly dtypes: Readonly<Record<string, { readonly states: readonly number[]; readonly logits: readonly number[] }>>;
}

const { prompt, dtypes } = JSON.parse(readFileSync(modelFixture("whisper-dtypes.parity.json"), "utf8")) as Parity;
const directory = modelFixture("whisper-dtypes");
/** Sixteen bits have three digits; what is rounded to eight bits is rounded differently by different versions. */
const TOLERANCE = { fp16: 0.03, q4: 0.001, int8: 0.2 } as const;

describe.each(["fp16", "q4", "int8"] as const)("%s", (dtype) => {
  const suffix = DTYPE_SUFFIXES[dtype];
  const expected = dtypes[dtype];

  it("gives the states and logits that Python's onnxruntime gives", async () => {
    const model = await WhisperModel.open({ directory, suffix, threads: 1 });
    const { melCount, sourcePositions } = model.settings;
    const features = Float32Array.from({ length: melCount * 2 * sourcePositions }, (_, index) => Math.sin(index * 0.37));
    const states = await model.encode([features]);
    expect(states.type).toBe("float32");
    const values = states.data as Float32Array;
    const step = Math.floor(values.length / 97);
    for (const [index, value] of (expected?.states ?? []).entries()) expect(Math.abs((values[index * step] ?? 99) - value)).toBeLessThan(TOLERANCE[dtype]);
    const { logits } = await model.startDecoder(states).step([prompt]);
    await model.close();
    const last = logits.subarray(logits.length - logits.length / prompt.length);
    expect(last.length).toBe(expected?.logits.length);
    for (const [index, value] of (expected?.logits ?? []).entries()) expect(Math.abs((last[index] ?? 99) - value)).toBeLessThan(TOLERANCE[dtype]);
  });

  it("hears a live window, with caches of its own kind going round, alone and in a batch", async () => {
    const engine = await createWhisperRecognizer({ id: dtype, directory, revision: dtype, suffix, threads: 1, windowMargin: 128 });
    const windows = [3, 8].map((seed) => {
      const samples = Int16Array.from(fixtureSound({ seconds: 3, seed }), (value) => Math.round(value * 32_767));
      const audio = { samples, sampleRateHz: 16_000, sourceSampleRateHz: 8_000, sampleCount: samples.length };
      return { audio, utterances: [{ startMs: 0, endMs: 3_000 }], language: "sw", allowedLanguages: ["sw"] };
    });
    const alone = await Promise.all(windows.map((window) => engine.run(window, { signal: new AbortController().signal })));
    const together = await engine.runTogether?.(windows, { signals: windows.map(() => new AbortController().signal) });
    await engine.close?.();
    expect(alone[0]?.utterances[0]?.text.length).toBeGreaterThan(0);
    // Eight bits are scaled by the largest value of the batch, so a neighbour may change a word.
    if (dtype !== "int8")
      expect(together?.map((outcome) => (outcome.status === "fulfilled" ? outcome.value.utterances[0]?.text : ""))).toEqual(
        alone.map(({ utterances }) => utterances[0]?.text),
      );
  });
});
