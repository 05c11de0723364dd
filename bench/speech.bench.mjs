/** Word error of the installed speech engine on the samples, by synthetic voice and band. Synthetic voices only. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { processRecordings } from "../dist/app/process-recordings.js";
import { loadConfig } from "../dist/config/load-config.js";
import { alignWords, normalizeWords } from "../dist/core/text/word-alignment.js";
import { round } from "./measure.mjs";

const SAMPLES = fileURLToPath(new URL("../samples/", import.meta.url));
const BANDS = { "call-16k.flac": "16 kHz", "call-8k-alaw.wav": "8 kHz A-law" };
const MAX_POOLED_PERCENT = 30;

export async function bench() {
  const calls = readdirSync(SAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => JSON.parse(readFileSync(`${SAMPLES}${name}/script.json`, "utf8")))
    .filter(({ voices, languages }) => voices !== undefined && languages.every((tag) => tag === "en"));
  const rows = [];
  for (const [file, band] of Object.entries(BANDS)) {
    const sums = new Map();
    const paths = calls.map(({ id }) => `${SAMPLES}${id}/${file}`);
    const options = { paths, language: "en", includeTranslation: false, engine: "auto", signal: new AbortController().signal };
    let index = 0;
    for await (const { result } of processRecordings(loadConfig({}), options)) addErrors(sums, calls[index++], result.transcript?.segments ?? []);
    for (const [voice, { wrong, said }] of [...sums].sort())
      rows.push({ measure: `word error, ${band}, ${voice}`, value: round((100 * wrong) / said, 1), unit: "%" });
    const total = [...sums.values()].reduce((sum, { wrong, said }) => ({ wrong: sum.wrong + wrong, said: sum.said + said }), { wrong: 0, said: 0 });
    const percent = round((100 * total.wrong) / total.said, 1);
    const bar = band === "16 kHz" ? { bar: `<= ${MAX_POOLED_PERCENT}`, isMet: percent <= MAX_POOLED_PERCENT } : {};
    rows.push({ measure: `word error, ${band}, pooled over ${total.said} words`, value: percent, unit: "%", ...bar });
  }
  return rows;
}

function addErrors(sums, script, heard) {
  for (const channel of ["caller", "agent"]) {
    const words = (items) => items.filter((item) => item.channel === channel).flatMap(({ text }) => normalizeWords(text));
    const { errors, saidCount } = alignWords(words(script.segments), words(heard));
    const { voice } = script.voices[channel];
    const sum = sums.get(voice) ?? { wrong: 0, said: 0 };
    sums.set(voice, { wrong: sum.wrong + errors, said: sum.said + saidCount });
  }
}
