/** The labelled data and their five folds: versions of one story fall into one. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { parseLabelledData } from "../../dist/evaluation/labelled-record.js";
import { plainRecord } from "./cue-records.mjs";

export const ROOT = new URL("../../", import.meta.url).pathname;
export const FOLDS = 5;

/** 0..4 */
export function foldOf({ fields }) {
  return createHash("sha256").update(fields.scenario).digest()[0] % FOLDS;
}

function textsOf(prefix) {
  const directory = `${ROOT}data/labelled/`;
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".jsonl"))
    .sort()
    .map((name) => readFileSync(directory + name, "utf8"));
}

const read = (prefix) => textsOf(prefix).flatMap((text) => parseLabelledData(text));
const linesOf = (prefix) =>
  textsOf(prefix).flatMap((text) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );

export const labelledDialogues = () => read("dialogues-");
/** Parts of calls with marks: to learn from, not to measure on. */
export const labelledExcerpts = () => read("excerpts-");
/** More such parts, kept from all models; what they would learn of them was tried and is nothing. @param set - `a` or `b` */
export const unseenExcerpts = (set) => read(`unseen-excerpts-${set}`);
/** @param set - `a`: blind; `b`, `c`: what the rules of masking are developed with */
export const labelledPersonalData = (set) => read(`personal-data-${set}`);
export const labelledUtterances = () => read("utterances-");

/** What callers say of their trouble, by sub-category: to learn from, not to measure on. */
export function labelledStatements() {
  return linesOf("statements-").map(({ text, language, main_category, sub_category, priority, risks }) =>
    plainRecord(text, language, { main_category, sub_category, priority, risks }),
  );
}

/** Makes a thing for each fold once: several conditions are measured with the same models. */
export function oncePerFold(make) {
  const made = new Map();
  return (fold) => {
    if (!made.has(fold)) made.set(fold, make(fold));
    return made.get(fold);
  };
}
