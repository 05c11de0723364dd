/** Call history: list, one, transcript, segments, analysis, audio, export. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallAudio } from "../../../calls/call-audio.js";
import type { CallHistory } from "../../../calls/call-history.js";
import type { CallSearch } from "../../../calls/search/call-search.js";
import type { AnalysisResult } from "../../../core/analysis-result.js";
import { analysisSchema, toWireAnalysis } from "../../../protocol/http/analysis-schema.js";
import {
  callExportSchema,
  callListQuerySchema,
  callPageSchema,
  callParametersSchema,
  callSchema,
  callSegmentsSchema,
  callTranscriptSchema,
  flagSchema,
  toCallFilter,
  toWireCall,
} from "../../../protocol/http/call-schema.js";
import { PROBLEM_RESPONSES } from "../../../protocol/http/problem-schema.js";
import { pageQuerySchema } from "../../../protocol/http/recording-schema.js";
import { callAsText } from "../../call-text.js";
import { decodeCursor, encodeCursor } from "../../cursor.js";
import { authorizedRequest } from "../../plugins/access.js";
import { audioRoute } from "./call-audio.js";
import { deletionRoutes } from "./deletions.js";
import { searchRoute } from "./search.js";

export interface CallRoutesOptions {
  readonly history: CallHistory;
  readonly callAudio: CallAudio;
  readonly search: CallSearch;
}

const tags = ["calls"];
const config = { permission: "call:read" as const };
const params = callParametersSchema;

export async function callRoutes(app: FastifyInstance, options: CallRoutesOptions): Promise<void> {
  recordRoutes(app, options.history);
  readingRoutes(app, options.history);
  exportRoute(app, options.history);
  deletionRoutes(app, options.history);
  audioRoute(app, options.callAudio);
  searchRoute(app, options.search);
}

function recordRoutes(app: FastifyInstance, history: CallHistory): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/api/v1/calls",
    { config, schema: { tags, summary: "Calls, newest first", querystring: callListQuerySchema, response: { 200: callPageSchema, ...PROBLEM_RESPONSES } } },
    async (request) => {
      const { cursor, limit, ...filter } = request.query;
      const after = cursor === undefined ? {} : { after: callPosition(cursor) };
      const { calls, next } = await history.list(authorizedRequest(request, "call:read"), { filter: toCallFilter(filter), limit, ...after });
      return { items: calls.map(toWireCall), next_cursor: next === undefined ? null : encodeCursor([next.startedAtMs, next.callId]) };
    },
  );
  routes.get(
    "/api/v1/calls/:id",
    { config, schema: { tags, summary: "One call", params, response: { 200: callSchema, ...PROBLEM_RESPONSES } } },
    async (request) => toWireCall(await history.get(authorizedRequest(request, "call:read"), request.params.id)),
  );
}

function callPosition(cursor: string) {
  const [startedAtMs, callId] = decodeCursor(cursor, z.tuple([z.int(), z.string()]));
  return { startedAtMs, callId };
}

function readingRoutes(app: FastifyInstance, history: CallHistory): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/api/v1/calls/:id/analysis",
    {
      config,
      schema: {
        tags,
        summary: "The newest analysis; while the call is in work, what there is so far",
        params,
        response: { 200: analysisSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => toWireAnalysis(await history.analysis(authorizedRequest(request, "call:read"), request.params.id)),
  );
  routes.get(
    "/api/v1/calls/:id/transcript",
    {
      config,
      schema: {
        ...{ tags, params, summary: "What was said, as one text" },
        querystring: z.object({ include_segments: flagSchema.default(false) }),
        response: { 200: callTranscriptSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => toTranscript(await history.analysis(authorizedRequest(request, "call:read"), request.params.id), request.query.include_segments),
  );
  routes.get(
    "/api/v1/calls/:id/segments",
    {
      config,
      schema: {
        tags,
        summary: "What was said, in segments",
        params,
        querystring: pageQuerySchema,
        response: { 200: callSegmentsSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const from = cursor === undefined ? 0 : decodeCursor(cursor, z.tuple([z.int().min(0)]))[0];
      const { transcript } = toWireAnalysis(await history.analysis(authorizedRequest(request, "call:read"), request.params.id));
      const segments = transcript?.segments ?? [];
      return { items: segments.slice(from, from + limit), next_cursor: from + limit < segments.length ? encodeCursor([from + limit]) : null };
    },
  );
}

function toTranscript(result: AnalysisResult, includeSegments: boolean): z.infer<typeof callTranscriptSchema> {
  const { call_id, status, transcript, audio } = toWireAnalysis(result);
  return {
    ...{ call_id, status },
    transcript: transcript?.text ?? null,
    language: transcript?.language ?? null,
    low_quality: transcript?.low_quality ?? null,
    duration_ms: audio?.duration_ms ?? null,
    ...(includeSegments ? { segments: transcript?.segments ?? [] } : {}),
  };
}

function exportRoute(app: FastifyInstance, history: CallHistory): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    "/api/v1/calls/:id/export",
    {
      config,
      schema: {
        ...{ tags, params, summary: "Call and analysis as a file" },
        description:
          "Masked unless text=clear is asked for, which needs the permission transcript:read and is audited. format=text is for reading and printing.",
        querystring: z.object({ format: z.enum(["json", "text"]).default("json"), text: z.enum(["masked", "clear"]).default("masked") }),
        response: { 200: z.union([callExportSchema, z.string()]), ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      const { format, text } = request.query;
      const exported = await history.export(authorizedRequest(request, "call:read"), request.params.id, { clearText: text === "clear" });
      const content = {
        ...{ exported_at: new Date().toISOString(), text, call: toWireCall(exported.call), analysis: toWireAnalysis(exported.analysis) },
        classification_mappings: exported.mappings.map(({ to, category, isCertain }) => ({ to, category, certain: isCertain })),
      };
      reply.header("content-disposition", `attachment; filename="call-${exported.call.callId}.${format === "json" ? "json" : "txt"}"`);
      if (format === "json") return content;
      return reply.type("text/plain; charset=utf-8").send(callAsText(content));
    },
  );
}
