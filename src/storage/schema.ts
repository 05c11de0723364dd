/**
 * The tables as types; the migrations make them. Times are epoch milliseconds UTC; booleans are 0 or 1; JSON is text.
 * Every personal text is `SealedText`, so that plain text in such a column does not compile.
 */
import type { Generated } from "kysely";
import type { SealedText } from "../security/sealing/sealed-text.js";

export interface CallTable {
  call_id: string;
  external_id: string | null;
  source: string;
  direction: string;
  status: string;
  mode: string;
  /** JSON array of BCP 47 tags. */
  languages: string;
  agent_id: string | null;
  /** Keyed hash of the caller's number. */
  caller_ref: string | null;
  legal_hold: number;
  started_at_ms: number;
  ended_at_ms: number | null;
  duration_ms: number | null;
  /** The call's data key, wrapped by the master key; destroying it destroys the call's texts and audio. */
  wrapped_key: SealedText;
}

export interface CallLegTable {
  call_id: string;
  stream_id: string;
  channel: string;
}

export interface RecordingTable {
  recording_id: string;
  call_id: string;
  kind: string;
  /** Key in the audio store. */
  audio_key: string;
  container: string;
  byte_count: number;
  /** Keyed hash of the content. */
  fingerprint: string | null;
  created_at_ms: number;
}

export interface TranscriptSegmentTable {
  segment_id: string;
  call_id: string;
  task_id: string;
  seq: number;
  channel: string;
  start_ms: number;
  end_ms: number;
  language: string;
  score: number | null;
  text_sealed: SealedText;
  words_sealed: SealedText | null;
}

/** One row per task and stage: a retry redoes only what failed. */
export interface AnalysisStageTable {
  task_id: string;
  stage: string;
  call_id: string;
  status: string;
  error_code: string | null;
  duration_ms: number;
  finished_at_ms: number;
  output_sealed: SealedText | null;
}

export interface AnalysisTable {
  task_id: string;
  call_id: string;
  status: string;
  completed_at_ms: number;
  result_sealed: SealedText;
}

export interface CallEventTable {
  call_id: string;
  seq: number;
  type: string;
  at_ms: number;
  payload_sealed: SealedText;
}

/** Which task works on which call; task ids rise with time. */
export interface CallTaskTable {
  task_id: string;
  call_id: string;
}

export interface BatchTable {
  batch_id: string;
  created_at_ms: number;
}

export interface BatchItemTable {
  batch_id: string;
  /** 0, 1, 2, ... in the order of the request. */
  position: number;
  /** Null: refused, with the code. */
  task_id: string | null;
  error_code: string | null;
}

export interface ModelTaskTable {
  task_id: string;
  model_task: string;
  /** Hash of who asked. */
  actor_id: string;
  wrapped_key: SealedText;
  question_sealed: SealedText;
  answer_sealed: SealedText | null;
  audio_key: string | null;
  container: string | null;
  created_at_ms: number;
}

export interface AgentFeedbackTable {
  feedback_id: string;
  call_id: string;
  task_id: string;
  task: string;
  item: string | null;
  rating: number | null;
  /** 1: the model was right, 0: it was not, null: neither was said. */
  agrees: number | null;
  is_corrected: number;
  predicted_label: string | null;
  corrected_label: string | null;
  model_task: string;
  engine: string;
  model_id: string;
  revision: string;
  actor_id: string;
  created_at_ms: number;
  words_sealed: SealedText;
}

export interface LiveCallTable {
  call_id: string;
  task_id: string;
  language: string;
  extension: string | null;
  queue_name: string | null;
  /** 1: two legs on two channels. */
  is_paired: number;
  /** Null: it runs, or the process died. */
  end_reason: string | null;
  /** JSON: where audio of each channel was received. Times only. */
  coverage: string | null;
  /** Which process takes it, where there are several. */
  stream_id: string | null;
}

export interface WebhookTable {
  webhook_id: string;
  wrapped_key: SealedText;
  /** Address, secret and credentials. */
  target_sealed: SealedText;
  format: string;
  /** JSON array. */
  event_types: string;
  created_at_ms: number;
}

export interface WebhookCursorTable {
  webhook_id: string;
  call_id: string;
  next_seq: number;
  status: string;
  attempts: number;
  next_attempt_at_ms: number;
  failing_since_ms: number | null;
}

export interface JobTable {
  job_id: string;
  /** Where it waits or runs; it may have been handed on to there. */
  queue: string;
  /** Where it was put first: idempotency keys are told apart by that. */
  enqueued_in: string;
  job_name: string;
  /** JSON of ids and settings; never anything said or known of a caller. */
  payload: string;
  status: string;
  /** Higher first. */
  priority: number;
  run_at_ms: number;
  /** Rises with every claim and never falls: tells one delivery of a job from the next. */
  delivery: number;
  /** Handler calls that count against `max_attempts`. */
  attempt: number;
  max_attempts: number;
  stall_count: number;
  lease_until_ms: number | null;
  cancel_requested: number;
  progress: number;
  step: string;
  idempotency_key: string | null;
  error_code: string | null;
  created_at_ms: number;
  finished_at_ms: number | null;
}

export interface CountedJobTable extends JobTable {
  /** The database counts it up with every job: the order they came in. */
  enqueue_seq: Generated<number>;
}

export interface ApiKeyTable {
  key_id: string;
  secret_hash: string;
  role: string;
  label: string;
  created_at_ms: number;
  revoked_at_ms: number | null;
}

export interface AuditRecordTable {
  seq: number;
  at_ms: number;
  actor_id: string;
  role: string;
  action: string;
  target: string;
  outcome: string;
  previous_mac: string;
  mac: string;
}

export interface AuditHeadTable {
  id: number;
  seq: number;
  mac: string;
  head_mac: string;
}

export interface DeletionReceiptTable {
  receipt_id: string;
  call_id: string;
  part: string;
  reason: string;
  actor_id: string;
  deleted_at_ms: number;
  recordings: number;
  tasks: number;
  key_destroyed: number;
  /** JSON array: audio that still has to go. */
  audio_keys: string;
  completed_at_ms: number | null;
  mac: string;
}

/** What is searched: masked, sealed, and found by digests of its words. */
export interface CallTextTable {
  /** Rises with the time the call began. */
  position: number;
  call_id: string;
  /** JSON array of [startMs, masked text]. */
  passages_sealed: SealedText;
  /** Keyed digests of every word of it and of how they begin, separated by spaces. */
  words: string;
}

/** Calls whose texts have changed since they were indexed. */
export interface CallTextDueTable {
  call_id: string;
}

export interface MasterKeyCheckTable {
  id: number;
  fingerprint: string;
}

export interface DatabaseSchema {
  call: CallTable;
  call_leg: CallLegTable;
  recording: RecordingTable;
  transcript_segment: TranscriptSegmentTable;
  analysis_stage: AnalysisStageTable;
  analysis: AnalysisTable;
  call_event: CallEventTable;
  call_task: CallTaskTable;
  model_task: ModelTaskTable;
  agent_feedback: AgentFeedbackTable;
  live_call: LiveCallTable;
  webhook: WebhookTable;
  webhook_cursor: WebhookCursorTable;
  batch: BatchTable;
  batch_item: BatchItemTable;
  job: CountedJobTable;
  api_key: ApiKeyTable;
  audit_record: AuditRecordTable;
  audit_head: AuditHeadTable;
  call_text: CallTextTable;
  call_text_due: CallTextDueTable;
  deletion_receipt: DeletionReceiptTable;
  master_key_check: MasterKeyCheckTable;
}
