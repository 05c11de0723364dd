/**
 * A million segments of twenty thousand calls in each kind of database: a page of the list, a search, one call with its
 * analysis, and one segment stored, on SQLite beside a raw fdatasync of the same disk. `-- --calls 20000 --segments 50 --on sqlite,postgres,mariadb`.
 */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { newId } from "../dist/core/ids.js";
import { createEphemeralMasterKey } from "../dist/security/master-key.js";
import { createSealerFactory } from "../dist/security/sealing/sealed-text.js";
import { openDatabase } from "../dist/storage/database.js";
import { createAnalysisRepository } from "../dist/storage/repositories/analysis-repository.js";
import { createCallEventRepository } from "../dist/storage/repositories/call-event-repository.js";
import { createCallRepository } from "../dist/storage/repositories/call-repository.js";
import { createCallTextRepository } from "../dist/storage/search/call-text-repository.js";
import { createWordDigest } from "../dist/storage/search/word-digest.js";
import { startMariadb, startPostgres } from "./database-servers.mjs";
import { inDirectory, percentile, round } from "./measure.mjs";

const PAGE = 50;
const ASKED = 300;
const STORED = 300;
const FIRST_MS = 1_700_000_000_000;
const BETWEEN_MS = 60_000;
const WORDS = "she said that her uncle comes at night and nobody in the house believes what happened when mother was away".split(" ");
/** As often as words are: the first of them in half of the calls, the last in one of thousands. */
const VOCABULARY = Array.from({ length: 8_000 }, (_, rank) => ({ word: wordOf(rank), share: Math.min(0.5, 25 / (rank + 1)) }));

export const bench = (words) => {
  const { values } = parseArgs({
    args: words,
    options: {
      calls: { type: "string", default: "20000" },
      segments: { type: "string", default: "50" },
      on: { type: "string", default: "sqlite,postgres,mariadb" },
    },
  });
  const sizes = { calls: Number(values.calls), segments: Number(values.segments) };
  return inDirectory(async (directory) => {
    const rows = [];
    for (const kind of values.on.split(",")) rows.push(...(await onOne(kind, directory, sizes)));
    return rows;
  });
};

async function onOne(kind, directory, sizes) {
  const server = kind === "postgres" ? await startPostgres(directory) : kind === "mariadb" ? await startMariadb(directory) : undefined;
  const database = openDatabase(server === undefined ? { path: join(directory, "bench.db") } : { url: server.url, poolSize: 4 });
  try {
    await database.migrate();
    return await measure(kind, database, { directory, ...sizes });
  } finally {
    await database.close();
    await server?.stop();
  }
}

async function measure(kind, database, { directory, calls: callCount, segments: segmentCount }) {
  const masterKey = createEphemeralMasterKey();
  const sealers = createSealerFactory(masterKey);
  const digestKey = masterKey.derive("text-search");
  const texts = createCallTextRepository({ database, sealers, digestKey });
  const calls = createCallRepository({ database, sealers });
  const analyses = createAnalysisRepository({ database });
  const events = createCallEventRepository({ database });
  const filledAt = performance.now();
  const ids = await fill(database, sealers, { callCount, segmentCount, digest: createWordDigest(digestKey) });
  const fillSeconds = (performance.now() - filledAt) / 1_000;
  const pick = () => ids[Math.floor(Math.random() * ids.length)];
  const anyTime = () => FIRST_MS + Math.floor(Math.random() * callCount * BETWEEN_MS);
  const listMs = await timesOf(ASKED, () => calls.listCalls({ filter: {}, after: { startedAtMs: anyTime(), callId: "" }, limit: PAGE }));
  const filters = [{ agentId: "agent-7" }, { language: "sw" }, { status: "failed" }, { source: "live", startedFromMs: anyTime() }];
  const filteredMs = await timesOf(ASKED, (index) => calls.listCalls({ filter: filters[index % filters.length], limit: PAGE }));
  const callMs = await timesOf(ASKED, async () => {
    const { callId, taskId } = pick();
    await calls.findCall(callId);
    await analyses.findAnalysis({ callId, taskId, sealer: await calls.openSealer(callId) });
  });
  const search = (terms, more = {}) => texts.search({ terms, filter: {}, limit: PAGE, ...more });
  const whole = (rank) => ({ text: wordOf(rank), isPrefix: false });
  const rank = (index, from, to) => from + ((index * 37) % (to - from));
  const searches = {
    "a search for a word of every second call": (index) => search([whole(rank(index, 0, 40))]),
    "the same from anywhere": (index) => search([whole(rank(index, 0, 40))], { beforePosition: anyTime() * 1_000 }),
    "a search for two frequent words": (index) => search([whole(rank(index, 0, 60)), whole(rank(index, 60, 200))]),
    "a search for a rare word": (index) => search([whole(rank(index, 4_000, 8_000))]),
    "a search for a beginning": (index) => search([{ text: wordOf(rank(index, 0, 2_000)).slice(0, 4), isPrefix: true }]),
    "a search with a filter": (index) => search([whole(rank(index, 40, 200))], { filter: filters[index % filters.length] }),
  };
  const [firstSearchMs = 0] = await timesOf(1, async () => void (await search([whole(0)])));
  const searchRows = [];
  for (const [name, ask] of Object.entries(searches)) searchRows.push([name, await timesOf(ASKED / 3, async (index) => void (await ask(index)))]);
  const { callId, taskId } = pick();
  const task = { callId, taskId, sealer: await calls.openSealer(callId) };
  const syncMs = [];
  const file = openSync(join(directory, `${kind}.raw`), "w");
  const storeMs = await timesOf(STORED, async (index) => {
    const startedAt = performance.now();
    writeSync(file, Buffer.alloc(4_096));
    fdatasyncSync(file);
    syncMs.push(performance.now() - startedAt);
    const from = performance.now();
    const event = { type: "segment.final", payload: { taskId, pass: "live", segment: segmentOf(index) } };
    await events.appendTogether([{ call: task, events: [event] }], Date.now());
    return performance.now() - from;
  });
  closeSync(file);
  const p95 = (samples) => round(percentile(samples, 0.95));
  const ratio = round(p95(storeMs) / p95(syncMs));
  const bar = (measure, samples) => ({ measure: `${kind}: ${measure}, p95`, value: p95(samples), unit: "ms", bar: "< 100", isMet: p95(samples) < 100 });
  return [
    { measure: `${kind}: filled with ${callCount} calls, ${callCount * segmentCount} segments`, value: round(fillSeconds, 0), unit: "s" },
    bar("a page of the list from anywhere", listMs),
    bar("a page of the list with a filter", filteredMs),
    { measure: `${kind}: the first search after all that was stored`, value: round(firstSearchMs), unit: "ms" },
    ...searchRows.map(([name, samples]) => bar(name, samples)),
    bar("one call with its analysis", callMs),
    { measure: `${kind}: one segment stored, p95`, value: p95(storeMs), unit: "ms" },
    { measure: `${kind}: raw 4 KB write + fdatasync, p95`, value: p95(syncMs), unit: "ms" },
    { measure: `${kind}: segment / fdatasync`, value: ratio, unit: "x", ...(kind === "sqlite" ? { bar: "<= 2", isMet: ratio <= 2 } : {}) },
  ];
}

/** Letters alone, four to nine, the same every time. */
function wordOf(rank) {
  const letters = createHash("sha256")
    .update(`word ${rank}`)
    .digest("hex")
    .replace(/[0-9]/g, (digit) => "ghijklmnop"[Number(digit)]);
  return letters.slice(0, 4 + (rank % 6));
}

/** @param work - may tell a time of its own, in milliseconds */
async function timesOf(count, work) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const startedAt = performance.now();
    const own = await work(index);
    times.push(typeof own === "number" ? own : performance.now() - startedAt);
  }
  return times;
}

function segmentOf(index) {
  const text = Array.from({ length: 12 }, (_, word) => WORDS[(index * 7 + word) % WORDS.length]).join(" ");
  return {
    id: `s${index}`,
    channel: index % 2 === 0 ? "caller" : "agent",
    startMs: index * 4_000,
    endMs: index * 4_000 + 3_500,
    text,
    language: "en",
    score: 0.8,
  };
}

async function fill(database, sealers, { callCount, segmentCount, digest }) {
  const ids = [];
  const segments = Array.from({ length: segmentCount }, (_, index) => segmentOf(index));
  for (let first = 0; first < callCount; first += 100) {
    const rows = { call: [], call_task: [], analysis: [], transcript_segment: [], call_text: [] };
    for (let index = first; index < Math.min(callCount, first + 100); index++) {
      const [callId, taskId] = [randomUUID(), newId()];
      const wrapped = sealers.wrap(callId, sealers.newCallKey());
      const sealer = sealers.open(callId, wrapped);
      ids.push({ callId, taskId });
      rows.call.push(callRow(callId, index, wrapped));
      rows.call_task.push({ task_id: taskId, call_id: callId });
      const result = { callId, taskId, status: "completed", transcript: { language: "en", segments, lowQuality: false } };
      rows.analysis.push({
        ...{ task_id: taskId, call_id: callId, status: "completed", completed_at_ms: FIRST_MS + index * BETWEEN_MS },
        result_sealed: sealer.seal(`analysis/${taskId}`, JSON.stringify(result)),
      });
      const said = VOCABULARY.filter(({ share }) => Math.random() < share).map(({ word }) => word);
      rows.call_text.push({
        ...{ position: (FIRST_MS + index * BETWEEN_MS) * 1_000, call_id: callId, words: digest.ofText(said).join(" ") },
        passages_sealed: sealer.seal("call_text.passages", JSON.stringify(segments.map(({ startMs, text }) => [startMs, text]))),
      });
      for (const [seq, { id, channel, startMs, endMs, language, score, text }] of segments.entries()) {
        rows.transcript_segment.push({
          ...{ segment_id: id, call_id: callId, task_id: taskId, seq, channel, start_ms: startMs, end_ms: endMs, language, score },
          ...{ text_sealed: sealer.seal(`segment.text/${taskId}/${id}`, text), words_sealed: null },
        });
      }
    }
    await database.sql.transaction().execute(async (transaction) => {
      for (const [table, all] of Object.entries(rows)) {
        for (let from = 0; from < all.length; from += 500)
          await transaction
            .insertInto(table)
            .values(all.slice(from, from + 500))
            .execute();
      }
    });
  }
  return ids;
}

function callRow(callId, index, wrapped) {
  const startedAtMs = FIRST_MS + index * BETWEEN_MS;
  return {
    ...{ call_id: callId, external_id: null, source: index % 3 === 0 ? "live" : "upload", direction: "inbound" },
    ...{ status: index % 50 === 0 ? "failed" : "completed", mode: "both", languages: index % 2 === 0 ? '["sw"]' : '["en"]' },
    ...{ agent_id: `agent-${index % 40}`, caller_ref: null, legal_hold: 0, started_at_ms: startedAtMs, ended_at_ms: startedAtMs + 240_000 },
    ...{ duration_ms: 240_000, wrapped_key: wrapped },
  };
}
