/** Contract of the `entities` task. */
import type { Entity } from "../core/entity.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface EntityInput {
  /** In time order; a plain text is one segment on channel `mixed`. */
  readonly segments: readonly TranscriptSegment[];
}

/** Entities by first mention; offsets are exact: `segment.text.slice(startOffset, endOffset) === mention.text`. */
export interface EntityOutput {
  readonly entities: readonly Entity[];
}
