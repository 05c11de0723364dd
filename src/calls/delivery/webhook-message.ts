/** What is sent to a webhook for one event: body and headers. Texts are masked, always. */
import { createHmac } from "node:crypto";
import type { CallEvent } from "../../core/call-event.js";
import type { Webhook } from "../../core/webhook.js";
import { toWireEvent } from "../../protocol/call-events.js";
import { type EnvelopeContext, messageIdOf, toOpenchsEnvelope, wrapOpenchsEnvelope } from "../../protocol/openchs-envelope.js";
import { coverEvent, type TextCover } from "../../security/masking/cover-text.js";

export interface WebhookMessage {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @returns undefined when this webhook is not told of the event. */
export function webhookMessage(
  webhook: Pick<Webhook, "format" | "eventTypes" | "target">,
  event: CallEvent,
  { cover, ...context }: EnvelopeContext & { readonly cover: TextCover },
): WebhookMessage | undefined {
  if (!webhook.eventTypes.includes(event.type)) return undefined;
  const masked = coverEvent(event, cover);
  const content = contentOf(webhook, masked, context);
  if (content === undefined) return undefined;
  const body = JSON.stringify(content);
  return {
    body,
    headers: {
      "content-type": "application/json",
      "openchs-message-id": messageIdOf(event),
      "openchs-signature": `sha256=${createHmac("sha256", webhook.target.secret).update(body).digest("hex")}`,
    },
  };
}

function contentOf({ format }: Pick<Webhook, "format">, event: CallEvent, context: EnvelopeContext): object | undefined {
  if (format === "events") return toWireEvent(event);
  const envelope = toOpenchsEnvelope(event, context);
  return envelope === undefined || format === "openchs" ? envelope : wrapOpenchsEnvelope(event, envelope);
}
