/** Contract of the `quality` task: marks against the rubric in force. */
import type { QualityScore } from "../core/quality-score.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface QualityInput {
  /** Channels matter: the counsellor is judged, on `agent` segments; on `mixed` most marks lack evidence. */
  readonly segments: readonly TranscriptSegment[];
}

/** Every item of the rubric, in its order. */
export interface QualityOutput {
  readonly quality: QualityScore;
}
