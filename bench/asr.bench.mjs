/**
 * Whisper on this machine: features, encoder and decoder together, on a model of true shape with random weights
 * (tools/model-fixtures/make_benchmark_whisper.py). `-- --model /tmp/whisper-base --dtype q8`; also a true model's directory.
 * `--rivals DIRECTORY`: others do the same work in the same rounds (see asr-rivals.mjs).
 */
import { parseArgs } from "node:util";
import { searchGreedily } from "../dist/inference/backends/onnx/greedy-search.js";
import { WhisperModel } from "../dist/inference/backends/whisper/whisper-model.js";
import { DTYPE_SUFFIXES } from "../dist/inference/store/model-manifest.js";
import { bestOf, rested, rivalRows, tellRivals, withRivals } from "./asr-rivals.mjs";
import { median, round } from "./measure.mjs";

const RATE_HZ = 16_000;
const ROUNDS = 10;
const LIVE_MARGIN = 128;
const LIVE_SECONDS = 5;
const CALLS = 8;

export async function bench(benchArguments) {
  const options = { model: { type: "string" }, dtype: { type: "string", default: "q8" }, rivals: { type: "string" } };
  const { values } = parseArgs({ args: benchArguments, options });
  if (values.model === undefined) throw new Error("say where a model lies: npm run bench -- asr --model DIRECTORY (see tools/model-fixtures/README.md)");
  const open = (threads) => WhisperModel.open({ directory: values.model, suffix: DTYPE_SUFFIXES[values.dtype], threads });
  const one = await open(1);
  const two = await open(2);
  const whole = { sound: sound(30), positions: one.settings.sourcePositions, tokens: 100 };
  const live = { sound: sound(LIVE_SECONDS), positions: one.positionsFor(LIVE_SECONDS * RATE_HZ, LIVE_MARGIN), tokens: 20 };
  const { vocabulary } = one.settings;
  const job = { sound: whole.sound, tokens: whole.tokens, threads: 2, endId: vocabulary.endId, prompt: promptOf(vocabulary) };
  return await withRivals(values.rivals, job, async (rivals) => {
    tellRivals(rivals);
    const tokens = await hear(two, whole);
    await hear(one, live);
    const times = await measure({ one, two, whole, live }, rivals);
    const memoryMb = Math.round(process.memoryUsage().rss / 1e6);
    await Promise.all([one.close(), two.close()]);
    return [
      ...rows(times, live.positions),
      { measure: "memory at the end, two models loaded", value: memoryMb, unit: "MB" },
      ...rivalRows(rivals, { times: times.two, tokens }),
    ];
  });
}

async function measure({ one, two, whole, live }, rivals) {
  const times = { two: [], one: [], live: [], single: [], batch: [], step: [], steps: [] };
  // One after the other, round by round: what else the machine does meets all of them.
  for (let index = 0; index < ROUNDS; index++) {
    times.two.push(await rested(() => timed(() => hear(two, whole))));
    for (const rival of rivals) await rival.run();
    times.one.push(await rested(() => timed(() => hear(one, whole))));
    times.live.push(await timed(() => hear(one, live)));
    times.single.push(await timed(() => encode(one, live, 1)));
    times.batch.push(await timed(() => encode(one, live, CALLS)));
    times.step.push(await steps(one, live, 1));
    times.steps.push(await steps(one, live, CALLS));
  }
  return times;
}

function rows(times, livePositions) {
  const of = (name) => median(times[name]);
  const ratio = (measure, value, bar) => ({ measure, value: round(value), unit: "x", bar: `<= ${bar}`, isMet: value <= bar });
  return [
    {
      measure: "30 s and 100 tokens, 2 threads, features included, median",
      value: round(of("two") / 1000),
      unit: "s",
      bar: `<= 1.6 (goal 1.1) ${bestOf(times.two)}`,
      isMet: of("two") <= 1_600,
    },
    { measure: "the same on 1 thread", value: round(of("one") / 1000), unit: "s" },
    { measure: `5 s as a window of ${livePositions} positions and 20 tokens, 1 thread`, value: round(of("live") / 1000), unit: "s" },
    ratio("the last by the one before", of("live") / of("one"), 0.25),
    ratio(`${CALLS} live windows encoded together, by one`, of("batch") / of("single"), 6),
    ratio(`a decoder step of ${CALLS} calls together, by one call's`, of("steps") / of("step"), 3),
    { measure: "a decoder step of one call", value: round(of("step")), unit: "ms" },
  ];
}

const sound = (seconds) => Float32Array.from({ length: seconds * RATE_HZ }, (_, index) => 0.3 * Math.sin(index / 9) + 0.1 * Math.sin(index / 2.3));

const promptOf = ({ startId, languageIds, transcribeId, noTimestampsId }) => [startId, languageIds.get("sw"), transcribeId, noTimestampsId];

function encode(model, { sound, positions }, count) {
  const features = model.features(sound, 2 * positions);
  return model.encode(
    Array.from({ length: count }, () => features),
    positions,
  );
}

/** @returns the tokens written */
async function hear(model, window) {
  const states = await encode(model, window, 1);
  return await write(model, states, window.tokens);
}

async function write(model, states, tokens) {
  const { vocabulary } = model.settings;
  const rows = states.dims[0];
  const prompt = promptOf(vocabulary);
  const decoder = model.startDecoder(states);
  const { logits } = await decoder.step(Array.from({ length: rows }, () => prompt));
  const width = logits.length / rows / prompt.length;
  const last = Array.from({ length: rows }, (_, row) => logits.subarray(((row + 1) * prompt.length - 1) * width, (row + 1) * prompt.length * width));
  const rules = { suppressed: [vocabulary.endId], suppressedAtBegin: [] };
  const [written] = await searchGreedily(
    { decoder, logits: last },
    { rules, endId: vocabulary.endId, maxTokens: tokens, signal: new AbortController().signal },
    { temperature: 0, random: () => 0 },
  );
  return written.tokens;
}

/** Milliseconds a step, from the second on. */
async function steps(model, window, count) {
  const states = await encode(model, window, count);
  await write(model, states, 1);
  return ((await timed(() => write(model, states, 21))) - (await timed(() => write(model, states, 1)))) / 20;
}

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
