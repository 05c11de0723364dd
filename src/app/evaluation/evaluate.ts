/** `evaluate`: asks an engine about labelled records and compares, here and now; keeps nothing. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Config } from "../../config/config-schema.js";
import { AppError } from "../../core/errors.js";
import { transcriptText } from "../../core/transcript.js";
import { type RecordScore, tally } from "../../evaluation/counts.js";
import { type EngineEvaluation, prepareEvaluation } from "../../evaluation/evaluation-tasks.js";
import { type LabelledRecord, parseLabelledData, recordsWith } from "../../evaluation/labelled-record.js";
import { makeScoreSheet, type ScoreSheet } from "../../evaluation/score-sheet.js";
import { piiMeasures, scorePii } from "../../evaluation/scorers/pii-scores.js";
import { recognitionMeasures, scoreRecognition } from "../../evaluation/scorers/text-scores.js";
import { type Damage, damageRecords } from "../../evaluation/text/damaged-record.js";
import { createBuiltinPiiDetector } from "../../inference/backends/builtin/personal-data/builtin-pii-detector.js";
import { loadCaseForm } from "../casework/case-form.js";
import { createOneShotPool } from "../one-shot-pool.js";
import { packageAssets } from "../paths.js";
import { processRecordings } from "../process-recordings.js";

export interface EvaluationRequest {
  readonly task: EngineEvaluation | "asr" | "pii";
  /** JSON lines; several files count as one. */
  readonly paths: readonly string[];
  readonly engine: string;
  readonly damage: Damage;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Evaluation extends ScoreSheet {
  readonly engine: string;
  readonly revision: string;
}

const DEADLINE_MS = 300_000;

/** @throws AppError `EVALUATION_DATA_INVALID`, `MODEL_ENGINE_UNKNOWN`, or what the engine fails with */
export async function evaluate(config: Config, request: EvaluationRequest): Promise<Evaluation> {
  if (request.task === "asr") return evaluateSpeech(config, request);
  if (request.task === "pii") return evaluateMasking(request);
  const records = damageRecords((await Promise.all(request.paths.map(readRecords))).flat(), request.damage);
  const task = prepareEvaluation(request.task, records, { caseForm: await loadCaseForm(config.cases.formFile) });
  const pool = createOneShotPool({ modelsDirectory: config.inference.modelsDirectory, taxonomy: config.cases.taxonomy });
  try {
    await pool.start();
    const scores: RecordScore[] = [];
    let made = { engine: request.engine, revision: "" };
    for (const [index, record] of task.records.entries()) {
      const outputs = [];
      for (const input of task.inputsOf(record)) {
        const { output, engine, revision } = await pool.run(task.modelTask, input, { signal: request.signal, deadlineMs: DEADLINE_MS, engine: request.engine });
        outputs.push(output);
        made = { engine, revision };
      }
      scores.push(task.score(record, outputs));
      request.onProgress?.(index + 1, task.records.length);
    }
    return { ...makeScoreSheet(scores, task.measuresOf), ...made };
  } finally {
    await pool.close();
  }
}

async function evaluateMasking({ paths, damage, onProgress }: EvaluationRequest): Promise<Evaluation> {
  const records = damageRecords((await Promise.all(paths.map(readRecords))).flat(), damage).filter(({ segments }) => segments.length > 0);
  const detector = createBuiltinPiiDetector({ assetsDirectory: packageAssets().languageData });
  const scores = records.map((record, index) => {
    onProgress?.(index + 1, records.length);
    return scorePii(record, detector);
  });
  return { ...makeScoreSheet(scores, piiMeasures), engine: "builtin", revision: "" };
}

async function readRecords(path: string): Promise<readonly LabelledRecord[]> {
  return parseLabelledData(await readFile(path, "utf8"));
}

/** By the same path as `process`: decoding, speech, words. `audio` is a path beside the file of labels. */
async function evaluateSpeech(config: Config, request: EvaluationRequest): Promise<Evaluation> {
  const labelled = await Promise.all(
    request.paths.map(async (path) =>
      recordsWith(recordsWith(await readRecords(path), "audio"), "text").map((record) => ({
        record,
        audio: resolve(dirname(path), record.fields.audio ?? ""),
      })),
    ),
  );
  const cases = labelled.flat();
  const scores: RecordScore[] = [];
  let revision = "";
  let engine = request.engine;
  const results = processRecordings(config, {
    paths: cases.map(({ audio }) => audio),
    language: "auto",
    includeTranslation: false,
    engine,
    signal: request.signal,
  });
  for await (const { result, error } of results) {
    const { record } = cases[scores.length] ?? {};
    if (record === undefined) break;
    if (error !== undefined) throw new AppError(error.code, `The recording of ${record.id}: ${error.safeMessage}`, { cause: error });
    const { transcript, models } = result;
    const made = models.find(({ task }) => task === "speech");
    [engine, revision] = [made?.engine ?? engine, made?.revision ?? revision];
    const counts: Record<string, number> = {};
    scoreRecognition(counts, transcriptText(record.segments), transcriptText(transcript?.segments ?? []));
    tally(counts, "recordings");
    scores.push({ id: record.id, counts, faults: (counts["word errors"] ?? 0) > 0 ? [`${counts["word errors"]} of ${counts["words"]} words wrong`] : [] });
    request.onProgress?.(scores.length, cases.length);
  }
  return { ...makeScoreSheet(scores, recognitionMeasures), engine, revision };
}
