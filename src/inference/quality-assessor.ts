/** Contract of the `quality` task: marks against the rubric in force. */
import type { QualityScore } from "../core/quality-score.js";
import type { TranscriptSegment } from "../core/transcript.js";
import type { TranslationOutput } from "./translator.js";

export interface QualityInput {
  /** Channels matter: the counsellor is judged, on `agent` segments; on `mixed` most marks lack evidence. */
  readonly segments: readonly TranscriptSegment[];
  /** For engines that read fewer languages than are spoken; evidence is in what was said all the same. */
  readonly translation?: TranslationOutput;
}

/** Every item of the rubric, in its order. */
export interface QualityOutput {
  readonly quality: QualityScore;
}
