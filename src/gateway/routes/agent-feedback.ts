/** Feedback of people on results: give, read, count, take away. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { AgentFeedbackUseCase } from "../../calls/agent-feedback.js";
import { type AgentFeedback, FEEDBACK_TASKS } from "../../core/agent-feedback.js";
import { AppError } from "../../core/errors.js";
import { callParametersSchema } from "../../protocol/http/call-schema.js";
import {
  feedbackListQuerySchema,
  feedbackListSchema,
  feedbackPeriodSchema,
  feedbackSchema,
  feedbackStatisticsSchema,
  newFeedbackSchema,
  openchsFeedbackBodySchema,
  openchsFeedbackSchema,
  toOpenchsFeedback,
  toWireFeedback,
} from "../../protocol/http/feedback-schema.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { toWireCase } from "../../protocol/wire-case.js";
import { authorizedRequest } from "../plugins/access.js";

const BASE = "/api/v1/agent-feedback";
const DAY_MS = 86_400_000;
const tags = ["feedback"];
const create = { permission: "feedback:create" as const };
const read = { permission: "feedback:read" as const };

export async function agentFeedbackRoutes(app: FastifyInstance, { feedback }: { readonly feedback: AgentFeedbackUseCase }): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.post(
    BASE,
    {
      config: create,
      schema: { tags, summary: "Rate a result, correct it, or both", body: newFeedbackSchema, response: { 201: feedbackSchema, ...PROBLEM_RESPONSES } },
    },
    async (request, reply) => {
      const { call_id: callId, task_id: taskId, task, item, rating, reason, correction } = request.body;
      const said = {
        ...{ callId, task, item: item ?? null, rating: rating ?? null, reason: reason ?? null },
        ...(taskId === undefined ? {} : { taskId }),
        correction: correction === undefined ? null : defined(correction),
      };
      reply.code(201);
      return toWireFeedback(await feedback.give(authorizedRequest(request, "feedback:create"), said));
    },
  );
  routes.get(
    BASE,
    {
      config: read,
      schema: {
        tags,
        summary: "Everything that was said of a call",
        querystring: feedbackListQuerySchema,
        response: { 200: feedbackListSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const items = await feedback.list(authorizedRequest(request, "feedback:read"), request.query.call_id, request.query.task);
      return { items: items.map(toWireFeedback), next_cursor: null };
    },
  );
  statisticsRoutes(app, feedback);
  olderRoutes(app, feedback);
}

function defined({ label, text }: { readonly label?: string | undefined; readonly text?: string | undefined }) {
  return { ...(label === undefined ? {} : { label }), ...(text === undefined ? {} : { text }) };
}

function statisticsRoutes(app: FastifyInstance, feedback: AgentFeedbackUseCase): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    `${BASE}/statistics`,
    {
      config: read,
      schema: {
        ...{ tags, summary: "How people judged the models, by task, label and model" },
        querystring: feedbackPeriodSchema.extend({ task: z.enum(FEEDBACK_TASKS).optional() }),
        response: { 200: feedbackStatisticsSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { days, task } = request.query;
      const found = await feedback.statistics(authorizedRequest(request, "feedback:read"), { days, ...(task === undefined ? {} : { task }) });
      return { period_days: days, tasks: toWireCase(Object.fromEntries(found)) as z.infer<typeof feedbackStatisticsSchema>["tasks"] };
    },
  );
  routes.get(
    `${BASE}/export`,
    {
      config: { permission: "feedback:export" },
      schema: {
        ...{ tags, summary: "Feedback as JSON lines, for training and review" },
        description: "One object a line, oldest first. Words are masked unless text=clear is asked for, which is audited.",
        querystring: feedbackPeriodSchema.extend({ text: z.enum(["masked", "clear"]).default("masked") }),
        response: { 200: z.string().meta({ contentMediaType: "application/x-ndjson" }), ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      const { days, text } = request.query;
      const found = await feedback.export(authorizedRequest(request, "feedback:export"), { fromMs: Date.now() - days * DAY_MS, clearText: text === "clear" });
      return sendLines(reply, found);
    },
  );
}

function sendLines(reply: FastifyReply, found: AsyncGenerator<AgentFeedback>): FastifyReply {
  reply.type("application/x-ndjson").header("content-disposition", 'attachment; filename="agent-feedback.jsonl"');
  return reply.send(Readable.from(jsonLines(found), { objectMode: false }));
}

async function* jsonLines(found: AsyncGenerator<AgentFeedback>): AsyncGenerator<string> {
  for await (const one of found) yield `${JSON.stringify(toWireFeedback(one))}\n`;
}

/** Paths and rows of the service this one replaces. */
function olderRoutes(app: FastifyInstance, feedback: AgentFeedbackUseCase): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.post(
    `${BASE}/update`,
    {
      config: create,
      schema: {
        tags,
        summary: "Rate a result, as older clients do",
        body: openchsFeedbackBodySchema,
        response: { 200: openchsFeedbackSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { call_id: callId, task, feedback: rating, reason } = request.body;
      if (task === "insights") throw new AppError("FEEDBACK_ITEM_UNKNOWN", "Insights are not made here; rate risk or summarization.");
      const said = { callId, task, item: null, rating, reason: reason ?? null, correction: null };
      return toOpenchsFeedback(await feedback.give(authorizedRequest(request, "feedback:create"), said));
    },
  );
  routes.get(
    `${BASE}/call/:id`,
    {
      config: read,
      schema: {
        ...{ tags, summary: "What was said of a call, as older clients read it", params: callParametersSchema },
        querystring: z.object({ task: z.enum(FEEDBACK_TASKS).optional() }),
        response: { 200: z.array(openchsFeedbackSchema), ...PROBLEM_RESPONSES },
      },
    },
    async (request) => (await feedback.list(authorizedRequest(request, "feedback:read"), request.params.id, request.query.task)).map(toOpenchsFeedback),
  );
}
