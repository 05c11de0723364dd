/** Which calls a list shows, and where a page of it begins. */
import type { CallSource, WorkStatus } from "./call.js";

export interface CallFilter {
  readonly status?: WorkStatus;
  readonly source?: CallSource;
  /** BCP 47 tag spoken on the call. */
  readonly language?: string;
  readonly agentId?: string;
  /** Epoch milliseconds, inclusive. */
  readonly startedFromMs?: number;
  /** Epoch milliseconds, exclusive. */
  readonly startedBeforeMs?: number;
}

/** The last call of a page: the next begins after it. */
export interface CallPosition {
  readonly startedAtMs: number;
  readonly callId: string;
}
