/** Sound for the live benchmark, from the sample calls: whole legs to loop, and utterances of known ends with spoken triggers. */
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readExchangeAudio } from "../dist/app/call/exchange-audio.js";

export const RATE_HZ = 8_000;
export const FRAME_MS = 20;
const FRAME_SAMPLES = (RATE_HZ * FRAME_MS) / 1000;
const SAMPLES = new URL("../samples/", import.meta.url);
/** A sound the scripted recognizer knows stands for each sentence that the builtin risk detector raises. */
export const TRIGGERS = [
  { toneHz: 2_000, kind: "threats", words: "he will kill me tonight" },
  { toneHz: 2_200, kind: "weapons", words: "he has a gun" },
  { toneHz: 2_400, kind: "suicide_self_harm", words: "i want to die" },
  { toneHz: 2_600, kind: "sexual_violence", words: "he raped me" },
  { toneHz: 2_800, kind: "drugs", words: "they gave me drugs" },
  { toneHz: 3_000, kind: "run_away", words: "i ran away from home" },
];
const TRIGGER_FRAMES = 8;
/** Below the loudest frame by this much is the trailing part of a word, or a breath. */
const SPEECH_RANGE_DB = 30;
const MAX_PAUSE_FRAMES = 10;
const MIN_UTTERANCE_FRAMES = 50;
const MAX_UTTERANCE_FRAMES = 200;

/** @returns both legs of every sample call. */
export async function sampleCalls() {
  const names = readdirSync(SAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const paths = names.map(({ name }) => join(SAMPLES.pathname, name, "call-8k-alaw.wav"));
  const read = await Promise.allSettled(paths.map((path) => readExchangeAudio(path)));
  const calls = read.flatMap(({ value }) => (value?.channels.length === 2 && value.sampleRateHz === RATE_HZ ? [value.channels] : []));
  if (calls.length === 0) throw new Error("there are no sample calls under samples/*/call-8k-alaw.wav");
  return calls;
}

/** For the client process, which reads it once however many legs play it. */
export async function writeRaw(path, samples) {
  await writeFile(path, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
  return path;
}

/** Stretches of 1 to 4 s with no pause of 200 ms in them, from the first frame of speech to the last by energy. */
export function cutUtterances(samples) {
  const levels = Array.from({ length: Math.floor(samples.length / FRAME_SAMPLES) }, (_, frame) => levelDb(frameOf(samples, frame)));
  const floorDb = Math.max(...levels) - SPEECH_RANGE_DB;
  const found = [];
  let first = -1;
  let last = -1;
  for (let frame = 0; frame <= levels.length; frame++) {
    if (frame < levels.length && levels[frame] >= floorDb) {
      if (first === -1) first = frame;
      last = frame;
    } else if (first !== -1 && (frame === levels.length || frame - last >= MAX_PAUSE_FRAMES)) {
      const frames = last + 1 - first;
      if (frames >= MIN_UTTERANCE_FRAMES && frames <= MAX_UTTERANCE_FRAMES) found.push(samples.slice(first * FRAME_SAMPLES, (last + 1) * FRAME_SAMPLES));
      first = -1;
    }
  }
  return found;
}

/**
 * A talk of two legs that take turns, one utterance after the other. Every other utterance of the caller has a trigger, until
 * there are none left: what the counsellor asks is no sign of danger.
 * @returns per leg its samples; the turns with their leg and frames; the frame in which each trigger ends.
 */
export function composeTalk(utterances, { turns, offset }) {
  const legs = [[], []];
  const said = [];
  const triggers = [];
  let frame = 100;
  for (let turn = 0; turn < turns; turn++) {
    const leg = turn % 2;
    const speech = Int16Array.from(utterances[(turn * 5 + offset) % utterances.length]);
    const frames = speech.length / FRAME_SAMPLES;
    const trigger = turn % 4 === 2 ? TRIGGERS[triggers.length] : undefined;
    if (trigger !== undefined) {
      // At a quarter, the half or three quarters, so that it falls differently into the recognizer's looks.
      const from = Math.floor(((frames - TRIGGER_FRAMES) * (1 + ((triggers.length + offset) % 3))) / 4);
      putTone(speech, from * FRAME_SAMPLES, trigger.toneHz);
      triggers.push({ ...trigger, leg, frame: frame + from + TRIGGER_FRAMES - 1 });
    }
    legs[leg].push({ speech, at: frame * FRAME_SAMPLES });
    said.push({ leg, firstFrame: frame, lastFrame: frame + frames - 1 });
    frame += frames + 35 + ((turn * 7 + offset) % 30);
  }
  const length = (frame + 100) * FRAME_SAMPLES;
  return { said, triggers, frames: frame + 100, legs: legs.map((pieces) => laidOut(pieces, length)) };
}

/** Quiet line noise, and the speech on it. */
function laidOut(pieces, length) {
  const samples = new Int16Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    samples[index] = (state >> 16) % 9;
  }
  for (const { speech, at } of pieces) samples.set(speech, at);
  return samples;
}

function putTone(speech, at, toneHz) {
  const amplitude = 1.4 * Math.sqrt(speech.reduce((sum, sample) => sum + sample * sample, 0) / speech.length);
  for (let index = 0; index < TRIGGER_FRAMES * FRAME_SAMPLES; index++) {
    speech[at + index] = Math.round(amplitude * Math.sin((2 * Math.PI * toneHz * index) / RATE_HZ));
  }
}

const frameOf = (samples, frame) => samples.subarray(frame * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES);

function levelDb(samples) {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  return 10 * Math.log10(energy / samples.length + 1e-9);
}
