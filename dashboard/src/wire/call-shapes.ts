/** The shapes of calls, findings and measurements as the gateway sends them (docs/openapi.json and the live contract), names unchanged. */

export type Channel = "caller" | "agent" | "mixed";

export const LEVELS = ["low", "medium", "high", "critical"] as const;
export type Level = (typeof LEVELS)[number];

export const CONTACT_TYPES = ["counselling", "information", "silent", "prank", "wrong_number"] as const;

export const RISK_KINDS = [
  "suicide_self_harm",
  "sexual_violence",
  "physical_violence",
  "immediate_danger",
  "abduction",
  "trafficking",
  "early_marriage_fgm",
  "severe_neglect",
  "weapons",
  "drugs",
  "run_away",
  "threats",
] as const;
export type RiskKind = (typeof RISK_KINDS)[number];

export const CLASSIFICATION_HEADS = ["contact_type", "main_category", "sub_category", "intervention", "priority"] as const;
export type ClassificationHead = (typeof CLASSIFICATION_HEADS)[number];

export type CallPhase = "ringing" | "active" | "paused" | "ending" | "ended" | "failed";

/** What stands in place of every text for roles that may not read it. */
export const WITHHELD = "[withheld]";

/** The words a claim rests on; offsets are UTF-16 units into the segment's text, half-open. */
export interface Evidence {
  readonly segment_id: string;
  readonly start_offset: number;
  readonly end_offset: number;
  readonly text: string;
  readonly channel: Channel;
  readonly start_ms: number;
  readonly end_ms: number;
}

export interface Segment {
  readonly id: string;
  readonly channel: Channel;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
  readonly language: string;
  readonly score: number | null;
  readonly suspect?: "loop" | "phantom";
}

export interface Entity {
  readonly label: string;
  readonly text: string;
  readonly score: number;
  readonly mentions: readonly Evidence[];
}

/** `label: null` means "not enough evidence", which is an answer. */
export interface LabelDecision {
  readonly label: string | null;
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

export type Classification = Readonly<Record<ClassificationHead, LabelDecision>>;

export interface RiskFinding {
  readonly kind: string;
  readonly level: Level;
  readonly score: number;
  readonly evidence: readonly Evidence[];
  readonly at_ms: number;
  /** By language: what would make it less grave. */
  readonly lowered_by?: Readonly<Record<string, readonly string[]>>;
}

export interface Summary {
  readonly text: string;
  readonly sentences: readonly { readonly text: string; readonly evidence: readonly Evidence[] }[];
}

/** One question of the case form; `answer: null` means that the call does not say. */
export interface CaseAnswer {
  readonly id: string;
  readonly question: string;
  readonly answer: string | null;
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

export type QualityMark = "met" | "not_met" | "not_enough_evidence";

export interface QualityItem {
  readonly item: string;
  readonly mark: QualityMark;
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

export interface Quality {
  readonly heads: readonly { readonly head: string; readonly items: readonly QualityItem[] }[];
}

export interface Translation {
  readonly language: string;
  readonly segments: readonly { readonly segment_id: string; readonly text: string }[];
}

/** Where every millisecond of a channel went. */
export interface Ledger {
  readonly speech_ms: number;
  readonly silence_ms: number;
  readonly paused_ms: number;
  readonly failed_ms: number;
  readonly gap_ms: number;
  readonly pending_ms?: number;
}

export interface CallAudio {
  readonly channels: readonly { readonly channel: Channel; readonly ledger: Ledger }[];
  readonly ledger: Ledger;
}

export interface LiveCall {
  readonly call_id: string;
  readonly state: CallPhase;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly agent_id?: string;
  readonly languages: readonly string[];
  readonly lag_ms: number | null;
  readonly risk_kinds: readonly string[];
  readonly text_engine: string | null;
  readonly warnings: readonly string[];
  readonly audio: CallAudio;
}

/** A call as the list of calls shows it. */
export interface CallRecord {
  readonly call_id: string;
  readonly source: "upload" | "live";
  readonly direction: "inbound" | "outbound" | "unknown";
  readonly status: "queued" | "processing" | "completed" | "failed" | "cancelled";
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly duration_ms: number | null;
  readonly agent_id?: string;
  readonly languages: readonly string[];
}

/** A call in which searched words were said, with the first masked lines that hold one. */
export interface FoundCall {
  readonly call: CallRecord;
  readonly passages: readonly { readonly start_ms: number; readonly text: string }[];
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface Analysis {
  readonly status: CallRecord["status"];
  readonly audio: (CallAudio & { readonly duration_ms: number }) | null;
  readonly transcript: { readonly segments: readonly Segment[] } | null;
  readonly translation: Translation | null;
  readonly entities: readonly Entity[] | null;
  readonly classification: Classification | null;
  readonly risk: readonly RiskFinding[] | null;
  readonly summary: Summary | null;
  readonly answers: readonly CaseAnswer[] | null;
  readonly quality: Quality | null;
  readonly warnings: readonly string[];
}

/** What a person said of one item of an analysis. */
export interface Feedback {
  readonly feedback_id: string;
  readonly task: string;
  readonly item: string | null;
  readonly rating: number | null;
  readonly correction: { readonly label?: string; readonly text?: string } | null;
  readonly created_at: string;
}
