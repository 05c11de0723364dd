/** Calls that run: their events over WebSocket or server-sent events, their state, and what people do with them. */
import "@fastify/websocket";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallEventLog } from "../../calls/call-event-log.js";
import type { LiveFeed } from "../../calls/following/live-feed.js";
import type { RiskAcknowledgement } from "../../calls/following/risk-acknowledgement.js";
import type { LiveCalls } from "../../calls/live/live-calls.js";
import type { CallDetails } from "../../core/live-call.js";
import { callParametersSchema, flagSchema } from "../../protocol/http/call-schema.js";
import {
  acknowledgedRiskSchema,
  callLegsSchema,
  liveCallsSchema,
  liveStateSchema,
  liveStatisticsSchema,
  riskParametersSchema,
  ticketSchema,
  toWireLiveCall,
} from "../../protocol/http/live-schema.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { lastEventHeaderSchema } from "../../protocol/http/recording-schema.js";
import type { TicketOffice } from "../../security/ticket-office.js";
import type { EventSockets } from "../event-socket.js";
import type { EventStreams } from "../event-stream.js";
import { authorizedRequest } from "../plugins/access.js";

export interface LiveRoutesOptions {
  readonly liveCalls: LiveCalls;
  readonly feed: LiveFeed;
  readonly risks: RiskAcknowledgement;
  readonly eventLog: CallEventLog;
  readonly tickets: TicketOffice;
  readonly streams: EventStreams;
  readonly sockets: EventSockets;
}

const tags = ["live calls"];
const config = { permission: "call:read" as const };
const streamConfig = { ...config, allowsTicket: true };
const eventText = z.string().meta({ contentMediaType: "text/event-stream" });
const ticketQuery = { ticket: z.string().max(1_024).optional().describe("one-time ticket in place of the Authorization header") };

export async function liveRoutes(app: FastifyInstance, options: LiveRoutesOptions): Promise<void> {
  stateRoutes(app, options);
  controlRoutes(app, options);
  riskRoute(app, options);
  callStreamRoute(app, options);
  feedRoute(app, options);
}

function stateRoutes(app: FastifyInstance, { liveCalls, tickets }: LiveRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/api/v1/calls/active",
    { config, schema: { tags, summary: "Calls in progress", response: { 200: liveCallsSchema, ...PROBLEM_RESPONSES } } },
    async (request) => ({ items: liveCalls.list(authorizedRequest(request, "call:read")).map(toWireLiveCall) }),
  );
  routes.get(
    "/api/v1/calls/stats",
    { config, schema: { tags, summary: "Calls in progress, in numbers", response: { 200: liveStatisticsSchema, ...PROBLEM_RESPONSES } } },
    async (request) => {
      const { activeCalls, streams, receivedMs, segments, lagMsMax } = liveCalls.statistics(authorizedRequest(request, "call:read"));
      return { active_calls: activeCalls, streams, received_ms: receivedMs, segments, lag_ms_max: lagMsMax };
    },
  );
  routes.post(
    "/api/v1/tickets",
    {
      config,
      schema: {
        ...{ tags, summary: "A one-time ticket for a browser's WebSocket" },
        description: "Good for 30 seconds and one connection, as ?ticket= of a live path.",
        response: { 201: ticketSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      const { ticket, expiresAtMs } = await tickets.issue(authorizedRequest(request, "call:read").actor);
      return reply.code(201).send({ ticket, expires_at: new Date(expiresAtMs).toISOString() });
    },
  );
}

function controlRoutes(app: FastifyInstance, { liveCalls }: LiveRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const control = { permission: "call:control" as const };
  const summaries = {
    end: "Stop listening to a call, and analyse it",
    pause: "Stop storing and analysing a call for a while",
    resume: "Listen to a paused call again",
  } as const;
  for (const what of ["end", "pause", "resume"] as const) {
    routes.post(
      `/api/v1/calls/:id/${what}`,
      { config: control, schema: { tags, summary: summaries[what], params: callParametersSchema, response: { 200: liveStateSchema, ...PROBLEM_RESPONSES } } },
      async (request) => {
        const { callId, state } = await liveCalls.control(authorizedRequest(request, "call:control"), request.params.id, what);
        return { call_id: callId, state };
      },
    );
  }
  routes.post(
    "/api/v1/calls/legs",
    {
      config: control,
      schema: {
        ...{ tags, summary: "Tell which streams are the legs of a call", body: callLegsSchema },
        description: "Before or after their audio starts. Agent, queue and the like may be told again at any time.",
        response: { 200: liveStateSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { call_id, legs, agent_id, external_id, extension, queue, direction, mode, language } = request.body;
      const told = { agentId: agent_id, externalId: external_id, extension, queue, direction, mode, language };
      const details = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as CallDetails;
      const announced = { ...details, callId: call_id, legs: legs.map(({ stream_id, channel }) => ({ streamId: stream_id, channel })) };
      const { callId, state } = await liveCalls.announce(authorizedRequest(request, "call:control"), announced);
      return { call_id: callId, state };
    },
  );
}

function riskRoute(app: FastifyInstance, { risks }: LiveRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    "/api/v1/calls/:id/risks/:kind/acknowledge",
    {
      config: { permission: "risk:acknowledge" },
      schema: {
        tags,
        summary: "Say that you have seen a risk and take it on",
        params: riskParametersSchema,
        response: { 200: acknowledgedRiskSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const { id, kind } = request.params;
      const { atMs, acknowledgedBy } = await risks.acknowledge(authorizedRequest(request, "risk:acknowledge"), id, kind);
      return { call_id: id, kind, acknowledged_at: new Date(atMs).toISOString(), acknowledged_by: acknowledgedBy };
    },
  );
}

function callStreamRoute(app: FastifyInstance, { eventLog, streams, sockets }: LiveRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: "GET",
    url: "/api/v1/calls/:id/live",
    config: streamConfig,
    compress: false,
    schema: {
      ...{ tags, summary: "The events of a call, over WebSocket or as server-sent events" },
      description:
        "With an Upgrade to WebSocket one JSON message an event, otherwise server-sent events. `after` (or Last-Event-ID) replays what came later. Ends with the call's analysis. docs/events.md has the types.",
      params: callParametersSchema,
      querystring: z.object({ after: z.coerce.number().int().min(0).default(0), ...ticketQuery }),
      headers: lastEventHeaderSchema,
      response: { 200: eventText, ...PROBLEM_RESPONSES },
    },
    handler: (request, reply) => {
      const reader = authorizedRequest(request, "call:read");
      const afterSeq = request.headers["last-event-id"] ?? request.query.after;
      return streams.send(request, reply, (signal) => eventLog.followCall(reader, { callId: request.params.id, afterSeq, signal }));
    },
    wsHandler: (socket, request) => {
      const reader = authorizedRequest(request, "call:read");
      const { id } = request.params as { id: string };
      const { after } = request.query as { after: number };
      void sockets.send(socket, (signal) => eventLog.followCall(reader, { callId: id, afterSeq: after, signal }));
    },
  });
}

function feedRoute(app: FastifyInstance, { feed, streams, sockets }: LiveRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: "GET",
    url: "/api/v1/live",
    config: streamConfig,
    compress: false,
    schema: {
      ...{ tags, summary: "The events of all calls, over WebSocket or as server-sent events" },
      description: "Begins with what happened so far on the calls in progress. Without segment.interim unless asked for. Never ends by itself.",
      querystring: z.object({ interim: flagSchema.default(false), ...ticketQuery }),
      response: { 200: eventText, ...PROBLEM_RESPONSES },
    },
    handler: (request, reply) => {
      const reader = authorizedRequest(request, "call:read");
      return streams.send(request, reply, async (signal) => feed.follow(reader, { withInterims: request.query.interim, signal }));
    },
    wsHandler: (socket, request) => {
      const reader = authorizedRequest(request, "call:read");
      const { interim } = request.query as { interim: boolean };
      void sockets.send(socket, async (signal) => feed.follow(reader, { withInterims: interim, signal }));
    },
  });
}
