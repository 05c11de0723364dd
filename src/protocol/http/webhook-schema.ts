/** Webhooks on the wire. Secrets go in and never come out. */
import { z } from "zod";
import { CALL_EVENT_TYPES } from "../../core/call-event.js";
import { WEBHOOK_FORMATS, type Webhook } from "../../core/webhook.js";

const address = z
  .string()
  .max(2_000)
  .refine((text) => URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol), "must be an http or https address");

export const newWebhookSchema = z.object({
  url: address,
  secret: z.string().min(16).max(200).describe("of the signature in openchs-signature (HMAC-SHA-256 of the body)"),
  authorization: z.string().max(2_000).optional().describe("sent as it is in Authorization, or to token_url"),
  token_url: address.optional().describe("a token is fetched there and sent as Bearer"),
  format: z.enum(WEBHOOK_FORMATS).default("events"),
  event_types: z.array(z.enum(CALL_EVENT_TYPES)).min(1).optional(),
});

export const webhookSchema = z.object({
  webhook_id: z.string(),
  host: z.string().describe("of the address; the rest may hold a secret"),
  format: z.enum(WEBHOOK_FORMATS),
  event_types: z.array(z.enum(CALL_EVENT_TYPES)),
  created_at: z.string(),
});
const count = z.int().min(0);
export const webhooksSchema = z.object({
  items: z.array(webhookSchema.extend({ calls_pending: count, calls_dead: count.describe("given up after a week; POST .../retry tries them again") })),
});
export const deadDeliveriesSchema = z.object({
  items: z.array(z.object({ call_id: z.string(), next_seq: count, attempts: count, failing_since: z.string().nullable() })),
});
export const retriedSchema = z.object({ calls: count });
export const webhookParametersSchema = z.object({ id: z.string().max(64) });

/** Writes a webhook as the wire has it. */
export function toWireWebhook({ webhookId, target, format, eventTypes, createdAtMs }: Webhook): z.infer<typeof webhookSchema> {
  return { webhook_id: webhookId, host: new URL(target.url).host, format, event_types: [...eventTypes], created_at: new Date(createdAtMs).toISOString() };
}
