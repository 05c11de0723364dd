/** For those who run the service: detailed health, queue, workers, resources, metrics. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { z } from "zod";
import { worstStatus } from "../../observability/health.js";
import type { Metrics } from "../../observability/metrics.js";
import type { WorkerStatus, WorkerView } from "../../observability/worker-state.js";
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
    async () => {
      const workers = await status.workers();
      const { count, waiting, isNeeded } = status.modelProcesses();
      const byStatus = countByStatus(workers);
      const isBroken = byStatus.running === 0 || (isNeeded && count === 0);
      return {
        status: isBroken ? ("failed" as const) : byStatus.stuck + byStatus.lost > 0 ? ("degraded" as const) : ("ok" as const),
        model_processes: count,
        model_requests_waiting: waiting,
        job_consumers: workers.reduce((sum, worker) => sum + (worker.status === "running" ? (worker.state?.queues.length ?? 0) : 0), 0),
        workers: byStatus,
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
    async () => ({ workers: (await status.workers()).map(toWireWorker) }),
  );
}

function countByStatus(workers: readonly WorkerView[]): Record<WorkerStatus, number> {
  const counts = { running: 0, draining: 0, stuck: 0, lost: 0, stopped: 0 };
  for (const worker of workers) counts[worker.status]++;
  return counts;
}

function toWireWorker({ name, status, state }: WorkerView): z.infer<typeof workersStatusSchema>["workers"][number] {
  const { selfTest = null } = state ?? {};
  return {
    ...{ name, status, queues: [...(state?.queues ?? [])], concurrency: state?.concurrency ?? 0, device: state?.device ?? null },
    ...{ model_processes: state?.modelProcesses ?? 0, model_requests_waiting: state?.modelRequestsWaiting ?? 0, engines: [...(state?.engines ?? [])] },
    self_test: selfTest === null ? null : { outcome: selfTest.outcome, at: new Date(selfTest.atMs).toISOString(), duration_ms: selfTest.durationMs },
    started_at: state === null ? null : new Date(state.startedAtMs).toISOString(),
  };
}

function metricsRoute(app: FastifyInstance, { status, queue, metrics }: OperationsRoutesOptions): void {
  app.get("/metrics", { config: { permission: "metrics:read" }, schema: { tags, summary: "Prometheus metrics" } }, async (_request, reply) => {
    for (const name of QUEUE_NAMES) {
      for (const [jobStatus, count] of Object.entries(await queue.counts(name))) metrics.jobs.set({ queue: name, status: jobStatus }, count);
    }
    // Redis away: nobody knows who is alive, and whoever watches must still be told the rest.
    const workers = await status.workers().catch(() => undefined);
    metrics.workers.reset();
    for (const [workerStatus, count] of Object.entries(workers === undefined ? {} : countByStatus(workers)))
      metrics.workers.set({ status: workerStatus }, count);
    for (const [place, bytes] of Object.entries(await status.freeBytes())) metrics.freeBytes.set({ place }, bytes);
    return reply.type(metrics.contentType).send(await metrics.render());
  });
}
