/** Public health: is it alive, is it ready. No credentials, no rate limit, no optional engine needed. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { livenessSchema, readinessSchema } from "../../protocol/http/health-schema.js";
import type { ServiceStatus } from "../service-status.js";

export async function healthRoutes(app: FastifyInstance, { status }: { readonly status: ServiceStatus }): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const config = { permission: "public" as const };
  const alive = (): { status: "ok" } => ({ status: "ok" });
  const tags = ["health"];
  routes.get("/health", { config, schema: { tags, summary: "The service answers", response: { 200: livenessSchema } } }, alive);
  routes.get("/health/live", { config, schema: { tags, summary: "The process is alive", response: { 200: livenessSchema } } }, alive);
  routes.get(
    "/health/ready",
    { config, schema: { tags, summary: "The service takes work", response: { 200: readinessSchema, 503: readinessSchema } } },
    async (_request, reply) => {
      const checks = await status.checks("essential");
      const isReady = status.isAccepting() && checks.every((check) => check.status !== "failed");
      reply.code(isReady ? 200 : 503);
      return { status: isReady ? ("ready" as const) : ("not_ready" as const), checks: [...checks] };
    },
  );
}
