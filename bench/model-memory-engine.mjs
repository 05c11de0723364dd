/** One engine, asked 500 times, in a process of its own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createInstalledEngine } from "../dist/app/installed-engines.js";
import { packageAssets } from "../dist/app/paths.js";
import { loadTaxonomy } from "../dist/app/taxonomy.js";
import { createBuiltinEngines } from "../dist/inference/backends/builtin/create-builtin-engines.js";
import { openModelStore } from "../dist/inference/store/model-store.js";

const REQUESTS = 500;
const EARLY = 50;
const RATE_HZ = 16_000;
const TEXTS = ["My uncle beats me every night and I am afraid.", "Jina langu ni Amina, nina miaka kumi na mbili.", "Please help us, we have no food at home."];

const root = mkdtempSync(join(tmpdir(), "openchs-bench-"));
const { signal } = new AbortController();
const model = await openModelStore(root).import(process.argv[2], { id: "measured-sw-en", signal });
const rules = createBuiltinEngines({ assetsDirectory: packageAssets().languageData });
const engine = await createInstalledEngine(model, { threads: 1, whisper: { windowMargin: 128 }, taxonomy: await loadTaxonomy(), rules });
let answered = 0;
let after50Mb = 0;
for (let request = 1; request <= REQUESTS; request++) {
  await engine.run(inputOf(engine.description.modelTask, request), { signal }).then(
    () => answered++,
    // A summary of random words is borne out by nothing.
    (error) => error.code === "MODEL_NOT_READY" || Promise.reject(error),
  );
  if (request === EARLY) after50Mb = await memoryMb();
}
process.send({ engine: engine.description.modelTask, after50Mb, after500Mb: await memoryMb(), answered });
await engine.close();
rmSync(root, { recursive: true, force: true });
process.disconnect();

function inputOf(modelTask, request) {
  const segments = TEXTS.map((text, index) => ({
    id: `s${index}`,
    channel: "caller",
    startMs: index * 1_000,
    endMs: index * 1_000 + 900,
    text: `${text} ${request}`,
    language: "sw",
    score: null,
  }));
  if (modelTask === "translation") return { segments, targetLanguage: "en" };
  if (modelTask === "question_answering") return { segments, question: "Who is the child?" };
  if (modelTask !== "speech") return { segments };
  // Of different lengths: what is kept for one length is not what is kept for another.
  const samples = Int16Array.from({ length: RATE_HZ * (1 + (request % 5)) }, (_, index) => 8_000 * Math.sin((index * (7 + (request % 11))) / 90));
  const audio = { samples, sampleRateHz: RATE_HZ, sourceSampleRateHz: 8_000, sampleCount: samples.length };
  return { audio, utterances: [{ startMs: 0, endMs: (samples.length * 1000) / RATE_HZ }], language: "sw", allowedLanguages: ["sw"] };
}

/** What the collector frees goes back to the machine a moment later, by another thread. */
async function memoryMb() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await wait(200);
  }
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024);
}
