/** The use cases of webhooks: made, listed, tried out, removed, and dead deliveries tried again. */
import type { CallEventType } from "../../core/call-event.js";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import { newId } from "../../core/ids.js";
import { DEFAULT_WEBHOOK_EVENTS, type DeliveryCursor, type Webhook, type WebhookFormat, type WebhookTarget } from "../../core/webhook.js";
import { type AuditSink, recordAllowed } from "../../security/audit-record.js";
import type { Authorized } from "../../security/authorization.js";
import type { DeliveryCounts, WebhookRepository } from "../../storage/repositories/webhook-repository.js";
import { sendTest, type WebhookDelivery } from "./webhook-delivery.js";
import type { WebhookSender } from "./webhook-sender.js";

type MayManage = Authorized<"webhook:manage">;

export interface NewWebhook {
  readonly target: WebhookTarget;
  readonly format: WebhookFormat;
  readonly eventTypes?: readonly CallEventType[];
}

export interface WebhookStatus {
  readonly webhook: Webhook;
  readonly counts: DeliveryCounts;
}

export interface Webhooks {
  create(authorized: MayManage, webhook: NewWebhook): Promise<Webhook>;
  list(authorized: MayManage): Promise<readonly WebhookStatus[]>;
  /** @throws AppError `DELIVERY_WEBHOOK_NOT_FOUND` */
  remove(authorized: MayManage, webhookId: string): Promise<void>;
  /** @throws AppError `DELIVERY_WEBHOOK_NOT_FOUND`, `DELIVERY_FAILED` */
  test(authorized: MayManage, webhookId: string): Promise<void>;
  /** Calls whose delivery was given up. @throws AppError `DELIVERY_WEBHOOK_NOT_FOUND` */
  listDead(authorized: MayManage, webhookId: string): Promise<readonly DeliveryCursor[]>;
  /** @returns how many calls are tried again. @throws AppError `DELIVERY_WEBHOOK_NOT_FOUND` */
  retryDead(authorized: MayManage, webhookId: string): Promise<number>;
}

export interface WebhooksDependencies {
  readonly webhooks: WebhookRepository;
  readonly delivery: WebhookDelivery;
  readonly sender: WebhookSender;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

const DEAD_LISTED = 100;

/** Every change is audited before it is made. */
export function createWebhooks(dependencies: WebhooksDependencies): Webhooks {
  const { webhooks, delivery, sender, clock } = dependencies;
  const find = async (webhookId: string): Promise<Webhook> => {
    const found = (await webhooks.list()).find((webhook) => webhook.webhookId === webhookId);
    if (found === undefined) throw new AppError("DELIVERY_WEBHOOK_NOT_FOUND", "There is no webhook with this id.");
    return found;
  };
  return {
    async create({ actor }, { target, format, eventTypes = DEFAULT_WEBHOOK_EVENTS }) {
      const webhook = { webhookId: newId(clock.nowMs()), target, format, eventTypes, createdAtMs: clock.nowMs() };
      await recordAllowed(dependencies, actor, "webhook.created", webhook.webhookId);
      await webhooks.insert(webhook);
      await delivery.reload();
      return webhook;
    },
    list: async () => Promise.all((await webhooks.list()).map(async (webhook) => ({ webhook, counts: await webhooks.counts(webhook.webhookId) }))),
    async remove({ actor }, webhookId) {
      await find(webhookId);
      await recordAllowed(dependencies, actor, "webhook.removed", webhookId);
      await webhooks.remove(webhookId);
      await delivery.reload();
    },
    test: async (_authorized, webhookId) => sendTest(sender, await find(webhookId), clock.nowMs()),
    async listDead(_authorized, webhookId) {
      await find(webhookId);
      return webhooks.listDead(webhookId, DEAD_LISTED);
    },
    async retryDead({ actor }, webhookId) {
      await find(webhookId);
      await recordAllowed(dependencies, actor, "webhook.retried", webhookId);
      const count = await webhooks.revive(webhookId, clock.nowMs());
      await delivery.reload();
      return count;
    },
  };
}
