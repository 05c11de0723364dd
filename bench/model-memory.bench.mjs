/**
 * Whether an engine keeps something of each request: memory of its process after 500 requests against after 50, for every kind of
 * installed model (the tiny ones of the tests; `-- --model DIRECTORY` adds a Whisper of true size).
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { round } from "./measure.mjs";

const MODELS = ["whisper-merged", "whisper-attentions", "translation-m2m100", "summary-bart", "labels-wordpiece", "heads-classifier", "zero-shot", "answers"];
const MAX_GROWTH = 1.05;

export async function bench(benchArguments) {
  const { values } = parseArgs({ args: benchArguments, options: { model: { type: "string" } } });
  const directories = MODELS.map((name) => fileURLToPath(new URL(`../test/fixtures/models/${name}`, import.meta.url)));
  const rows = [];
  for (const directory of [...directories, ...(values.model === undefined ? [] : [values.model])]) rows.push(...rowsOf(directory, await measure(directory)));
  return rows;
}

function rowsOf(directory, { engine, after50Mb, after500Mb, answered }) {
  const growth = after500Mb / after50Mb;
  return [
    {
      measure: `${engine} (${directory.split("/").at(-1)}): ${after50Mb} MB after 50, ${after500Mb} MB after 500 requests, ${answered} answered`,
      value: round(growth, 3),
      unit: "x",
      bar: `<= ${MAX_GROWTH}`,
      isMet: growth <= MAX_GROWTH,
    },
  ];
}

/** A process each, so that none sees what another left. */
function measure(directory) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL("model-memory-engine.mjs", import.meta.url), [directory], { execArgv: ["--expose-gc"] });
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the process of ${directory} ended with ${code}`)));
  });
}
