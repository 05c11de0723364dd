/**
 * Chaos: uploads and live calls into one api, two streams and two workers over PostgreSQL and Redis, while a random process
 * is killed again and again. `-- --seconds 180 --uploads 200 --calls 20 --kill-every 10 --restart redis,postgres`.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startHelpline } from "./helpline.mjs";
import { CALL_SECONDS, recordingForm, speak } from "./helpline-clients.mjs";
import { sampleCalls } from "./live-audio.mjs";
import { inDirectory, round } from "./measure.mjs";

/** Of a call whose process was killed: what was not written ahead yet. */
const MAY_BE_LOST_MS = 1_000;
const SETTLE_MS = 180_000;
const ANSWER_MS = 20_000;

export const bench = (words) =>
  inDirectory(async (directory) => {
    const { values } = parseArgs({
      args: words,
      options: {
        seconds: { type: "string", default: "180" },
        uploads: { type: "string", default: "200" },
        calls: { type: "string", default: "20" },
        "kill-every": { type: "string", default: "10" },
        restart: { type: "string", default: "" },
      },
    });
    const [seconds, uploadCount, callCount, killEvery] = [values.seconds, values.uploads, values.calls, values["kill-every"]].map(Number);
    const helpline = await startHelpline(directory, { api: 1, stream: 2, worker: 2 });
    try {
      const endsAtMs = performance.now() + seconds * 1_000;
      const uploads = spread(uploadCount, seconds, (index) => upload(helpline, index));
      const [legs] = await sampleCalls();
      const calls = spread(callCount, Math.max(1, seconds - CALL_SECONDS), (index) => call(helpline, index, legs[0]));
      const kills = await killAround(helpline, { endsAtMs, killEvery, restarts: values.restart.split(",").filter(Boolean) });
      const acknowledged = (await Promise.all(uploads)).filter((one) => one !== undefined);
      const spoken = await Promise.all(calls);
      return await judge(helpline, { acknowledged, spoken, kills, uploadCount });
    } finally {
      await helpline.stop();
    }
  });

/** Begins `count` of them, evenly over the time. */
function spread(count, seconds, begin) {
  return Array.from({ length: count }, async (_, index) => {
    await delay((seconds * 1_000 * index) / count);
    return begin(index);
  });
}

async function killAround(helpline, { endsAtMs, killEvery, restarts }) {
  const waiting = [...restarts];
  let kills = 0;
  while (performance.now() + killEvery * 1_000 < endsAtMs) {
    await delay(killEvery * 1_000);
    const server = kills % 3 === 2 ? waiting.shift() : undefined;
    if (server === undefined) await helpline.killAndRestart(helpline.roles[Math.floor(Math.random() * helpline.roles.length)]);
    else await helpline[server].restart();
    kills++;
  }
  return kills;
}

/** Tries until it is acknowledged, as a client with an idempotency key may. */
async function upload(helpline, index) {
  const api = helpline.roles.find(({ role }) => role === "api");
  const key = `chaos-${index}-${randomUUID()}`;
  for (let attempt = 0; attempt < 60; attempt++) {
    const response = await fetch(`${api.url}/audio/process`, {
      method: "POST",
      body: recordingForm(),
      headers: { authorization: `Bearer ${helpline.adminKey}`, "idempotency-key": key },
    }).catch(() => undefined);
    if (response?.ok) {
      const answer = await response.json().catch(() => undefined);
      if (answer !== undefined) return answer;
    }
    await delay(1_000);
  }
  return undefined;
}

/** One leg at real time. A stream that is down is tried again, or the other one; a call that was cut off is not. */
async function call(helpline, index, samples) {
  const streams = helpline.roles.filter(({ role }) => role === "stream");
  const callId = `${randomUUID().slice(0, -1)}1`;
  for (let attempt = 0; ; attempt++) {
    const { streamPort } = streams[(index + attempt) % streams.length];
    const sent = await speak(streamPort, callId, samples).catch(() => undefined);
    if (sent !== undefined) return { callId, ...sent };
    await delay(500);
  }
}

async function judge(helpline, { acknowledged, spoken, kills, uploadCount }) {
  const api = helpline.roles.find(({ role }) => role === "api");
  const headers = { authorization: `Bearer ${helpline.adminKey}` };
  const get = async (path) => {
    for (;;) {
      const response = await fetch(`${api.url}${path}`, { headers, signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => undefined);
      // Asking after hundreds of calls at once is more than a key may.
      if (response !== undefined && response.status < 500 && response.status !== 429) return response;
      await delay(250);
    }
  };
  // Killed before anything was written ahead: there may be such a call or not.
  const isBegun = ({ isCutOff, sentMs }) => !isCutOff || sentMs > MAY_BE_LOST_MS;
  const callIds = [...acknowledged.map(({ call_id: id }) => id), ...spoken.filter(isBegun).map(({ callId }) => callId)];
  const settledBy = performance.now() + SETTLE_MS;
  const records = new Map();
  while (performance.now() < settledBy) {
    for (const callId of callIds) {
      if (["completed", "failed", "cancelled"].includes(records.get(callId)?.status)) continue;
      const response = await get(`/api/v1/calls/${callId}`);
      if (response.ok) records.set(callId, await response.json());
    }
    if (callIds.every((id) => ["completed", "failed", "cancelled"].includes(records.get(id)?.status))) break;
    await delay(500);
  }
  const completed = callIds.filter((id) => records.get(id)?.status === "completed");
  for (const id of callIds) {
    if (completed.includes(id)) continue;
    const { sentMs } = spoken.find(({ callId }) => callId === id) ?? {};
    console.error(`not analysed: ${JSON.stringify({ ...records.get(id), sentMs })}`);
  }
  let twice = 0;
  for (const callId of completed) {
    const events = await (await get(`/api/v1/calls/${callId}/live`)).text();
    if ((events.match(/^event: analysis\.completed$/gm) ?? []).length !== 1) twice++;
  }
  let total = await countCalls(get);
  for (const { callId } of spoken.filter((one) => !isBegun(one))) if ((await get(`/api/v1/calls/${callId}`)).ok) total--;
  const lostMs = spoken.map(({ callId, sentMs }) => Math.max(0, sentMs - (records.get(callId)?.duration_ms ?? 0)));
  const wholeLostMs = spoken.map(({ isCutOff }, index) => (isCutOff ? 0 : lostMs[index]));
  const cutOff = spoken.filter(({ isCutOff }) => isCutOff).length;
  return [
    { measure: "processes killed or servers restarted", value: kills, unit: "" },
    { measure: "uploads acknowledged", value: acknowledged.length, unit: `of ${uploadCount}`, isMet: acknowledged.length === uploadCount },
    { measure: "live calls, of which cut off by a kill", value: cutOff, unit: `of ${spoken.length}` },
    {
      measure: "calls not analysed",
      value: callIds.length - completed.length,
      unit: `of ${callIds.length}`,
      bar: "0",
      isMet: completed.length === callIds.length,
    },
    { measure: "calls not analysed exactly once", value: twice, unit: "", bar: "0", isMet: twice === 0 },
    { measure: "calls in the history that nobody made, or twice", value: total - callIds.length, unit: "", bar: "0", isMet: total === callIds.length },
    {
      measure: "audio lost of calls that were not cut off",
      value: round(Math.max(0, ...wholeLostMs), 0),
      unit: "ms",
      bar: "0",
      isMet: Math.max(0, ...wholeLostMs) === 0,
    },
    {
      measure: "audio lost of a call that was, at most",
      value: round(Math.max(0, ...lostMs), 0),
      unit: "ms",
      bar: `${MAY_BE_LOST_MS}`,
      isMet: Math.max(0, ...lostMs) <= MAY_BE_LOST_MS,
    },
    ...["api", "stream", "worker"].map((role) => ({
      measure: `${role} killed`,
      value: helpline.roles.filter((each) => each.role === role).reduce((sum, { kills: count }) => sum + count, 0),
      unit: "times",
    })),
  ];
}

async function countCalls(get) {
  let count = 0;
  let cursor = "";
  do {
    const { items, next_cursor: next } = await (await get(`/api/v1/calls?limit=100${cursor}`)).json();
    count += items.length;
    cursor = next === null || next === undefined ? "" : `&cursor=${encodeURIComponent(next)}`;
  } while (cursor !== "");
  return count;
}
