/** Contract of the `language` task: the language of each segment that came without one. */
import type { LanguageTag } from "../core/language.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface LanguageInput {
  /** In time order. One that has a language keeps it, and is what short neighbours take theirs from. */
  readonly segments: readonly TranscriptSegment[];
}

/** One entry for each segment that was `und`, in order: a tag, `mixed`, or `und` where nothing tells. */
export interface LanguageOutput {
  readonly segments: readonly { readonly segmentId: string; readonly language: LanguageTag }[];
}
