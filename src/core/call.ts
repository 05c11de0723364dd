/** A call: one telephone conversation, live or recorded, from its first leg to its last. */
import type { Channel } from "./transcript.js";

/** `synthetic`: the service's own call, by which it sees that calls get through. It is in no list, search or delivery, and deleted at once. */
export const CALL_SOURCES = ["upload", "live", "synthetic"] as const;
export type CallSource = (typeof CALL_SOURCES)[number];

/** The one vocabulary of work, on calls and on jobs alike. */
export const WORK_STATUSES = ["queued", "processing", "completed", "failed", "cancelled"] as const;
export type WorkStatus = (typeof WORK_STATUSES)[number];

/** Completed, failed or cancelled: no work is left to do. */
export function isEndedStatus(status: WorkStatus): boolean {
  return status !== "queued" && status !== "processing";
}

/** When a call is analysed: `realtime` while it runs, `post_call` after it, `both`, or `adaptive` by load. */
export const PROCESSING_MODES = ["realtime", "post_call", "both", "adaptive"] as const;
export type ProcessingMode = (typeof PROCESSING_MODES)[number];

/** The older service's two vocabularies. */
const PROCESSING_MODE_ALIASES: Readonly<Record<string, ProcessingMode>> = {
  streaming: "realtime",
  realtime_only: "realtime",
  postcall_only: "post_call",
  postcall: "post_call",
  dual: "both",
  hybrid: "both",
};

/** @returns a mode for one of its names or of the older service's; the name itself when it is none */
export function toProcessingMode(name: string): string {
  return Object.hasOwn(PROCESSING_MODE_ALIASES, name) ? (PROCESSING_MODE_ALIASES[name] ?? name) : name;
}

export interface CallLeg {
  readonly streamId: string;
  readonly channel: Channel;
}

/** Times are epoch milliseconds UTC. No field holds a name, a number or anything that was said. */
export interface CallRecord {
  readonly callId: string;
  readonly externalId?: string;
  readonly source: CallSource;
  readonly direction: "inbound" | "outbound" | "unknown";
  readonly status: WorkStatus;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly durationMs: number | null;
  readonly legs: readonly CallLeg[];
  readonly agentId?: string;
  readonly extension?: string;
  readonly queue?: string;
  readonly languages: readonly string[];
  readonly mode: ProcessingMode;
  readonly legalHold: boolean;
}

/** `call`: everything; `texts`: what was said and found in it; `audio`: its recordings. */
export const DELETED_PARTS = ["call", "texts", "audio"] as const;
export type DeletedPart = (typeof DELETED_PARTS)[number];

export const DELETION_REASONS = ["request", "retention"] as const;
export type DeletionReason = (typeof DELETION_REASONS)[number];

/** Ids, numbers and closed words only. Times are epoch milliseconds UTC. */
export interface DeletionReceipt {
  readonly receiptId: string;
  readonly callId: string;
  readonly part: DeletedPart;
  readonly reason: DeletionReason;
  readonly actorId: string;
  readonly deletedAtMs: number;
  /** How many recordings and tasks went. */
  readonly recordings: number;
  readonly tasks: number;
  /** Whether the call's key was destroyed: what copies of its texts and audio there may be elsewhere can't be read with what is stored here. */
  readonly keyDestroyed: boolean;
  /** When its audio files were gone as well; null while they still have to go. */
  readonly completedAtMs: number | null;
}
