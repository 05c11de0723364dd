/** Contract of the `summary` task. */

import type { CallSummary } from "../core/call-summary.js";
import type { CaseClassification } from "../core/case-classification.js";
import type { Entity } from "../core/entity.js";
import type { TranscriptSegment } from "../core/transcript.js";
import type { TranslationOutput } from "./translator.js";

export interface SummaryInput {
  readonly segments: readonly TranscriptSegment[];
  /** What earlier stages found; a summarizer may use it and must work without it. */
  readonly entities?: readonly Entity[];
  readonly classification?: CaseClassification;
  /** For engines that read fewer languages than are spoken; evidence is in what was said all the same. */
  readonly translation?: TranslationOutput;
}

export interface SummaryOutput {
  readonly summary: CallSummary;
}
