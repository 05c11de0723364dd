/** How a call was understood while it ran: what is known now, and how entities and classification changed. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ProgressiveHistory } from "../../calls/following/progressive-history.js";
import type { ReanalysisUseCase } from "../../calls/reanalysis.js";
import { analysisSchema } from "../../protocol/http/analysis-schema.js";
import { callParametersSchema } from "../../protocol/http/call-schema.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { acceptedSchema } from "../../protocol/http/recording-schema.js";
import { toWireCase } from "../../protocol/wire-case.js";
import { authorizedRequest } from "../plugins/access.js";

export interface ProgressiveRoutesOptions {
  readonly progressive: ProgressiveHistory;
  readonly reanalysis: ReanalysisUseCase;
}

const tags = ["live calls"];
const config = { permission: "call:read" as const };
const params = callParametersSchema;
const part = analysisSchema.shape;

const progressiveSchema = z.object({
  ...{ call_id: z.string(), entities: part.entities, classification: part.classification, summary: part.summary },
  risk: part.risk.unwrap(),
  readings: z.int().min(0).describe("times the call was read as a whole"),
});
const step = { at: z.string(), seq: z.int().min(1) };
const entityEvolutionSchema = z.object({ items: z.array(z.object({ ...step, entities: part.entities.unwrap() })) });
const classificationEvolutionSchema = z.object({ items: z.array(z.object({ ...step, classification: part.classification.unwrap() })) });

export async function progressiveRoutes(app: FastifyInstance, { progressive, reanalysis }: ProgressiveRoutesOptions): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/api/v1/calls/:id/progressive-analysis",
    { config, schema: { tags, params, summary: "What is known of a call so far", response: { 200: progressiveSchema, ...PROBLEM_RESPONSES } } },
    async (request) => {
      const found = await progressive.current(authorizedRequest(request, "call:read"), request.params.id);
      return { call_id: request.params.id, ...(toWireCase(found) as Omit<z.infer<typeof progressiveSchema>, "call_id">) };
    },
  );
  routes.get(
    "/api/v1/calls/:id/entity-evolution",
    { config, schema: { tags, params, summary: "How the entities of a call changed", response: { 200: entityEvolutionSchema, ...PROBLEM_RESPONSES } } },
    async (request) => {
      const steps = await progressive.entities(authorizedRequest(request, "call:read"), request.params.id);
      return {
        items: steps.map(({ seq, atMs, value }) => ({
          at: isoTime(atMs),
          seq,
          entities: toWireCase(value) as z.infer<typeof entityEvolutionSchema>["items"][number]["entities"],
        })),
      };
    },
  );
  routes.get(
    "/api/v1/calls/:id/classification-evolution",
    {
      config,
      schema: { tags, params, summary: "How the classification of a call changed", response: { 200: classificationEvolutionSchema, ...PROBLEM_RESPONSES } },
    },
    async (request) => {
      const steps = await progressive.classifications(authorizedRequest(request, "call:read"), request.params.id);
      type Classification = z.infer<typeof classificationEvolutionSchema>["items"][number]["classification"];
      return { items: steps.map(({ seq, atMs, value }) => ({ at: isoTime(atMs), seq, classification: toWireCase(value) as Classification })) };
    },
  );
  routes.post(
    "/api/v1/calls/:id/trigger-ai-pipeline",
    {
      config: { permission: "recording:create" },
      schema: { tags, params, summary: "Analyse the call's recording once more", response: { 202: acceptedSchema, ...PROBLEM_RESPONSES } },
    },
    async (request, reply) => {
      const { taskId, callId } = await reanalysis.start(authorizedRequest(request, "recording:create"), request.params.id);
      return reply.code(202).send({ task_id: taskId, call_id: callId, status: "queued" as const, status_endpoint: `/audio/task/${taskId}` });
    },
  );
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
