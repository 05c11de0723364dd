/** The tables as a backup has them: parents before what refers to them, each with the columns that tell its rows apart. */
import type { DatabaseSchema } from "../schema.js";

export interface BackedUpTable {
  readonly name: keyof DatabaseSchema & string;
  /** Rows are read and written in this order. */
  readonly key: readonly [string] | readonly [string, string];
  /** Counted up by the database itself: written anew, in the order of the rows. */
  readonly countedColumn?: string;
}

export const BACKED_UP_TABLES: readonly BackedUpTable[] = [
  { name: "master_key_check", key: ["id"] },
  { name: "api_key", key: ["key_id"] },
  { name: "audit_record", key: ["seq"] },
  { name: "audit_head", key: ["id"] },
  { name: "deletion_receipt", key: ["receipt_id"] },
  { name: "call", key: ["call_id"] },
  { name: "call_leg", key: ["call_id", "stream_id"] },
  { name: "recording", key: ["recording_id"] },
  { name: "live_call", key: ["call_id"] },
  { name: "call_task", key: ["task_id"] },
  { name: "transcript_segment", key: ["task_id", "segment_id"] },
  { name: "analysis_stage", key: ["task_id", "stage"] },
  { name: "analysis", key: ["task_id"] },
  { name: "call_text", key: ["position"] },
  { name: "call_text_due", key: ["call_id"] },
  { name: "call_event", key: ["call_id", "seq"] },
  { name: "agent_feedback", key: ["feedback_id"] },
  { name: "batch", key: ["batch_id"] },
  { name: "batch_item", key: ["batch_id", "position"] },
  { name: "model_task", key: ["task_id"] },
  { name: "webhook", key: ["webhook_id"] },
  { name: "webhook_cursor", key: ["webhook_id", "call_id"] },
  { name: "job", key: ["enqueue_seq"], countedColumn: "enqueue_seq" },
];
