// Renders the synthetic sample calls. For every samples/<id>/script.json it synthesizes each turn with flite or
// espeak-ng, trims the silence around it, lays the turns on two channels (caller left, agent right) and writes
// call-16k.flac and call-8k-alaw.wav. The true speech times go back into script.json ("segments", "duration_ms"),
// and samples/manifest.json lists every file with its size and SHA-256. A second run writes identical bytes.
// Usage: node tools/render-samples.mjs [id ...]   (needs flite, espeak-ng and ffmpeg; no npm packages)

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SAMPLES_DIR = join(dirname(dirname(fileURLToPath(import.meta.url))), "samples");
const SAMPLE_RATE = 16_000;
const CHANNELS = ["caller", "agent"]; // left, right
const PEAK = 10 ** (-3 / 20);
const NOISE_RMS = 10 ** (-82 / 20); // about two steps of 16 bit: never digital zero, and it packs well
const NOISE_POLE = 0.2; // coefficient of each of the four one-pole low-passes
const TAIL_MS = 300; // noise only, after the last turn

const EDGE_WINDOW_MS = 5; // energy is measured in windows of this length
const EDGE_THRESHOLD = 10 ** (-42 / 20); // of the loudest window of the turn
const EDGE_MARGIN_MS = 10; // kept and faded on both sides, outside the speech times

const FLAC_OPTIONS = ["-c:a", "flac", "-compression_level", "12", "-lpc_type", "cholesky", "-lpc_passes", "3"];

const FILES = [
  { name: "call-16k.flac", sample_rate_hz: 16_000, encoding: "flac, 16 bit, stereo" },
  { name: "call-8k-alaw.wav", sample_rate_hz: 8_000, encoding: "wav, G.711 A-law, stereo, 300-3400 Hz" },
];

const toSamples = (ms) => Math.round((ms * SAMPLE_RATE) / 1000);
const toMs = (samples) => Math.round((samples * 1000) / SAMPLE_RATE);

function run(program, args, input) {
  const result = spawnSync(program, args, { input, maxBuffer: 1 << 28 });
  if (result.error) throw new Error(`cannot start ${program}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${program} failed (${result.status}): ${result.stderr.toString()}`);
  return result.stdout;
}

const ffmpeg = (args, input) => run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-y", ...args], input);

/** One turn as mono samples at 16 kHz, in the range -1..1. */
function synthesize(turn, voice, workDir) {
  const wav = join(workDir, "turn.wav");
  const text = turn.spoken ?? turn.text;
  if (voice.program === "flite") {
    const stretch = voice.duration_stretch ?? 1;
    run("flite", ["-voice", voice.voice, "--setf", `duration_stretch=${stretch}`, "-t", text, "-o", wav]);
  } else if (voice.program === "espeak-ng") {
    const args = ["-v", voice.voice, "-w", wav];
    if (voice.pitch !== undefined) args.push("-p", String(voice.pitch));
    if (voice.words_per_minute !== undefined) args.push("-s", String(voice.words_per_minute));
    run("espeak-ng", [...args, text]);
  } else {
    throw new Error(`unknown speech program: ${voice.program}`);
  }
  const pcm = ffmpeg(["-i", wav, "-ac", "1", "-ar", String(SAMPLE_RATE), "-f", "s16le", "-"]);
  const samples = new Float64Array(pcm.length / 2);
  for (let i = 0; i < samples.length; i += 1) samples[i] = pcm.readInt16LE(i * 2) / 32768;
  return samples;
}

/** Cuts the silence around the speech; speech runs from `margin` to `audio.length - margin`. */
function trim(samples) {
  const window = toSamples(EDGE_WINDOW_MS);
  const levels = [];
  for (let start = 0; start + window <= samples.length; start += window) {
    let sum = 0;
    for (let i = start; i < start + window; i += 1) sum += samples[i] ** 2;
    levels.push(Math.sqrt(sum / window));
  }
  const threshold = Math.max(...levels) * EDGE_THRESHOLD;
  const first = levels.findIndex((level) => level > threshold);
  const last = levels.findLastIndex((level) => level > threshold);
  if (first < 0) throw new Error("a turn came out silent");

  const margin = toSamples(EDGE_MARGIN_MS);
  const from = first * window - margin;
  const audio = new Float64Array((last + 1) * window + margin - from);
  for (let i = 0; i < audio.length; i += 1) {
    const fade = Math.min(1, (i + 1) / margin, (audio.length - i) / margin);
    audio[i] = (samples[from + i] ?? 0) * fade;
  }
  return { audio, margin };
}

const peakOf = (samples) => samples.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0);

/** Small repeatable random generator (mulberry32), values in -1..1. */
function randomSource(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Soft low line noise; the steep low-pass (a few hundred Hz) keeps the FLAC small, white noise would double it. */
function addNoise(channel, seed) {
  const random = randomSource(seed);
  const noise = new Float64Array(channel.length);
  const poles = [0, 0, 0, 0];
  let energy = 0;
  for (let i = 0; i < noise.length; i += 1) {
    let value = random();
    for (let p = 0; p < poles.length; p += 1) {
      poles[p] += NOISE_POLE * (value - poles[p]);
      value = poles[p];
    }
    noise[i] = value;
    energy += value ** 2;
  }
  const gain = NOISE_RMS / Math.sqrt(energy / noise.length);
  for (let i = 0; i < noise.length; i += 1) channel[i] += noise[i] * gain;
}

/** Places the turns one after another; returns the two channels and the true speech times. */
function layOut(script, workDir) {
  const placed = [];
  let cursor = 0; // end of the speech before, in samples
  for (const turn of script.turns) {
    const { audio, margin } = trim(synthesize(turn, script.voices[turn.channel], workDir));
    const start = Math.max(margin, cursor + toSamples(turn.pause_before_ms));
    const end = start + audio.length - 2 * margin;
    placed.push({ turn, audio, offset: start - margin, start, end });
    cursor = Math.max(cursor, end);
  }

  const length = cursor + toSamples(TAIL_MS);
  const seed = createHash("sha256").update(script.id).digest().readUInt32LE(0);
  const channels = CHANNELS.map((name, index) => {
    const channel = new Float64Array(length);
    for (const { turn, audio, offset } of placed) {
      if (turn.channel !== name) continue;
      for (let i = 0; i < audio.length; i += 1) channel[offset + i] += audio[i];
    }
    const peak = peakOf(channel);
    if (peak > 0) for (let i = 0; i < length; i += 1) channel[i] *= PEAK / peak;
    addNoise(channel, seed + index);
    return channel;
  });

  const segments = placed
    .map(({ turn, start, end }) => ({
      channel: turn.channel,
      text: turn.text,
      language: turn.language,
      start_ms: toMs(start),
      end_ms: toMs(end),
    }))
    .sort((a, b) => a.start_ms - b.start_ms);
  return { channels, segments, durationMs: toMs(length) };
}

function interleave(channels) {
  const pcm = Buffer.alloc(channels[0].length * channels.length * 2);
  for (let i = 0; i < channels[0].length; i += 1) {
    channels.forEach((channel, c) => {
      const value = Math.max(-32768, Math.min(32767, Math.round(channel[i] * 32767)));
      pcm.writeInt16LE(value, (i * channels.length + c) * 2);
    });
  }
  return pcm;
}

function writeAudio(folder, pcm) {
  const input = ["-f", "s16le", "-ar", String(SAMPLE_RATE), "-ac", "2", "-i", "-"];
  const plain = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1"];
  const telephone = "highpass=f=300,highpass=f=300,lowpass=f=3400,lowpass=f=3400,aresample=8000";
  ffmpeg([...input, ...plain, ...FLAC_OPTIONS, join(folder, FILES[0].name)], pcm);
  ffmpeg([...input, ...plain, "-af", telephone, "-c:a", "pcm_alaw", join(folder, FILES[1].name)], pcm);
}

const readScript = (id) => JSON.parse(readFileSync(join(SAMPLES_DIR, id, "script.json"), "utf8"));
const writeJson = (path, value) => writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);

function render(id) {
  const script = readScript(id);
  if (script.id !== id) throw new Error(`samples/${id}/script.json has the id ${script.id}`);
  const workDir = mkdtempSync(join(tmpdir(), "render-samples-"));
  try {
    const { channels, segments, durationMs } = layOut(script, workDir);
    writeAudio(join(SAMPLES_DIR, id), interleave(channels));
    script.segments = segments;
    script.duration_ms = durationMs;
    writeJson(join(SAMPLES_DIR, id, "script.json"), script);
    console.log(`${id}: ${(durationMs / 1000).toFixed(1)} s, ${segments.length} segments`);
  } finally {
    rmSync(workDir, { recursive: true });
  }
}

function describe(id) {
  const { title, languages } = readScript(id);
  const files = FILES.filter(({ name }) => existsSync(join(SAMPLES_DIR, id, name))).map(({ name, sample_rate_hz, encoding }) => {
    const content = readFileSync(join(SAMPLES_DIR, id, name));
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { path: `samples/${id}/${name}`, bytes: content.length, sha256, sample_rate_hz, encoding };
  });
  return { id, title, languages, files };
}

/** Some scripts are written to be read only: they have segments and no turns. */
function isSpoken(id) {
  return existsSync(join(SAMPLES_DIR, id, "script.json")) && readScript(id).turns !== undefined;
}

const allIds = readdirSync(SAMPLES_DIR, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && isSpoken(entry.name))
  .map((entry) => entry.name)
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((id) => !allIds.includes(id));
if (unknown.length > 0) throw new Error(`no such sample: ${unknown.join(", ")}`);

for (const id of wanted.length > 0 ? wanted : allIds) render(id);
writeJson(join(SAMPLES_DIR, "manifest.json"), {
  origin: "written for openchs-ai, synthetic",
  licence: "MIT; voices: flite (BSD-like), espeak-ng (GPL program, output free)",
  samples: allIds.map(describe),
});
