/** Many two-leg calls at real time on real sockets: nothing lost, events at once, memory flat, the loop free. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { FRAME_MS, sampleCalls, writeRaw } from "./live-audio.mjs";
import { cpuOf, followAll, residentMb, startExchange, startLiveService, until } from "./live-processes.mjs";
import { median, percentile, round } from "./measure.mjs";

/** Calls do not all begin in the same instant. */
const STAGGER_MS = 23;
const SCRAPE_MS = 10_000;
const ENDED_DEADLINE_MS = 90_000;

export async function measureLoad(directory, { calls, seconds }) {
  // Recordings heard afterwards would be another benchmark.
  const service = await startLiveService({ DATA_DIR: join(directory, "data"), PROCESSING_MODE: "realtime" });
  const exchange = startExchange(service);
  const seen = { delays: [], ended: new Map(), finals: 0, lagMs: 0 };
  const reader = await followAll(service, (event, receivedAtMs) => see(seen, event, receivedAtMs));
  const legs = await loadLegs(directory, { calls, seconds });
  const playing = exchange.play(legs);
  await wait(calls * STAGGER_MS + 1_000);
  const window = openWindow(service, { exchange, seconds: seconds - (calls * STAGGER_MS) / 1000 - 2 });
  const measured = await window;
  const played = await playing;
  await until(() => seen.ended.size >= calls, ENDED_DEADLINE_MS);
  reader.close();
  await Promise.all([exchange.stop(), service.kill()]);
  return rowsOf({ calls, legs, played, measured, seen, reader });
}

async function loadLegs(directory, { calls, seconds }) {
  const samples = await sampleCalls();
  const files = await Promise.all(
    samples.map((channels, call) => Promise.all(channels.map((channel, leg) => writeRaw(join(directory, `${call}-${leg}.raw`), channel)))),
  );
  return Array.from({ length: calls }, (_, call) => {
    const base = randomUUID().slice(0, -1);
    return files[call % files.length].map((file, leg) => ({
      ...{ streamId: `${base}${leg + 1}`, file, delayMs: call * STAGGER_MS + leg * 40, frames: (seconds * 1000) / FRAME_MS, marks: [] },
      firstFrame: Math.floor(call / files.length) * 150,
    }));
  }).flat();
}

function see(seen, { type, call_id: callId, payload }, receivedAtMs) {
  const text = type === "segment.interim" ? payload.text : type === "segment.final" ? payload.segment.text : "";
  const answeredAt = /\bt(\d{13})\b/.exec(text)?.[1];
  if (answeredAt !== undefined) seen.delays.push({ receivedAtMs, delayMs: receivedAtMs - Number(answeredAt) });
  if (type === "segment.final") seen.finals++;
  if (type === "call.measured") seen.lagMs = Math.max(seen.lagMs, payload.lag_ms);
  if (type === "call.ended") seen.ended.set(callId, payload.audio);
}

/** From when every call runs to shortly before they end. */
async function openWindow(service, { exchange, seconds }) {
  await Promise.all([service.resources(), service.metric("nodejs_eventloop_lag_p99_seconds")]);
  const fromMs = Date.now();
  const startedAtMs = performance.now();
  const before = cpus(service, exchange);
  const residentMbs = [];
  const worstP99s = [];
  for (let nextScrapeMs = SCRAPE_MS; performance.now() - startedAtMs < seconds * 1000; ) {
    await wait(1_000);
    residentMbs.push(residentMb(service.pid));
    if (performance.now() - startedAtMs < nextScrapeMs) continue;
    nextScrapeMs += SCRAPE_MS;
    worstP99s.push((await service.metric("nodejs_eventloop_lag_p99_seconds")) * 1000);
  }
  const elapsedMs = performance.now() - startedAtMs;
  const after = cpus(service, exchange);
  const percent = Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, Math.round(((ms - before[name]) * 100) / elapsedMs)]));
  const { event_loop_delay_p99_ms: loopP99Ms } = await service.resources();
  return { percent, residentMbs, fromMs, untilMs: Date.now(), loopP99Ms, worstLoopP99Ms: Math.max(...worstP99s) };
}

function cpus(service, exchange) {
  const { process: main, mainThread, children } = cpuOf(service.pid);
  return { main, mainThread, models: children, exchange: cpuOf(exchange.pid).process, reader: cpuOf(process.pid).process };
}

/** Mean of ten seconds, since memory goes up and down with the collector; minute 1 is the middle of a shorter run. */
function growthMb(residentMbs) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const first = Math.min(60, Math.floor(residentMbs.length / 2));
  return mean(residentMbs.slice(-10)) - mean(residentMbs.slice(Math.max(0, first - 10), first));
}

function rowsOf({ calls, legs, played, measured, seen, reader }) {
  const { percent, residentMbs, loopP99Ms, worstLoopP99Ms } = measured;
  const sentMs = played.legs.reduce((sum, leg) => sum + leg.sentMs, 0);
  const ledgers = [...seen.ended.values()].map(({ ledger }) => ledger);
  const total = (pick) => ledgers.reduce((sum, ledger) => sum + pick(ledger), 0);
  const receivedMs = total(({ speech_ms, silence_ms, paused_ms, failed_ms, pending_ms }) => speech_ms + silence_ms + paused_ms + failed_ms + pending_ms);
  const lostMs = sentMs - receivedMs;
  const all = seen.delays.map(({ delayMs }) => delayMs);
  const inWindow = seen.delays.filter(({ receivedAtMs }) => receivedAtMs >= measured.fromMs && receivedAtMs <= measured.untilMs);
  const delaysMs = inWindow.map(({ delayMs }) => delayMs);
  const p99Ms = percentile(delaysMs, 0.99) ?? Number.NaN;
  const growth = growthMb(residentMbs);
  return [
    { measure: "calls of two legs, ended and accounted for", value: seen.ended.size, unit: `of ${calls}`, isMet: seen.ended.size === calls },
    { measure: "streams at real time, 8 kHz AudioSocket", value: legs.length, unit: "" },
    { measure: "streams cut off by the service", value: played.legs.filter(({ isCutOff }) => isCutOff).length, unit: "" },
    { measure: "audio sent", value: Math.round(sentMs / 1000), unit: "s" },
    { measure: "audio lost: sent, and in no ledger", value: lostMs, unit: "ms", bar: "0", isMet: lostMs === 0 },
    { measure: "of what arrived: speech with text", value: round(total(({ speech_ms }) => speech_ms) / 1000, 1), unit: "s" },
    { measure: "of what arrived: speech without text", value: round(total(({ failed_ms }) => failed_ms) / 1000, 1), unit: "s" },
    { measure: "gaps found on the timelines", value: total(({ gap_ms }) => gap_ms), unit: "ms" },
    { measure: "events received", value: reader.report.events, unit: "" },
    { measure: "events missing in the order of their numbers", value: reader.report.missing, unit: "", bar: "0", isMet: reader.report.missing === 0 },
    { measure: "settled segments", value: seen.finals, unit: "" },
    { measure: "recognizer's answer to event received, median", value: median(delaysMs) ?? Number.NaN, unit: "ms" },
    { measure: "recognizer's answer to event received, p99", value: p99Ms, unit: "ms", bar: "< 250", isMet: p99Ms < 250 },
    { measure: "the same, p99, with the seconds in which all calls begin and end", value: percentile(all, 0.99) ?? Number.NaN, unit: "ms" },
    { measure: "longest that finished speech waited for its text", value: seen.lagMs, unit: "ms" },
    { measure: "memory of the main process, end", value: Math.round(residentMbs.at(-1)), unit: "MB" },
    { measure: "memory of the main process, growth after minute 1", value: round(growth, 1), unit: "MB", bar: "< 20", isMet: growth < 20 },
    { measure: "event-loop delay p99 of the main process", value: round(loopP99Ms, 1), unit: "ms", bar: "< 50", isMet: loopP99Ms < 50 },
    { measure: "event-loop lag p99 at /metrics, worst of 10 s", value: round(worstLoopP99Ms, 1), unit: "ms" },
    { measure: "CPU of the main process, all threads", value: percent.main, unit: "% core" },
    { measure: "CPU of its main thread", value: percent.mainThread, unit: "% core" },
    { measure: "CPU of the model processes (builtin text engines)", value: percent.models, unit: "% core" },
    { measure: "CPU of the exchange that plays the calls", value: percent.exchange, unit: "% core" },
    { measure: "CPU of the reader of all events", value: percent.reader, unit: "% core" },
    { measure: "lateness of the exchange, p99", value: round(played.lateP99Ms, 1), unit: "ms" },
  ];
}
