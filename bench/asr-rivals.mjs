/**
 * Others that hear the same sound, for `npm run bench -- asr --rivals DIRECTORY`: each a process that has loaded its model and warmed
 * up once, and does the work each time it is asked. The directory and its rivals.json: tools/model-fixtures/rival_build.sh.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { inDirectory, median, round } from "./measure.mjs";

/** Threads that have just worked spin for a while before they sleep: nobody else's time shall pay for that. */
const REST_MS = 100;

/** @param job - `{ sound, tokens, threads, endId, prompt }`: what everyone does, never ending by themselves */
export async function withRivals(directory, job, work) {
  const { rivals } = directory === undefined ? { rivals: [] } : JSON.parse(await readFile(join(directory, "rivals.json"), "utf8"));
  return await inDirectory(async (folder) => {
    const soundPath = join(folder, "sound.f32");
    await writeFile(soundPath, job.sound);
    const started = [];
    try {
      // One after the other: loading is not measured, but none of it may go on when the measuring begins.
      for (const rival of rivals) started.push(await startRival(rival, soundPath, job));
      return await work(started);
    } finally {
      for (const rival of started) rival.close();
    }
  });
}

async function startRival({ name, version, flags, command, env }, soundPath, { tokens, threads, endId, prompt }) {
  const [program, ...words] = command;
  const numbers = [tokens, threads, endId, ...prompt].map(String);
  // What lies beneath them (OpenMP, OpenBLAS) would else take as many threads as there are cores.
  const limits = { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const child = spawn(program, [...words, soundPath, ...numbers], { env: { ...process.env, ...limits, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  // Told by whichever answer is waited for; a process that ends well has nothing to tell.
  failed.catch(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done) throw new Error(`${name} has ended`);
    const answered = JSON.parse(value);
    if (answered.tokens.length !== tokens) throw new Error(`${name} wrote ${answered.tokens.length} tokens, not ${tokens}`);
    return answered;
  };
  const rival = { name, version, flags, times: [], tokens: (await answer()).tokens };
  const run = async () => {
    child.stdin.write("again\n");
    rival.times.push((await answer()).ms);
  };
  return Object.assign(rival, { run: () => rested(run), close: () => child.stdin.end() });
}

/** Does `work` when nobody spins any more. */
export async function rested(work) {
  await pause(REST_MS);
  return await work();
}

/** @param ours - our times of the same work, in milliseconds, and the tokens we wrote @returns rows of the table: each one's time, and ours by it */
export function rivalRows(rivals, ours) {
  return rivals.flatMap(({ name, version, flags, times, tokens }) => {
    const ratio = median(ours.times) / median(times);
    const roundsWon = ours.times.filter((time, index) => time < times[index]).length;
    const sameTokens = tokens.filter((token, index) => token === ours.tokens[index]).length;
    return [
      { measure: `${name}: the same, median`, value: round(median(times) / 1000), unit: "s", bar: bestOf(times), version, flags, sameTokens },
      { measure: `ours by ${name}`, value: round(ratio), unit: "x", bar: `${verdict(ratio)} (${roundsWon} of ${times.length} rounds)` },
    ];
  });
}

/** Closer than that the next run may tell otherwise. */
const EVEN = 0.05;

function verdict(ratio) {
  if (Math.abs(ratio - 1) <= EVEN) return "even";
  return ratio < 1 ? "won" : "lost";
}

export const bestOf = (times) => `(best ${round(Math.min(...times) / 1000)})`;

/** What was compared, for people: the table has no room for it. */
export function tellRivals(rivals) {
  if (rivals.length === 0) console.log("No others to compare with: tools/model-fixtures/rival_build.sh makes some, then add --rivals DIRECTORY.");
  for (const { name, version, flags } of rivals) console.log(`${name}: ${version}; ${flags}`);
}
