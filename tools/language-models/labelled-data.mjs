/** The labelled data and their five folds: versions of one story fall into one. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { parseLabelledData } from "../../dist/evaluation/labelled-record.js";

export const ROOT = new URL("../../", import.meta.url).pathname;
export const FOLDS = 5;

/** 0..4 */
export function foldOf({ fields }) {
  return createHash("sha256").update(fields.scenario).digest()[0] % FOLDS;
}

function read(prefix) {
  const directory = `${ROOT}data/labelled/`;
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix) && name.endsWith(".jsonl"))
    .sort()
    .flatMap((name) => parseLabelledData(readFileSync(directory + name, "utf8")));
}

export const labelledDialogues = () => read("dialogues-");
/** @param set - `a`: blind; `b`: what the rules of masking are developed with */
export const labelledPersonalData = (set) => read(`personal-data-${set}`);
export const labelledUtterances = () => read("utterances-");

/** Makes a thing for each fold once: several conditions are measured with the same models. */
export function oncePerFold(make) {
  const made = new Map();
  return (fold) => {
    if (!made.has(fold)) made.set(fold, make(fold));
    return made.get(fold);
  };
}
