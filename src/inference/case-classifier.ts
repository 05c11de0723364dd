/** Contract of the `classification` task: contact type, case category, intervention, priority. */
import type { CaseClassification } from "../core/case-classification.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface ClassificationInput {
  readonly segments: readonly TranscriptSegment[];
}

/** Labels come from the taxonomy in force; a null label means not enough evidence. */
export interface ClassificationOutput {
  readonly classification: CaseClassification;
}
