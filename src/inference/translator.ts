/** Contract of the `translation` task. No builtin engine does it: the stage then says which command installs one. */
import type { LanguageTag } from "../core/language.js";
import type { TranscriptSegment } from "../core/transcript.js";

export interface TranslationInput {
  readonly segments: readonly TranscriptSegment[];
  readonly targetLanguage: LanguageTag;
}

/** One entry per input segment, in order. */
export interface TranslationOutput {
  readonly language: LanguageTag;
  readonly segments: readonly { readonly segmentId: string; readonly text: string }[];
}
