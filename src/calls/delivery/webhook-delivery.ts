/**
 * Delivers events to webhooks: every event at least once, in order per call, however long the other side is away. The
 * stored events are the outbox; what is kept beside them is how far each call has come.
 */
import type { CallEvent } from "../../core/call-event.js";
import type { Clock, Timer } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import type { Logger } from "../../core/log.js";
import type { DeliveryCursor, Webhook } from "../../core/webhook.js";
import type { EventBus } from "../../events/event-bus.js";
import { type TextCover, WITHHOLDING } from "../../security/masking/cover-text.js";
import type { CallEventRepository } from "../../storage/repositories/call-event-repository.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { WebhookRepository } from "../../storage/repositories/webhook-repository.js";
import type { TextMasking } from "../text-masking.js";
import { afterFailure } from "./delivery-policy.js";
import { webhookMessage } from "./webhook-message.js";
import type { WebhookSender } from "./webhook-sender.js";

export interface WebhookDeliveryDependencies {
  readonly webhooks: WebhookRepository;
  readonly calls: CallRepository;
  readonly events: CallEventRepository;
  readonly bus: EventBus;
  readonly sender: WebhookSender;
  readonly masking: TextMasking;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where several processes run, only one of them delivers; others may have changed the webhooks. */
  readonly isOurTurn?: () => boolean;
  readonly onDelivered?: (outcome: "delivered" | "failed" | "dead") => void;
}

const PAGE_EVENTS = 50;
const CALLS_AT_ONCE = 8;
/** Events that come together are looked at together. */
const GATHER_MS = 100;
/** Failed deliveries become due between notices. */
const LOOK_EVERY_MS = 1_000;
const RELOAD_EVERY_MS = 5_000;
/** A delivery that died with its process goes on after this. */
const CLAIM_MS = 60_000;

export class WebhookDelivery {
  readonly #dependencies: WebhookDeliveryDependencies;
  readonly #changed = new Set<string>();
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #dead = new AbortController();
  #webhooks: readonly Webhook[] = [];
  #nextReloadMs = 0;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stop: (() => void) | undefined;

  constructor(dependencies: WebhookDeliveryDependencies) {
    this.#dependencies = dependencies;
  }

  /** Looks for what was missed while nobody delivered, then follows what happens. */
  async start(): Promise<void> {
    this.#stop = this.#dependencies.bus.subscribeCalls((callId) => {
      if (this.#webhooks.length === 0) return;
      this.#changed.add(callId);
      this.#wake(GATHER_MS);
    });
    await this.reload();
  }

  /** Webhooks were added, removed or revived. */
  async reload(): Promise<void> {
    const { webhooks, clock } = this.#dependencies;
    this.#webhooks = await webhooks.list();
    for (const webhook of this.#webhooks) await webhooks.wakeAll(webhook, clock.nowMs());
    this.#wake(0);
  }

  /** Lets what is being sent arrive; the rest goes out after the next start. */
  async close(): Promise<void> {
    this.#dead.abort();
    this.#stop?.();
    this.#timer?.cancel();
    await this.#running;
    await Promise.all(this.#inFlight.values());
  }

  #wake(delayMs: number): void {
    if (this.#dead.signal.aborted) return;
    this.#timer?.cancel();
    this.#timer = this.#dependencies.clock.schedule(delayMs, () => {
      this.#running = this.#running.then(() => this.#look()).catch(() => this.#dependencies.logger.warn("Deliveries could not be looked up"));
      void this.#running.then(() => (this.#webhooks.length > 0 || this.#dependencies.isOurTurn !== undefined) && this.#wake(LOOK_EVERY_MS));
    });
  }

  async #look(): Promise<void> {
    const { webhooks, clock, isOurTurn } = this.#dependencies;
    if (isOurTurn !== undefined) {
      if (!isOurTurn()) return this.#changed.clear();
      await this.#learnOfOthers();
    }
    const changed = [...this.#changed];
    const synthetic = await this.#dependencies.calls.findSynthetic(changed);
    for (const callId of changed) {
      this.#changed.delete(callId);
      if (synthetic.has(callId)) continue;
      // A call that was deleted meanwhile has nothing to tell.
      for (const { webhookId } of this.#webhooks) await webhooks.wake(webhookId, callId, clock.nowMs()).catch(() => {});
    }
    for (const cursor of await webhooks.listDue(clock.nowMs(), CALLS_AT_ONCE * 4)) {
      const key = `${cursor.webhookId}/${cursor.callId}`;
      const webhook = this.#webhooks.find(({ webhookId }) => webhookId === cursor.webhookId);
      if (webhook === undefined || this.#inFlight.has(key) || this.#inFlight.size >= CALLS_AT_ONCE) continue;
      // For the moment in which two processes believe that it is their turn.
      if (isOurTurn !== undefined && !(await webhooks.claim(cursor, clock.nowMs() + CLAIM_MS))) continue;
      const delivered = this.#deliver(webhook, cursor)
        .catch(() => this.#dependencies.logger.warn("A delivery could not be looked up"))
        .finally(() => {
          this.#inFlight.delete(key);
          this.#wake(0);
        });
      this.#inFlight.set(key, delivered);
    }
  }

  /** Webhooks that another process added, or events that were stored while that one delivered. */
  async #learnOfOthers(): Promise<void> {
    const { webhooks, clock } = this.#dependencies;
    if (clock.monotonicMs() < this.#nextReloadMs) return;
    this.#nextReloadMs = clock.monotonicMs() + RELOAD_EVERY_MS;
    this.#webhooks = await webhooks.list();
    for (const webhook of this.#webhooks) await webhooks.wakeAll(webhook, clock.nowMs());
  }

  async #deliver(webhook: Webhook, from: DeliveryCursor): Promise<void> {
    const { webhooks, calls, events, clock, onDelivered } = this.#dependencies;
    const call = { callId: from.callId, sealer: await calls.openSealer(from.callId) };
    const cover = await this.#dependencies.masking.coverOf(call);
    let endedSeq = (await events.listOfTypes(call, ["call.ended"])).at(0)?.seq;
    const isLive = (await calls.findCall(from.callId))?.source === "live";
    let cursor: DeliveryCursor = { ...from };
    while (!this.#dead.signal.aborted) {
      const page = await events.list(call, { afterSeq: cursor.nextSeq - 1, limit: PAGE_EVENTS });
      if (page.length === 0) return webhooks.rest(cursor);
      for (const event of page) {
        if (event.type === "call.ended") endedSeq ??= event.seq;
        const isPostCall = !isLive || (endedSeq !== undefined && event.seq > endedSeq);
        if (!(await this.#send(webhook, event, { isPostCall, cover }))) {
          const failed = afterFailure(cursor, clock.nowMs(), Math.random());
          onDelivered?.(failed.status === "dead" ? "dead" : "failed");
          return webhooks.save(failed);
        }
        cursor = { ...cursor, nextSeq: event.seq + 1, attempts: 0, failingSinceMs: null };
        if (this.#dead.signal.aborted) break;
      }
      await webhooks.save(cursor);
    }
  }

  async #send(webhook: Webhook, event: CallEvent, context: { readonly isPostCall: boolean; readonly cover: TextCover }): Promise<boolean> {
    const message = webhookMessage(webhook, event, context);
    if (message === undefined) return true;
    const isTaken = await this.#dependencies.sender.send(webhook.webhookId, webhook.target, message);
    if (isTaken) this.#dependencies.onDelivered?.("delivered");
    return isTaken;
  }
}

/** What a test of a webhook sends: an event of a call that there is not. */
export async function sendTest(sender: WebhookSender, webhook: Webhook, nowMs: number): Promise<void> {
  const event: CallEvent = { seq: 1, callId: "test", atMs: nowMs, type: "call.started", payload: { taskId: "test", source: "live" } };
  const message = webhookMessage({ ...webhook, eventTypes: ["call.started"] }, event, { isPostCall: false, cover: WITHHOLDING });
  if (message === undefined || !(await sender.send(webhook.webhookId, webhook.target, message))) {
    throw new AppError("DELIVERY_FAILED", "The webhook did not take the test message with a 2xx answer within ten seconds.");
  }
}
