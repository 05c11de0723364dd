/**
 * The older service's notification envelope v2.0, made from our events, for helpline systems that know nothing else. What it
 * made up (a score of 0.90 for every text) is left out; its numbers and names are kept.
 *
 * @see openchlai/ai, ai_service/app/services/enhanced_notification_service.py and app/models/notification_types.py
 */
import { createHash } from "node:crypto";
import type { CallEvent } from "../core/call-event.js";
import { toWireCase } from "./wire-case.js";

export interface EnvelopeContext {
  /** The call had ended when this happened: it is about the whole of it. */
  readonly isPostCall: boolean;
}

interface Notification {
  readonly type: string;
  readonly payload: object;
  readonly status?: "success" | "in_progress" | "error";
  readonly error?: { readonly error_type: string; readonly error_message: string; readonly component: string };
  readonly ui?: { readonly priority: number; readonly display_panel: string; readonly requires_action: boolean; readonly alert_type: string };
}

/** @returns undefined for events the older service had no word for. */
export function toOpenchsEnvelope(event: CallEvent, { isPostCall }: EnvelopeContext): object | undefined {
  const notification = toNotification(event, isPostCall ? "postcall" : "streaming");
  if (notification === undefined) return undefined;
  const { type, payload, status = "success", error = null, ui = null } = notification;
  return {
    version: "2.0",
    message_id: messageIdOf(event),
    timestamp: new Date(event.atMs).toISOString(),
    processing_mode: isPostCall ? "post_call" : "streaming",
    call_metadata: { call_id: event.callId },
    ...{ notification_type: type, payload, status, error, ui_metadata: ui },
  };
}

/** The wrapper of USE_BASE64_ENCODING. */
export function wrapOpenchsEnvelope(event: CallEvent, envelope: object): object {
  return {
    ...{ channel: "aii", session_id: event.callId, message_id: messageIdOf(event), timestamp: new Date(event.atMs).toISOString() },
    ...{ from: "gateway", mime: "application/json", message: Buffer.from(JSON.stringify(envelope)).toString("base64") },
  };
}

/** The same for each delivery of an event, so that a receiver can tell a repetition. */
export function messageIdOf({ callId, seq }: Pick<CallEvent, "callId" | "seq">): string {
  const hex = createHash("sha256").update(`${callId}/${seq}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const panel = (displayPanel: string, priority: number) => ({ priority, display_panel: displayPanel, requires_action: false, alert_type: "info" });

function toNotification(event: CallEvent, prefix: "streaming" | "postcall"): Notification | undefined {
  const wire = toWireCase(event.payload) as Record<string, unknown>;
  switch (event.type) {
    case "call.started":
      return { type: event.payload.source === "live" ? "streaming_call_start" : "postcall_start", payload: {}, status: "in_progress" };
    case "call.ended":
      return { type: "streaming_call_end", payload: { duration_ms: event.payload.durationMs, reason: event.payload.reason } };
    case "segment.final": {
      const { id, text } = event.payload.segment;
      const words = text.split(/\s+/u).filter((word) => word !== "").length;
      return {
        type: `${prefix}_transcription`,
        payload: { segment_id: id, segment_text: text, word_count: words, segment: wire["segment"] },
        ui: panel("transcript", 1),
      };
    }
    case "translation.added":
      return { type: `${prefix}_translation`, payload: { translation: wire["translation"] }, ui: panel("translation", 2) };
    case "entities.updated":
      return { type: `${prefix}_entities`, payload: { entities: wire["entities"], entity_count: event.payload.entities.length }, ui: panel("entities", 1) };
    case "classification.updated":
      return { type: `${prefix}_classification`, payload: { classification: wire["classification"] }, ui: panel("classification", 1) };
    case "summary.updated":
      return { type: `${prefix}_summary`, payload: { summary: event.payload.summary.text }, ui: panel("summary", 3) };
    case "quality.updated":
      return { type: "postcall_qa_scoring", payload: { qa_scores: wire["quality"] }, ui: panel("quality", 3) };
    case "risk.raised":
      return {
        ...{ type: `${prefix}_insights`, payload: { risk: wire["finding"], risk_level: event.payload.finding.level } },
        ui: { priority: 1, display_panel: "insights", requires_action: true, alert_type: event.payload.finding.level === "critical" ? "critical" : "warning" },
      };
    case "analysis.completed":
      return {
        type: "postcall_complete",
        payload: { status: event.payload.isPartial ? "partial" : "completed" },
        ui: { ...panel("insights", 1), requires_action: true },
      };
    case "call.failed": {
      const { errorCode, status } = event.payload;
      return { type: "system_processing_error", payload: {}, status: "error", error: { error_type: errorCode, error_message: status, component: "analysis" } };
    }
    default:
      return undefined;
  }
}
