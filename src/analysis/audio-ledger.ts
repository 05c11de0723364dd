/** The ledger: where every received millisecond of a channel went. Pure. */
import type { AudioLedger } from "../core/analysis-result.js";

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface LedgerInput {
  readonly receivedMs: number;
  readonly pausedMs?: number;
  readonly gapMs?: number;
  /** Where sound was received, when that is not everywhere; sorted. */
  readonly spans?: readonly Span[];
  readonly utterances: readonly Span[];
  /** Whether the utterance at this index became words. */
  readonly isTranscribed: (utteranceIndex: number) => boolean;
}

/** speech + silence + paused + failed = received, always. */
export function recordingLedger({ receivedMs, pausedMs = 0, gapMs = 0, spans, utterances, isTranscribed }: LedgerInput): AudioLedger {
  const received = spans ?? [{ startMs: 0, endMs: receivedMs }];
  let speechMs = 0;
  let failedMs = 0;
  for (const [index, utterance] of utterances.entries()) {
    const spanMs = overlapMs(utterance, received);
    if (isTranscribed(index)) speechMs += spanMs;
    else failedMs += spanMs;
  }
  // The ends of spans are rounded: the sum never is.
  speechMs = Math.min(speechMs, receivedMs - pausedMs);
  failedMs = Math.min(failedMs, receivedMs - pausedMs - speechMs);
  return { speechMs, failedMs, silenceMs: receivedMs - pausedMs - speechMs - failedMs, pausedMs, gapMs };
}

function overlapMs({ startMs, endMs }: Span, spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + Math.max(0, Math.min(endMs, span.endMs) - Math.max(startMs, span.startMs)), 0);
}
