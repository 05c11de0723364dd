/** Processing modes and notifications under the older service's paths: what is set here, and what it means. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import { isHeardAgain, isHeardLive } from "../../analysis/live/processing-mode.js";
import type { Webhooks } from "../../calls/delivery/webhooks.js";
import type { LiveCalls } from "../../calls/live/live-calls.js";
import { PROCESSING_MODES, type ProcessingMode } from "../../core/call.js";
import { CALL_EVENT_TYPES } from "../../core/call-event.js";
import { WEBHOOK_FORMATS } from "../../core/webhook.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { authorizedRequest } from "../plugins/access.js";

export interface ModeRoutesOptions {
  readonly liveCalls: LiveCalls;
  readonly webhooks: Webhooks;
  readonly defaultMode: ProcessingMode;
}

const tags = ["modes and notices"];
const mode = z.enum(PROCESSING_MODES);
const count = z.int().min(0);
const modesSchema = z.object({
  default_mode: mode,
  modes: z.array(
    z.object({
      mode,
      live_text: z.boolean(),
      recording_pass: z.enum(["always", "never", "unless short, calm and heard whole"]),
    }),
  ),
});
const processingStatusSchema = z.object({ default_mode: mode, active_calls: count, calls_by_mode: z.record(z.string(), count) });
const notificationStatusSchema = z.object({ webhooks: count, calls_pending: count, calls_dead: count });
const notificationTypesSchema = z.object({ event_types: z.array(z.enum(CALL_EVENT_TYPES)), formats: z.array(z.enum(WEBHOOK_FORMATS)) });

export async function modeRoutes(app: FastifyInstance, { liveCalls, webhooks, defaultMode }: ModeRoutesOptions): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/api/v1/processing/modes",
    { config: { permission: "call:read" }, schema: { tags, summary: "The modes of live calls", response: { 200: modesSchema, ...PROBLEM_RESPONSES } } },
    () => ({
      default_mode: defaultMode,
      modes: PROCESSING_MODES.map((name) => ({ mode: name, live_text: isHeardLive(name), recording_pass: recordingPass(name) })),
    }),
  );
  routes.get(
    "/api/v1/processing/status",
    {
      config: { permission: "call:read" },
      schema: { tags, summary: "Modes of the calls in progress", response: { 200: processingStatusSchema, ...PROBLEM_RESPONSES } },
    },
    (request) => {
      const running = liveCalls.list(authorizedRequest(request, "call:read"));
      const byMode = Object.fromEntries(PROCESSING_MODES.map((name) => [name, running.filter((call) => call.mode === name).length]));
      return { default_mode: defaultMode, active_calls: running.length, calls_by_mode: byMode };
    },
  );
  routes.get(
    "/api/v1/notifications/status",
    {
      config: { permission: "webhook:manage" },
      schema: { tags, summary: "What is left to deliver", response: { 200: notificationStatusSchema, ...PROBLEM_RESPONSES } },
    },
    async (request) => {
      const found = await webhooks.list(authorizedRequest(request, "webhook:manage"));
      const sum = (pick: (status: (typeof found)[number]) => number): number => found.reduce((total, status) => total + pick(status), 0);
      return { webhooks: found.length, calls_pending: sum(({ counts }) => counts.pending), calls_dead: sum(({ counts }) => counts.dead) };
    },
  );
  routes.get(
    "/api/v1/notifications/types",
    {
      config: { permission: "call:read" },
      schema: { tags, summary: "What a webhook may be told, and how", response: { 200: notificationTypesSchema, ...PROBLEM_RESPONSES } },
    },
    () => ({ event_types: [...CALL_EVENT_TYPES], formats: [...WEBHOOK_FORMATS] }),
  );
}

function recordingPass(name: ProcessingMode): z.infer<typeof modesSchema>["modes"][number]["recording_pass"] {
  const best = { hasRisk: false, failedMs: 0, durationMs: 0 };
  if (!isHeardAgain(name, { ...best, hasRisk: true })) return "never";
  return isHeardAgain(name, best) ? "always" : "unless short, calm and heard whole";
}
