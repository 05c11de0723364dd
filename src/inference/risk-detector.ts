/** Contract of the `risk` task. */
import type { RiskFinding } from "../core/risk.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface RiskInput {
  readonly segments: readonly TranscriptSegment[];
}

/** At most one finding per kind, highest level first; each has evidence. */
export interface RiskOutput {
  readonly risks: readonly RiskFinding[];
}
