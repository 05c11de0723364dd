/**
 * One worker and four with a remote engine that takes its time: how many times as fast a pile of recordings is worked off.
 * Each worker takes one recording at a time, and hears it with a server that answers after `--answer` seconds, as one with an
 * accelerator of its own for each would. `-- --uploads 24 --answer 3`.
 */
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startHelpline } from "./helpline.mjs";
import { recordingForm } from "./helpline-clients.mjs";
import { inDirectory, round } from "./measure.mjs";

const WORKERS = [1, 4];
const BAR = 3.5;

export const bench = async (words) => {
  const { values } = parseArgs({ args: words, options: { uploads: { type: "string", default: "24" }, answer: { type: "string", default: "3" } } });
  const [uploads, answerS] = [Number(values.uploads), Number(values.answer)];
  const engine = await startEngine(answerS * 1_000);
  try {
    const seconds = [];
    for (const count of WORKERS) seconds.push(await inDirectory((directory) => workOff(directory, { count, uploads, engine })));
    const [one, four] = seconds;
    const ratio = round(one / four);
    return [
      ...WORKERS.map((count, index) => ({
        measure: `${uploads} recordings, ${count} worker${count === 1 ? "" : "s"}`,
        value: round(seconds[index]),
        unit: "s",
      })),
      { measure: "requests that the engine answered", value: engine.answered(), unit: "" },
      { measure: "four workers are faster by", value: ratio, unit: "x", bar: `>= ${BAR}`, isMet: ratio >= BAR },
    ];
  } finally {
    engine.stop();
  }
};

/** @returns seconds from the first upload taken to the last analysed, without the start of the processes */
async function workOff(directory, { count, uploads, engine }) {
  const settings = { WORKER_CONCURRENCY: "1", REMOTE_SPEECH_URL: engine.url, SPEECH_ENGINE: "auto" };
  const helpline = await startHelpline(directory, { api: 1, worker: count }, settings);
  try {
    const [{ url }] = helpline.roles;
    const headers = { authorization: `Bearer ${helpline.adminKey}` };
    // The first starts the processes of models; it is not counted.
    await analysed(url, headers, await upload(url, headers, count));
    const startedAt = performance.now();
    await analysed(url, headers, await upload(url, headers, uploads));
    return (performance.now() - startedAt) / 1_000;
  } finally {
    await helpline.stop();
  }
}

async function upload(url, headers, count) {
  const taskIds = [];
  for (let index = 0; index < count; index++) {
    const response = await fetch(`${url}/audio/process`, { method: "POST", headers, body: recordingForm() });
    if (response.status !== 202) throw new Error(`an upload was answered ${response.status}`);
    taskIds.push((await response.json()).task_id);
  }
  return taskIds;
}

async function analysed(url, headers, taskIds) {
  for (const taskId of taskIds) {
    for (;;) {
      const { status } = await (await fetch(`${url}/audio/task/${taskId}`, { headers })).json();
      if (status === "completed") break;
      if (status === "failed") throw new Error("a recording was not analysed");
      await delay(50);
    }
  }
}

/** Answers every request after so long, however many there are. */
async function startEngine(answerMs) {
  let answered = 0;
  const server = createServer((request, response) => {
    request.resume().once("end", () =>
      setTimeout(() => {
        answered++;
        response.setHeader("content-type", "application/json").end(JSON.stringify({ text: "my uncle beats me after school", language: "en" }));
      }, answerMs),
    );
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${server.address().port}/v1`, answered: () => answered, stop: () => server.close() };
}
