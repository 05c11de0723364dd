/** Webhooks: where the helpline's own system is told what happens on calls. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Webhooks } from "../../calls/delivery/webhooks.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import {
  deadDeliveriesSchema,
  newWebhookSchema,
  retriedSchema,
  toWireWebhook,
  webhookParametersSchema,
  webhookSchema,
  webhooksSchema,
} from "../../protocol/http/webhook-schema.js";
import { authorizedRequest } from "../plugins/access.js";

export interface WebhookRoutesOptions {
  readonly webhooks: Webhooks;
}

const tags = ["webhooks"];
const config = { permission: "webhook:manage" as const };
const params = webhookParametersSchema;
const noContent = { 204: z.null(), ...PROBLEM_RESPONSES };
const BASE = "/api/v1/webhooks";

export async function webhookRoutes(app: FastifyInstance, { webhooks }: WebhookRoutesOptions): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    BASE,
    { config, schema: { tags, summary: "Webhooks, and what is left to deliver", response: { 200: webhooksSchema, ...PROBLEM_RESPONSES } } },
    async (request) => {
      const found = await webhooks.list(authorizedRequest(request, "webhook:manage"));
      return { items: found.map(({ webhook, counts }) => ({ ...toWireWebhook(webhook), calls_pending: counts.pending, calls_dead: counts.dead })) };
    },
  );
  routes.post(
    BASE,
    {
      config,
      schema: {
        ...{ tags, summary: "Tell a system of the helpline what happens on calls", body: newWebhookSchema },
        description: "At least once, in order per call, for a week if need be. Every text is masked; docs/webhooks.md has the formats.",
        response: { 201: webhookSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      const { url, secret, authorization, token_url, format, event_types } = request.body;
      const target = { url, secret, ...(authorization === undefined ? {} : { authorization }), ...(token_url === undefined ? {} : { tokenUrl: token_url }) };
      const created = await webhooks.create(authorizedRequest(request, "webhook:manage"), {
        ...{ target, format },
        ...(event_types === undefined ? {} : { eventTypes: event_types }),
      });
      return reply.code(201).send(toWireWebhook(created));
    },
  );
  routes.delete(
    `${BASE}/:id`,
    { config, schema: { tags, params, summary: "Remove a webhook; nothing more is sent", response: noContent } },
    async (request, reply) => {
      await webhooks.remove(authorizedRequest(request, "webhook:manage"), request.params.id);
      return reply.code(204).send(null);
    },
  );
  routes.post(`${BASE}/:id/test`, { config, schema: { tags, params, summary: "Send a test message now", response: noContent } }, async (request, reply) => {
    await webhooks.test(authorizedRequest(request, "webhook:manage"), request.params.id);
    return reply.code(204).send(null);
  });
  deadRoutes(app, webhooks);
}

function deadRoutes(app: FastifyInstance, webhooks: Webhooks): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    `${BASE}/:id/dead`,
    { config, schema: { tags, params, summary: "Calls whose delivery was given up", response: { 200: deadDeliveriesSchema, ...PROBLEM_RESPONSES } } },
    async (request) => {
      const dead = await webhooks.listDead(authorizedRequest(request, "webhook:manage"), request.params.id);
      return {
        items: dead.map(({ callId, nextSeq, attempts, failingSinceMs }) => ({
          ...{ call_id: callId, next_seq: nextSeq, attempts },
          failing_since: failingSinceMs === null ? null : new Date(failingSinceMs).toISOString(),
        })),
      };
    },
  );
  routes.post(
    `${BASE}/:id/retry`,
    { config, schema: { tags, params, summary: "Try given-up deliveries again", response: { 200: retriedSchema, ...PROBLEM_RESPONSES } } },
    async (request) => ({ calls: await webhooks.retryDead(authorizedRequest(request, "webhook:manage"), request.params.id) }),
  );
}
