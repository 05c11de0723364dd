/** Two-leg calls heard by a true Whisper on this machine: how many at once are held with interims, and how soon text comes. */
import { join } from "node:path";
import { openModelStore } from "../dist/inference/store/model-store.js";
import { cutUtterances, sampleCalls } from "./live-audio.mjs";
import { nothingSeen, playTalks, see } from "./live-latency.mjs";
import { cpuOf, followAll, startExchange, startLiveService } from "./live-processes.mjs";
import { median, percentile, round } from "./measure.mjs";

const COUNTS = [1, 2, 4, 6, 8];
const TURNS = 14;
/** Beyond this a counsellor has gone on without the text. */
const HELD_FINAL_P95_S = 5;

export async function measureWhisper(directory, model) {
  const models = join(directory, "models");
  await openModelStore(models).import(model, { id: "measured", signal: new AbortController().signal });
  const settings = { DATA_DIR: join(directory, "data"), MODELS_DIR: models, SPEECH_ENGINE: "whisper", MODEL_PROCESSES: "2", PROCESSING_MODE: "realtime" };
  const service = await startLiveService({ ...settings, DEFAULT_LANGUAGES: "sw" }, { BENCH_ENGINE: "installed" });
  const exchange = startExchange(service);
  const seen = nothingSeen();
  const reader = await followAll(service, (event, receivedAtMs) => see(seen, event, receivedAtMs));
  const utterances = (await sampleCalls()).flat().flatMap(cutUtterances);
  const rows = [];
  let held = 0;
  // The models are loaded by then.
  await playTalks({ directory, exchange, seen, utterances, turns: 4 }, 1);
  for (const count of COUNTS) {
    const cpuBefore = cpuOf(service.pid).children;
    const startedAt = performance.now();
    const talks = await playTalks({ directory, exchange, seen, utterances, turns: TURNS }, count);
    const cores = (cpuOf(service.pid).children - cpuBefore) / (performance.now() - startedAt);
    const { own, isHeld } = rowsOf(talks, count, cores);
    rows.push(...own);
    if (!isHeld) break;
    held = count;
  }
  reader.close();
  await Promise.all([exchange.stop(), service.kill()]);
  return [...rows, { measure: "two-leg calls held at once, with interims", value: held, unit: "", bar: "goal 4", isMet: held >= 4 }];
}

function rowsOf(talks, count, cores) {
  const known = (pick) => talks.flatMap(pick).filter((value) => value !== null);
  const [looks, finals] = [known(({ looks }) => looks), known(({ texts }) => texts)];
  const turns = talks.flatMap(({ texts }) => texts).length;
  const s = (ms) => (ms === undefined ? Number.NaN : round(ms / 1000));
  const lateS = s(percentile(finals, 0.95));
  const isHeld = lateS <= HELD_FINAL_P95_S && finals.length === turns;
  const goal = count === 4 ? { bar: "goal < 1", isMet: median(looks) < 1_000 } : {};
  return {
    isHeld,
    own: [
      { measure: `${count} calls: first interim after the first frame of speech, median`, value: s(median(looks)), unit: "s", ...goal },
      { measure: `${count} calls: the same, p95`, value: s(percentile(looks, 0.95)), unit: "s" },
      { measure: `${count} calls: turns that were shown before they were settled`, value: looks.length, unit: `of ${turns}` },
      { measure: `${count} calls: last speech frame to final text, median`, value: s(median(finals)), unit: "s" },
      {
        measure: `${count} calls: the same, p95 (${finals.length} of ${turns} turns have text)`,
        value: lateS,
        unit: "s",
        bar: `held <= ${HELD_FINAL_P95_S}`,
        isMet: isHeld,
      },
      { measure: `${count} calls: cores that the model processes took`, value: round(cores), unit: "" },
    ],
  };
}
