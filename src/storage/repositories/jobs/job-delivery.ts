/** What passes between the job table and those who run its jobs. */

/** One claim of a job. */
export interface Delivery {
  readonly jobId: string;
  readonly delivery: number;
}

/** How a delivery ended, or how far it has come. */
export type Settlement =
  | {
      readonly kind: "finished";
      readonly jobId: string;
      readonly delivery: number;
      readonly status: string;
      readonly errorCode: string | null;
      readonly atMs: number;
    }
  | {
      readonly kind: "requeued";
      readonly jobId: string;
      readonly delivery: number;
      readonly atMs: number;
      readonly runAtMs: number;
      readonly spendsAttempt: boolean;
      readonly errorCode: string | null;
      /** The queue it is handed on to. */
      readonly queue?: string;
    }
  | { readonly kind: "progress"; readonly jobId: string; readonly delivery: number; readonly progress: number; readonly step: string };

export interface Claim {
  readonly queue: string;
  readonly limit: number;
  readonly nowMs: number;
  readonly leaseUntilMs: number;
}
