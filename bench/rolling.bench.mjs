/**
 * A rolling restart of every role under load: two api, two streams, two workers over PostgreSQL and Redis; each is told to
 * stop, waited for and started again, one after the other, while clients ask, upload, call in and follow events. Clients
 * do what a load balancer does for them: who is refused before an answer goes to the other process.
 * `-- --rounds 1 --requests 20 --settle 3`.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startHelpline } from "./helpline.mjs";
import { recordingForm, speak } from "./helpline-clients.mjs";
import { sampleCalls } from "./live-audio.mjs";
import { inDirectory } from "./measure.mjs";

const ANALYSED_WITHIN_MS = 180_000;

export const bench = (words) =>
  inDirectory(async (directory) => {
    const { values } = parseArgs({
      args: words,
      options: { rounds: { type: "string", default: "1" }, requests: { type: "string", default: "20" }, settle: { type: "string", default: "3" } },
    });
    const helpline = await startHelpline(directory, { api: 2, stream: 2, worker: 2 }, { STREAM_DRAIN_MS: "60000" });
    try {
      return await measure(helpline, { rounds: Number(values.rounds), perSecond: Number(values.requests), settleS: Number(values.settle) });
    } finally {
      await helpline.stop();
    }
  });

async function measure(helpline, { rounds, perSecond, settleS }) {
  const balancer = createBalancer(helpline);
  const [[samples]] = await sampleCalls();
  const state = { isOver: false, uploads: [], calls: [], requests: 0, failed: [] };
  const load = [askAlong(balancer, state, perSecond), uploadAlong(balancer, state), ...[0, 1, 2].map(() => callAlong(helpline, balancer, state, samples))];
  await delay(settleS * 1_000);
  const exits = [];
  for (let round = 0; round < rounds; round++) {
    for (const each of helpline.roles) {
      exits.push(await helpline.restart(each));
      await delay(settleS * 1_000);
    }
  }
  state.isOver = true;
  await Promise.all(load);
  const unfinished = await unfinishedOf(balancer, state);
  const followed = await Promise.all(state.calls.map(({ followed }) => followed));
  const gaps = followed.filter(({ seqs }) => seqs.some((seq, index) => seq !== index + 1)).length;
  const unended = followed.filter(({ hasEnd }) => !hasEnd).length;
  const bar = (measure, value, unit = "") => ({ measure, value, unit, bar: "0", isMet: value === 0 });
  for (const failure of state.failed.slice(0, 5)) console.error(`failed: ${failure}`);
  return [
    { measure: "processes told to stop and started again", value: exits.length, unit: "" },
    bar("of them ended with something else than 0", exits.filter((code) => code !== 0).length),
    { measure: "requests", value: state.requests, unit: "" },
    { measure: "of them sent on to the other process", value: balancer.sentOn, unit: "" },
    bar("requests failed", state.failed.length),
    { measure: "recordings uploaded", value: state.uploads.length, unit: "" },
    { measure: "live calls", value: state.calls.length, unit: "" },
    bar("live calls cut off", state.calls.filter(({ isCutOff }) => isCutOff).length),
    bar("recordings and calls not analysed", unfinished),
    bar("followers of a call who missed an event or saw one twice", gaps),
    bar("followers of a call who were not told of its analysis", unended),
  ];
}

/** Asks one api; when that does not take the request, the other. */
function createBalancer(helpline) {
  const apis = helpline.roles.filter(({ role }) => role === "api");
  let turn = 0;
  const balancer = {
    sentOn: 0,
    async ask(path, init = () => ({})) {
      // Of its own: while this one waits, others take their turns, and the second attempt has to go to the other process.
      const first = turn++;
      for (let attempt = 0; ; attempt++) {
        const { url } = apis[(first + attempt) % apis.length];
        const { headers, ...rest } = init();
        const response = await fetch(`${url}${path}`, { ...rest, headers: { ...headers, authorization: `Bearer ${helpline.adminKey}` } }).catch(
          () => undefined,
        );
        if (response !== undefined && response.status !== 503) return response;
        if (attempt === apis.length - 1) return response;
        balancer.sentOn++;
      }
    },
  };
  return balancer;
}

async function askAlong(balancer, state, perSecond) {
  while (!state.isOver) {
    await delay(1_000 / perSecond);
    state.requests++;
    const response = await balancer.ask("/api/v1/calls?limit=5");
    if (!response?.ok) state.failed.push(`list: ${response?.status ?? "no answer"}`);
    await response?.arrayBuffer().catch(() => state.failed.push("list: broken off"));
  }
}

async function uploadAlong(balancer, state) {
  while (!state.isOver) {
    await delay(1_500);
    state.requests++;
    const key = randomUUID();
    const response = await balancer.ask("/audio/process", () => ({ method: "POST", body: recordingForm(), headers: { "idempotency-key": key } }));
    if (response?.status !== 202) state.failed.push(`upload: ${response?.status ?? "no answer"}`);
    else state.uploads.push((await response.json()).call_id);
  }
}

/** One call after the other, each on whichever stream lets it in, each followed by somebody. */
async function callAlong(helpline, balancer, state, samples) {
  const streams = helpline.roles.filter(({ role }) => role === "stream");
  while (!state.isOver) {
    const callId = `${randomUUID().slice(0, -1)}1`;
    let sent;
    const followed = follow(balancer, callId);
    for (let attempt = Math.floor(Math.random() * 2); sent === undefined; attempt++) {
      sent = await speak(streams[attempt % streams.length].streamPort, callId, samples).catch(() => undefined);
      if (sent === undefined) await delay(50);
    }
    state.calls.push({ callId, followed, ...sent });
  }
}

/** As a browser's EventSource: connects again where it was cut off. @returns the numbers of the events it was told of, and whether the last came */
async function follow(balancer, callId) {
  const seqs = [];
  const endMs = performance.now() + ANALYSED_WITHIN_MS;
  let lastId = 0;
  while (performance.now() < endMs) {
    const response = await balancer.ask(`/api/v1/calls/${callId}/live`, () => ({ headers: { accept: "text/event-stream", "last-event-id": String(lastId) } }));
    if (!response?.ok) {
      await delay(250);
      continue;
    }
    let text = "";
    try {
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const seq = Number(/^id: (\d+)$/m.exec(text.slice(0, end))?.[1]);
          const isLast = /^event: (analysis\.completed|call\.failed)$/m.test(text.slice(0, end));
          text = text.slice(end + 2);
          if (!Number.isNaN(seq)) {
            seqs.push(seq);
            lastId = seq;
          }
          if (isLast) return { seqs, hasEnd: true };
        }
      }
    } catch {
      // Cut off with the process it came from.
    }
    await delay(100);
  }
  return { seqs, hasEnd: false };
}

async function unfinishedOf(balancer, { uploads, calls }) {
  const open = new Set([...uploads, ...calls.map(({ callId }) => callId)]);
  const endMs = performance.now() + ANALYSED_WITHIN_MS;
  while (open.size > 0 && performance.now() < endMs) {
    for (const callId of [...open]) {
      const response = await balancer.ask(`/api/v1/calls/${callId}`);
      if (response?.ok && (await response.json()).status === "completed") open.delete(callId);
      await delay(20);
    }
  }
  return open.size;
}
