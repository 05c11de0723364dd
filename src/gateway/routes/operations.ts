/** For those who run the service: detailed health, queue, workers, resources, metrics. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { z } from "zod";
import { worstStatus } from "../../observability/health.js";
import type { Metrics } from "../../observability/metrics.js";
import { detailedHealthSchema, resourcesSchema, workersHealthSchema } from "../../protocol/http/health-schema.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { queueStatusSchema, workersStatusSchema } from "../../protocol/http/recording-schema.js";
import { toWireCase } from "../../protocol/wire-case.js";
import { QUEUE_NAMES, type QueueBackend } from "../../queue/queue-backend.js";
import type { ServiceStatus } from "../service-status.js";

export interface OperationsRoutesOptions {
  readonly status: ServiceStatus;
  readonly queue: QueueBackend;
  readonly metrics: Metrics;
}

const tags = ["operations"];
const health = { permission: "health:read" as const };

export async function operationsRoutes(app: FastifyInstance, options: OperationsRoutesOptions): Promise<void> {
  detailedHealthRoutes(app, options.status);
  queueRoutes(app, options);
  metricsRoute(app, options);
}

function detailedHealthRoutes(app: FastifyInstance, status: ServiceStatus): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();

  routes.get(
    "/health/detailed",
    { config: health, schema: { tags, summary: "Every check", response: { 200: detailedHealthSchema, ...PROBLEM_RESPONSES } } },
    async () => {
      const checks = await status.checks("all");
      return { status: worstStatus(checks), version: status.version, uptime_ms: Math.round(status.uptimeMs()), checks: [...checks] };
    },
  );
  routes.get(
    "/health/workers",
    { config: health, schema: { tags, summary: "Model processes and job consumers", response: { 200: workersHealthSchema, ...PROBLEM_RESPONSES } } },
    () => {
      const { modelProcesses, modelRequestsWaiting, jobConsumers } = status.workers();
      const isWell = modelProcesses > 0 && jobConsumers > 0;
      return {
        status: isWell ? ("ok" as const) : ("failed" as const),
        model_processes: modelProcesses,
        model_requests_waiting: modelRequestsWaiting,
        job_consumers: jobConsumers,
      };
    },
  );
  routes.get(
    "/health/resources",
    { config: health, schema: { tags, summary: "Machine and process resources", response: { 200: resourcesSchema, ...PROBLEM_RESPONSES } } },
    async () => toWireCase(await status.resources()) as z.infer<typeof resourcesSchema>,
  );
}

function queueRoutes(app: FastifyInstance, { status, queue }: OperationsRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/audio/queue/status",
    { config: { permission: "queue:read" }, schema: { tags, summary: "Jobs by queue and status", response: { 200: queueStatusSchema, ...PROBLEM_RESPONSES } } },
    async () => ({
      queues: await Promise.all(QUEUE_NAMES.map(async (name) => ({ queue: name, ...(await queue.counts(name)) }))),
    }),
  );
  routes.get(
    "/audio/workers/status",
    {
      config: { permission: "queue:read" },
      schema: { tags, summary: "Workers and what they serve", response: { 200: workersStatusSchema, ...PROBLEM_RESPONSES } },
    },
    () => {
      const { jobConsumers, jobConcurrency, queues } = status.workers();
      return {
        workers: [
          { name: "embedded", status: jobConsumers > 0 ? ("running" as const) : ("stopped" as const), queues: [...queues], concurrency: jobConcurrency },
        ],
      };
    },
  );
}

function metricsRoute(app: FastifyInstance, { queue, metrics }: OperationsRoutesOptions): void {
  app.get("/metrics", { config: { permission: "metrics:read" }, schema: { tags, summary: "Prometheus metrics" } }, async (_request, reply) => {
    for (const name of QUEUE_NAMES) {
      for (const [jobStatus, count] of Object.entries(await queue.counts(name))) metrics.jobs.set({ queue: name, status: jobStatus }, count);
    }
    return reply.type(metrics.contentType).send(await metrics.render());
  });
}
