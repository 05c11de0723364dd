/** Webhooks: where the helpline's own system is told what happens on calls, and in which words. */
import type { CallEventType } from "./call-event.js";

/** `events`: our events, signed. `openchs`: the older service's envelope v2.0; `openchs_base64`: the same in its base64 wrapper. */
export const WEBHOOK_FORMATS = ["events", "openchs", "openchs_base64"] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** Kept sealed: the address may hold a secret as well. */
export interface WebhookTarget {
  readonly url: string;
  /** Of the signature; at least 16 characters. */
  readonly secret: string;
  /** Sent as it is in `Authorization`. */
  readonly authorization?: string;
  /** A token is fetched there with `authorization`, and sent as Bearer. */
  readonly tokenUrl?: string;
}

export interface Webhook {
  readonly webhookId: string;
  readonly target: WebhookTarget;
  readonly format: WebhookFormat;
  readonly eventTypes: readonly CallEventType[];
  readonly createdAtMs: number;
}

/** `dead`: it failed for days; a person has it tried again. */
export const DELIVERY_STATUSES = ["pending", "idle", "dead"] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** How far a call's events have come. */
export interface DeliveryCursor {
  readonly webhookId: string;
  readonly callId: string;
  /** Of the next event to deliver. */
  readonly nextSeq: number;
  readonly status: DeliveryStatus;
  /** Failures in a row. */
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly failingSinceMs: number | null;
}

/** What is told unless somebody chooses: no interim text and no numbers. */
export const DEFAULT_WEBHOOK_EVENTS: readonly CallEventType[] = [
  "call.started",
  "segment.final",
  "translation.added",
  "entities.updated",
  "classification.updated",
  "risk.raised",
  "risk.acknowledged",
  "summary.updated",
  "answers.updated",
  "quality.updated",
  "call.ended",
  "analysis.completed",
  "call.failed",
];
