/**
 * One question to one model, outside of any call: what is asked, and what came back. Whoever asks supplies the text or
 * the sound and gets the answer in clear; nobody else does.
 */
import type { CallSummary } from "./call-summary.js";
import type { CaseClassification } from "./case-classification.js";
import type { Entity } from "./entity.js";
import type { Evidence } from "./evidence.js";
import type { LanguageTag } from "./language.js";
import type { ModelRevision, ModelTask } from "./model-task.js";
import type { QualityScore } from "./quality-score.js";
import type { Transcript, TranscriptSegment } from "./transcript.js";

/** Model tasks that can be asked on their own. */
export const ASKABLE_TASKS = [
  "speech",
  "translation",
  "entities",
  "classification",
  "summary",
  "quality",
  "question_answering",
] as const satisfies readonly ModelTask[];
export type AskableTask = (typeof ASKABLE_TASKS)[number];

export interface ModelQuestions {
  /** The sound is kept apart, in the audio store. */
  readonly speech: { readonly language: LanguageTag | "auto"; readonly engine: string };
  readonly translation: { readonly text: string; readonly language: LanguageTag; readonly targetLanguage: LanguageTag };
  readonly entities: { readonly text: string };
  readonly classification: { readonly text: string };
  readonly summary: { readonly text: string };
  readonly quality: { readonly text: string };
  /** Of a text, or, with `segments`, of a call's transcript. */
  readonly question_answering: { readonly question: string; readonly text: string; readonly segments?: readonly TranscriptSegment[] };
}

/** Offsets are into the text that was sent; of a call, into the segment named. */
export interface ModelAnswers {
  readonly speech: { readonly transcript: Transcript; readonly durationMs: number; readonly warnings: readonly string[] };
  readonly translation: { readonly text: string; readonly language: LanguageTag };
  readonly entities: readonly Entity[];
  readonly classification: CaseClassification;
  readonly summary: CallSummary;
  readonly quality: QualityScore;
  readonly question_answering: { readonly answer: string | null; readonly score: number; readonly evidence: readonly Evidence[] };
}

/** A question with its kind. */
export type ModelQuestion = { [Task in AskableTask]: { readonly modelTask: Task; readonly question: ModelQuestions[Task] } }[AskableTask];

/** An answer with its kind and what made it. */
export type MadeAnswer = {
  [Task in AskableTask]: { readonly modelTask: Task; readonly answer: ModelAnswers[Task]; readonly model: ModelRevision };
}[AskableTask];

/** As it is kept: with how long it took. */
export type ModelAnswer = MadeAnswer & { readonly processingMs: number };
