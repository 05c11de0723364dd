/**
 * Model process of the live benchmark: the builtin text engines, and a recognizer whose words follow from the time in the
 * utterance. A trigger tone says the sentence it stands for. `BENCH_RTF` is the time it takes in parts of the audio's
 * length; without one it answers at once, and its last word but one is the time of the answer.
 */
import { setTimeout as wait } from "node:timers/promises";
import { createBuiltinEngines } from "../dist/inference/backends/builtin/create-builtin-engines.js";
import { createEnergyVoiceActivityDetector } from "../dist/inference/backends/energy/energy-voice-activity-detector.js";
import { readPcmBlocks } from "../dist/inference/pcm-blocks.js";
import { runInferenceWorker } from "../dist/inference/pool/inference-worker.js";
import { createScriptedEngine } from "../dist/inference/testing/scripted-engine.js";
import { TRIGGERS } from "./live-audio.mjs";

const WORD_MS = 300;
const FRAME_MS = 20;
/** Of a frame's energy, in so many frames in a row: no voice is that pure, that high. */
const TONE_SHARE = 0.8;
const TONE_FRAMES = 4;
const TALK =
  "so then we went to the market and the school was closed my mother said we should wait there until evening because the bus had not come and my brother was tired".split(
    " ",
  );
const realTimeFactor = Number(process.env.BENCH_RTF ?? 0);

const speech = createScriptedEngine({
  modelTask: "speech",
  answer: async ({ audio, utterances }, signal) => {
    const samples = [];
    for await (const block of readPcmBlocks(audio, 65_536, signal)) samples.push(...block);
    if (realTimeFactor > 0) await wait((samples.length / audio.sampleRateHz) * 1000 * realTimeFactor, undefined, { signal });
    const recognized = utterances.map((utterance) => recognize(samples, audio.sampleRateHz, utterance));
    return { language: "en", utterances: recognized, lowQuality: false };
  },
});

function recognize(samples, sampleRateHz, { startMs, endMs }) {
  const triggers = realTimeFactor > 0 ? findTriggers(samples, sampleRateHz, { startMs, endMs }) : [];
  const words = [];
  for (let at = startMs; at === startMs || at + WORD_MS <= endMs; at += WORD_MS) {
    const trigger = triggers.find(({ atMs }) => atMs > at && atMs <= at + WORD_MS);
    const texts = trigger === undefined ? [TALK[Math.round((at - startMs) / WORD_MS) % TALK.length]] : trigger.words.split(" ");
    for (const [index, text] of texts.entries()) {
      const wordMs = WORD_MS / texts.length;
      words.push({ text, startMs: Math.round(at + index * wordMs), endMs: Math.round(at + (index + 1) * wordMs), score: 0.9 });
    }
  }
  if (realTimeFactor === 0 && words.length > 1) words[words.length - 2].text = `t${Date.now()}`;
  return { startMs, endMs, text: words.map(({ text }) => text).join(" "), language: "en", score: 0.9, words };
}

function findTriggers(samples, sampleRateHz, { startMs, endMs }) {
  const frameSamples = (sampleRateHz * FRAME_MS) / 1000;
  const found = [];
  const runs = TRIGGERS.map(() => 0);
  for (let at = Math.round((startMs * sampleRateHz) / 1000); at + frameSamples <= (endMs * sampleRateHz) / 1000; at += frameSamples) {
    const frame = samples.slice(at, at + frameSamples);
    const energy = frame.reduce((sum, sample) => sum + sample * sample, 1);
    for (const [index, { toneHz, words }] of TRIGGERS.entries()) {
      runs[index] = toneEnergy(frame, toneHz / sampleRateHz) > TONE_SHARE * energy ? runs[index] + 1 : 0;
      if (runs[index] === TONE_FRAMES) found.push({ words, atMs: ((at + frameSamples) * 1000) / sampleRateHz });
    }
  }
  return found;
}

/** Goertzel's: the energy of a sine of this many cycles a sample. */
function toneEnergy(frame, cycles) {
  const turn = 2 * Math.cos(2 * Math.PI * cycles);
  let one = 0;
  let two = 0;
  for (const sample of frame) [one, two] = [sample + turn * one - two, one];
  return (2 * (one * one + two * two - turn * one * two)) / frame.length;
}

const { dataDirectory } = JSON.parse(process.argv[2] ?? "{}");
runInferenceWorker([speech, createEnergyVoiceActivityDetector(), ...createBuiltinEngines({ assetsDirectory: dataDirectory })]);
