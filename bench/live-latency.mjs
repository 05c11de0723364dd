/** How soon text and risks are there: a recognizer of 0.3 times real time in two slots, one call and four at once. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { composeTalk, cutUtterances, FRAME_MS, sampleCalls, writeRaw } from "./live-audio.mjs";
import { followAll, startExchange, startLiveService, until } from "./live-processes.mjs";
import { median, percentile, round } from "./measure.mjs";

const REAL_TIME_FACTOR = "0.3";
const TURNS = 24;
const SKEW_MS = 700;
const CALLS_AT_ONCE = 4;
const ENDED_DEADLINE_MS = 60_000;

export async function measureLatency(directory) {
  const settings = { DATA_DIR: join(directory, "latency"), MODEL_PROCESSES: "2", PROCESSING_MODE: "realtime" };
  const service = await startLiveService(settings, { BENCH_RTF: REAL_TIME_FACTOR });
  const exchange = startExchange(service);
  const seen = nothingSeen();
  const reader = await followAll(service, (event, receivedAtMs) => see(seen, event, receivedAtMs));
  const utterances = (await sampleCalls()).flat().flatMap(cutUtterances);
  const round1 = await playTalks({ directory, exchange, seen, utterances }, 1);
  const round2 = await playTalks({ directory, exchange, seen, utterances }, CALLS_AT_ONCE);
  reader.close();
  await Promise.all([exchange.stop(), service.kill()]);
  return rowsOf(utterances, round1, round2);
}

export const nothingSeen = () => ({ finals: [], interims: [], risks: [], shown: [], ended: new Set() });

export function see(seen, { type, call_id: callId, payload }, receivedAtMs) {
  if (type === "segment.final" && payload.pass === "live") seen.finals.push({ callId, ...payload.segment, receivedAtMs });
  const text = payload.segment?.text ?? payload.text;
  if (text !== undefined) seen.shown.push({ callId, text, receivedAtMs });
  if (type === "segment.interim" && payload.text !== "") seen.interims.push({ callId, ...payload, receivedAtMs });
  if (type === "risk.raised") seen.risks.push({ callId, kind: payload.finding.kind, isInterim: payload.is_interim, receivedAtMs });
  if (type === "call.ended") seen.ended.add(callId);
}

/** @returns per call the delays of its utterances and triggers; null for what never came. */
export async function playTalks({ directory, exchange, seen, utterances, turns = TURNS }, count) {
  const talks = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const talk = composeTalk(utterances, { turns, offset: 11 * index + 3 * count });
      const files = await Promise.all(talk.legs.map((samples, leg) => writeRaw(join(directory, `talk-${count}-${index}-${leg}.raw`), samples)));
      return { ...talk, files, base: randomUUID().slice(0, -1), delayMs: index * SKEW_MS };
    }),
  );
  const legs = talks.flatMap((talk) =>
    talk.files.map((file, leg) => ({
      ...{ streamId: `${talk.base}${leg + 1}`, file, delayMs: talk.delayMs, frames: talk.frames, firstFrame: 0 },
      marks: marksOf(talk, leg),
    })),
  );
  const { legs: played } = await exchange.play(legs);
  const before = seen.ended.size;
  await until(
    () => talks.every(({ base }) => [...seen.ended].some((callId) => callId.startsWith(base))) || seen.ended.size >= before + count,
    ENDED_DEADLINE_MS,
  );
  return talks.map((talk) => delaysOf(talk, played, seen));
}

const marksOf = ({ said, triggers }, leg) =>
  [...said.map((turn) => ({ leg: turn.leg, frame: turn.lastFrame })), ...triggers]
    .filter((mark) => mark.leg === leg)
    .map(({ frame }) => frame)
    .sort((a, b) => a - b);

function delaysOf(talk, played, seen) {
  const sentAt = (leg, frame) => played.find(({ streamId }) => streamId === `${talk.base}${leg + 1}`)?.markTimes[marksOf(talk, leg).indexOf(frame)];
  const finals = seen.finals.filter(({ callId }) => callId.startsWith(talk.base));
  const risks = seen.risks.filter(({ callId }) => callId.startsWith(talk.base));
  const texts = talk.said.map(({ leg, firstFrame, lastFrame }) => {
    const channel = leg === 0 ? "caller" : "agent";
    const [startMs, endMs] = [firstFrame * FRAME_MS, (lastFrame + 1) * FRAME_MS];
    const own = finals.filter((segment) => segment.channel === channel && segment.start_ms < endMs && segment.end_ms > startMs);
    return own.length === 0 ? null : Math.max(...own.map(({ receivedAtMs }) => receivedAtMs)) - sentAt(leg, lastFrame);
  });
  const raised = talk.triggers.map(({ leg, frame, kind, words }) => {
    const risk = risks.find((one) => one.kind === kind);
    const shown = seen.shown.find(({ callId, text }) => callId.startsWith(talk.base) && text.includes(words));
    const since = (event) => (event === undefined ? null : event.receivedAtMs - sentAt(leg, frame));
    return { delayMs: since(risk), shownMs: since(shown), isInterim: risk?.isInterim };
  });
  return { texts, raised, looks: looksOf(talk, sentAt, seen) };
}

/** Of each turn, from its first frame to the first interim text of it; null when it was settled without one. */
function looksOf(talk, sentAt, seen) {
  const interims = seen.interims.filter(({ callId }) => callId.startsWith(talk.base));
  return talk.said.map(({ leg, firstFrame, lastFrame }) => {
    const channel = leg === 0 ? "caller" : "agent";
    const [startMs, endMs] = [firstFrame * FRAME_MS, (lastFrame + 1) * FRAME_MS];
    const [first] = interims
      .filter((one) => one.channel === channel && one.start_ms < endMs && one.end_ms > startMs)
      .sort((a, b) => a.receivedAtMs - b.receivedAtMs);
    return first === undefined ? null : first.receivedAtMs - (sentAt(leg, lastFrame) - (lastFrame - firstFrame) * FRAME_MS);
  });
}

function rowsOf(utterances, [single], four) {
  const known = (values) => values.filter((value) => value !== null);
  const seconds = utterances.map(({ length }) => length / 8_000);
  const one = known(single.texts);
  const medians = four.map(({ texts }) => median(known(texts)));
  const spread = Math.max(...medians) / Math.min(...medians);
  const raised = [single, ...four].flatMap((talk) => talk.raised);
  const raisedMs = known(raised.map(({ delayMs }) => delayMs));
  const shownMs = known(raised.map((trigger) => trigger.shownMs));
  const unheard = [single, ...four].flatMap(({ texts }) => texts).length - [single, ...four].flatMap(({ texts }) => known(texts)).length;
  const s = (ms) => round(ms / 1000);
  const below = (measure, ms, bar) => ({ measure, value: s(ms), unit: "s", bar: `< ${bar}`, isMet: ms < bar * 1000 });
  return [
    { measure: "utterances to choose from, median length", value: round(median(seconds)), unit: "s" },
    below("one call: last speech frame to final text, median", median(one), 1.2),
    below("one call: last speech frame to final text, p95", percentile(one, 0.95), 2),
    {
      measure: `four calls at once: the same, medians ${medians.map(s).join(" ")}; largest by smallest`,
      value: round(spread),
      unit: "x",
      bar: "< 2",
      isMet: spread < 2,
    },
    {
      measure: "four calls at once: the same, p95 of all",
      value: s(
        percentile(
          four.flatMap(({ texts }) => known(texts)),
          0.95,
        ),
      ),
      unit: "s",
    },
    { measure: "spoken trigger to risk raised, median", value: s(median(raisedMs)), unit: "s" },
    {
      ...{ measure: "spoken trigger to risk raised, p95", value: s(percentile(raisedMs, 0.95)), unit: "s" },
      ...{ bar: "<= 2.5", isMet: percentile(raisedMs, 0.95) <= 2_500 },
    },
    { measure: "the same, one call: largest of six", value: s(Math.max(...known(single.raised.map(({ delayMs }) => delayMs)))), unit: "s" },
    { measure: "spoken trigger to its words in any text, p95", value: s(percentile(shownMs, 0.95)), unit: "s" },
    { measure: "triggers raised", value: raisedMs.length, unit: `of ${raised.length}`, isMet: raisedMs.length === raised.length },
    { measure: "of them from text that was not final yet", value: raised.filter(({ isInterim }) => isInterim === true).length, unit: "" },
    {
      measure: "raised before they were spoken (a fault of the script)",
      value: raisedMs.filter((ms) => ms < 0).length,
      unit: "",
      bar: "0",
      isMet: raisedMs.every((ms) => ms >= 0),
    },
    { measure: "utterances without any final text", value: unheard, unit: "", bar: "0", isMet: unheard === 0 },
  ];
}
