/**
 * Entry of a model process whose speech engine is scripted: its words follow from the samples alone, so that the same
 * sound gives the same words however it came in. Everything else is the real builtin engines.
 *
 * Words: one for every 300 ms of each utterance, named by a hash of its samples. `SCRIPTED_RTF` (default 0) is the time
 * it takes, in parts of the audio's length. `SCRIPTED_WORDS` (a list with commas) is said round and round instead.
 */
import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { loadRiskGuidance, withRiskGuidance } from "../../src/app/casework/risk-guidance.js";
import type { InferenceProcessArguments } from "../../src/app/inference-process.js";
import { createBuiltinEngines } from "../../src/inference/backends/builtin/create-builtin-engines.js";
import { createEnergyVoiceActivityDetector } from "../../src/inference/backends/energy/energy-voice-activity-detector.js";
import type { ModelEngine } from "../../src/inference/model-engine.js";
import { readPcmBlocks } from "../../src/inference/pcm-blocks.js";
import { runInferenceWorker } from "../../src/inference/pool/inference-worker.js";
import { createScriptedEngine } from "../../src/inference/testing/scripted-engine.js";

const WORD_MS = 300;
const realTimeFactor = Number(process.env["SCRIPTED_RTF"] ?? 0);
const script = process.env["SCRIPTED_WORDS"]?.split(",");

const speech = createScriptedEngine({
  modelTask: "speech",
  answer: async ({ audio, utterances }, signal) => {
    const all: number[] = [];
    for await (const block of readPcmBlocks(audio, 65_536, signal)) all.push(...block);
    const spokenMs = utterances.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    if (realTimeFactor > 0) await wait(spokenMs * realTimeFactor, undefined, { signal });
    const recognized = utterances.map(({ startMs, endMs }) => {
      const words = [];
      for (let at = startMs; at + WORD_MS <= endMs; at += WORD_MS) {
        const from = Math.round((at * audio.sampleRateHz) / 1000);
        const samples = Int16Array.from(all.slice(from, from + Math.round((WORD_MS * audio.sampleRateHz) / 1000)));
        const hash = createHash("sha256").update(new Uint8Array(samples.buffer)).digest("hex").slice(0, 6);
        words.push({ text: script?.[words.length % script.length] ?? hash, startMs: at, endMs: at + WORD_MS, score: 0.9 });
      }
      return { startMs, endMs, text: words.map(({ text }) => text).join(" "), language: "en", score: 0.9, words };
    });
    return { language: "en", utterances: recognized.filter(({ words }) => words.length > 0), lowQuality: false };
  },
});

const options = JSON.parse(process.argv[2] ?? "{}") as InferenceProcessArguments;
const rules = createBuiltinEngines({ assetsDirectory: options.dataDirectory }) as readonly ModelEngine[];
runInferenceWorker([
  speech as ModelEngine,
  createEnergyVoiceActivityDetector() as ModelEngine,
  ...withRiskGuidance(rules, await loadRiskGuidance(options.dataDirectory)),
]);
