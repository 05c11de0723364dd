/** The ledger: where every received millisecond of a channel went. Pure. */
import type { AudioLedger } from "../core/analysis-result.js";

export interface LedgerInput {
  readonly receivedMs: number;
  readonly utterances: readonly { readonly startMs: number; readonly endMs: number }[];
  /** Whether the utterance at this index became words. */
  readonly isTranscribed: (utteranceIndex: number) => boolean;
}

/** speech + silence + paused + failed = received, always. */
export function recordingLedger({ receivedMs, utterances, isTranscribed }: LedgerInput): AudioLedger {
  let speechMs = 0;
  let failedMs = 0;
  for (const [index, { startMs, endMs }] of utterances.entries()) {
    const spanMs = Math.max(0, Math.min(endMs, receivedMs) - startMs);
    if (isTranscribed(index)) speechMs += spanMs;
    else failedMs += spanMs;
  }
  return { speechMs, failedMs, silenceMs: receivedMs - speechMs - failedMs, pausedMs: 0, gapMs: 0 };
}

export function sumLedgers(ledgers: readonly AudioLedger[]): AudioLedger {
  const sum = (pick: (ledger: AudioLedger) => number): number => ledgers.reduce((total, ledger) => total + pick(ledger), 0);
  return {
    speechMs: sum((ledger) => ledger.speechMs),
    silenceMs: sum((ledger) => ledger.silenceMs),
    pausedMs: sum((ledger) => ledger.pausedMs),
    failedMs: sum((ledger) => ledger.failedMs),
    gapMs: sum((ledger) => ledger.gapMs),
  };
}
