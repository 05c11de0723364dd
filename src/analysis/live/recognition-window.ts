/** What a live channel hands to a recognizer, and what became of it. */
import type { ErrorCode } from "../../core/errors.js";
import type { TranscriptSegment } from "../../core/transcript.js";
import type { PcmWindow, RecognizedUtterance } from "../../inference/speech-recognizer.js";

/** Times are milliseconds of the channel's audio time. */
export interface RecognitionWindow {
  /** `final` settles what was said up to its end; `interim` is a look at speech in progress. */
  readonly kind: "final" | "interim";
  readonly segmentId: string;
  readonly startMs: number;
  readonly endMs: number;
  /** With some sound before and after, so that no first sound is lost. */
  readonly audio: PcmWindow;
  /** Where `startMs` lies in `audio`. */
  readonly leadMs: number;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

export type RecognitionAnswer =
  | { readonly heard: RecognizedUtterance | undefined; readonly lowQuality: boolean; readonly errorCode?: undefined }
  | { readonly errorCode: ErrorCode; readonly heard?: undefined };

/** Times are call time. */
export type LiveOutcome =
  | {
      readonly kind: "interim";
      readonly segment: TranscriptSegment;
      /** Code units at the start of the text that are not expected to change. */
      readonly stableLength: number;
    }
  | { readonly kind: "final"; readonly segment: TranscriptSegment; readonly lowQuality: boolean }
  /** Speech without words: nothing was recognized, or it could not be. An interim text of it is to be taken back. */
  | { readonly kind: "failed"; readonly segmentId: string; readonly startMs: number; readonly endMs: number; readonly errorCode?: ErrorCode };
