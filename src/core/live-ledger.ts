/** The ledger of a channel while its call runs. Pure. */
import { type AudioLedger, sumLedgers } from "./analysis-result.js";
import type { Channel } from "./transcript.js";

/** Speech whose text is not settled yet stands apart until it is: all but `gapMs` add up to the milliseconds received. */
export interface LiveLedger extends AudioLedger {
  readonly pendingMs: number;
}

/** Of a call that runs, by channel and in all. */
export interface LiveAudio {
  readonly channels: readonly { readonly channel: Channel; readonly ledger: LiveLedger }[];
  readonly ledger: LiveLedger;
}

/** From exact times to whole milliseconds that add up: what is left of the rounding is silence. */
export function toLiveLedger(exact: Omit<LiveLedger, "silenceMs"> & { readonly receivedMs: number }): LiveLedger {
  const receivedMs = Math.floor(exact.receivedMs + 1e-6);
  const pausedMs = Math.min(receivedMs, Math.round(exact.pausedMs));
  const speechMs = Math.min(receivedMs - pausedMs, Math.floor(exact.speechMs));
  const failedMs = Math.min(receivedMs - pausedMs - speechMs, Math.floor(exact.failedMs));
  const pendingMs = Math.min(receivedMs - pausedMs - speechMs - failedMs, Math.floor(exact.pendingMs));
  const silenceMs = receivedMs - pausedMs - speechMs - failedMs - pendingMs;
  return { speechMs, silenceMs, pausedMs, failedMs, gapMs: Math.round(exact.gapMs), pendingMs };
}

/** Of a call that nobody listens to before its end: what came in is neither speech nor silence yet. */
export function unheardLedger(ledger: LiveLedger): LiveLedger {
  return { ...ledger, silenceMs: 0, pendingMs: ledger.silenceMs };
}

/** Over the channels of a call. */
export function sumLiveLedgers(ledgers: readonly LiveLedger[]): LiveLedger {
  return { ...sumLedgers(ledgers), pendingMs: ledgers.reduce((total, { pendingMs }) => total + pendingMs, 0) };
}
