/** Contract of the `classification` task: contact type, case category, intervention, priority. */
import type { CaseClassification } from "../core/case-classification.js";
import type { TranscriptSegment } from "../core/transcript.js";
import type { TranslationOutput } from "./translator.js";

export interface ClassificationInput {
  readonly segments: readonly TranscriptSegment[];
  /** For engines that read fewer languages than are spoken; evidence is in what was said all the same. */
  readonly translation?: TranslationOutput;
}

/** Labels come from the taxonomy in force; a null label means not enough evidence. */
export interface ClassificationOutput {
  readonly classification: CaseClassification;
}
