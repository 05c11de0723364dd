/**
 * The HTTP gateway: puts routes, access rules, errors and the OpenAPI page together. It holds no logic of calls; every
 * route asks a use case.
 */
import { constants } from "node:zlib";
import compress from "@fastify/compress";
import etag from "@fastify/etag";
import helmet from "@fastify/helmet";
import multipart from "@fastify/multipart";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import websocket from "@fastify/websocket";
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyReply } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { z } from "zod";
import type { AgentFeedbackUseCase } from "../calls/agent-feedback.js";
import { AppError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { errorFields } from "../observability/error-fields.js";
import type { TlsOptions } from "../security/tls-options.js";
import { createEventSockets } from "./event-socket.js";
import { createEventStreams, type EventStreamsOptions } from "./event-stream.js";
import { lingerOverBody } from "./lingering.js";
import { type AccessOptions, type FormDescription, guardRoutes, requireStatedPermissions } from "./plugins/access.js";
import { fromFrameworkError, toProblem } from "./problem.js";
import { agentFeedbackRoutes } from "./routes/agent-feedback.js";
import { type CallRoutesOptions, callRoutes } from "./routes/calls/calls.js";
import { dashboardRoutes } from "./routes/dashboard.js";
import { healthRoutes } from "./routes/health.js";
import { type LiveRoutesOptions, liveRoutes } from "./routes/live.js";
import { type ModelTaskRoutesOptions, modelTaskRoutes } from "./routes/model-tasks.js";
import { modelInfoRoutes } from "./routes/models.js";
import { type ModeRoutesOptions, modeRoutes } from "./routes/modes.js";
import { openAiRoutes } from "./routes/openai-transcriptions.js";
import { type OperationsRoutesOptions, operationsRoutes } from "./routes/operations.js";
import { type ProgressiveRoutesOptions, progressiveRoutes } from "./routes/progressive.js";
import { type RecordingRoutesOptions, recordingRoutes } from "./routes/recordings.js";
import { type TaskRoutesOptions, taskRoutes } from "./routes/tasks.js";
import { type WebhookRoutesOptions, webhookRoutes } from "./routes/webhooks.js";
import { createUploadPlaces, type UploadPlacesOptions } from "./upload-form.js";

export interface GatewayOptions {
  readonly access: AccessOptions;
  readonly uploads: Omit<UploadPlacesOptions, "metrics">;
  readonly events: Omit<EventStreamsOptions, "metrics">;
  readonly recordings: Omit<RecordingRoutesOptions, "places" | "streams" | "metrics"> & Pick<TaskRoutesOptions, "tasks">;
  readonly calls: CallRoutesOptions & { readonly feedback: AgentFeedbackUseCase };
  readonly live: Omit<LiveRoutesOptions, "eventLog" | "tickets" | "streams" | "sockets"> & ProgressiveRoutesOptions & Pick<ModeRoutesOptions, "defaultMode">;
  /** Routes of another door on the same port: audio in over WebSocket. */
  readonly media?: FastifyPluginAsync;
  /** Of the built dashboard; without one there is nothing at `/`. */
  readonly dashboardDirectory?: string;
  /** `operations`: health, metrics and what runs. Everything when absent. */
  readonly scope?: "whole" | "operations";
  readonly webhooks: WebhookRoutesOptions;
  readonly models: Omit<ModelTaskRoutesOptions, "places" | "metrics" | "history">;
  readonly operations: OperationsRoutesOptions;
  readonly logger: Logger;
  /** Whose word on where a request comes from is taken. */
  readonly trustedProxies?: readonly string[];
  readonly tls?: TlsOptions;
}

/** Of JSON: the longest text a model endpoint takes, every letter of it escaped, and room to spare. */
const BODY_BYTES = 4_194_304;
/** Of a WebSocket: the longest an exchange sends (65,500), and room for the same in base64. */
const SOCKET_MESSAGE_BYTES = 131_072;
const SOCKET_GOODBYE_MS = 500;
const CLOSE_STOPPING = 1001;
/** Of a path: the longest id of a call (128), every letter of it escaped. */
const MAX_PARAM_LENGTH = 400;
const DOCUMENTATION_PREFIX = "/docs";

/** Of 11: beyond it, answers come later than they would uncompressed on a local network. */
const BROTLI_QUALITY = 4;

/** A browser page of ours gets nothing from elsewhere; Swagger's page needs its inline styles. */
const CONTENT_SECURITY_POLICY = {
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", "data:"],
    // Sound is fetched with the reader's key, and played from memory.
    mediaSrc: ["'self'", "blob:"],
    frameAncestors: ["'none'"],
    upgradeInsecureRequests: null,
  },
};

/** Builds, and does not listen. */
export async function createGateway(options: GatewayOptions): Promise<FastifyInstance> {
  const { logger, trustedProxies = [] } = options;
  const app = Fastify({
    ...(options.tls === undefined ? {} : { https: options.tls as unknown as null }),
    logger: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // A client that sends nothing must not hold a place for ever; a body in flight may take its time.
    connectionTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 72_000,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    // A path that can't even be read gets the same kind of answer, and never an echo of itself.
    frameworkErrors: (_error, _request, reply) =>
      sendProblem(reply as unknown as FastifyReply, new AppError("GATEWAY_BAD_REQUEST", "The path can't be read: it is malformed or too long.")),
  });
  // A body of plain text is no body of ours: 415, and not an object with everything missing.
  app.removeContentTypeParser("text/plain");
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerErrors(app, logger);
  endRefusedUpgrades(app);
  measureRequests(app, options);
  requireStatedPermissions(app, [DOCUMENTATION_PREFIX]);
  await describeApi(app, options.operations.status.version);
  await app.register(healthRoutes, { status: options.operations.status });
  await app.register(async (guarded) => {
    // Without TLS a browser must not be told to insist on it.
    await guarded.register(helmet, { contentSecurityPolicy: CONTENT_SECURITY_POLICY, strictTransportSecurity: options.tls !== undefined });
    // A connection that is answered during shut-down is not kept open for more.
    guarded.addHook("onSend", async (_request, reply) => {
      if (!options.operations.status.isAccepting()) reply.header("connection", "close");
    });
    guardRoutes(guarded, options.access);
    // Before the routes: it makes their WebSocket handlers known.
    await guarded.register(websocket, { options: { maxPayload: SOCKET_MESSAGE_BYTES }, preClose: endSockets });
    await packAnswers(guarded);
    await registerRoutes(guarded, options);
  });
  return app;
}

async function packAnswers(guarded: FastifyInstance): Promise<void> {
  await guarded.register(etag, { weak: true });
  // After the tag, which is of the content and not of its packing.
  await guarded.register(compress, {
    threshold: 1_024,
    encodings: ["br", "gzip"],
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
  });
  // What is said of a call is not to lie in a browser's cache.
  guarded.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  });
}

async function registerRoutes(guarded: FastifyInstance, options: GatewayOptions): Promise<void> {
  const { metrics, status } = options.operations;
  await guarded.register(operationsRoutes, options.operations);
  if (options.scope === "operations") return;
  const places = createUploadPlaces({ ...options.uploads, metrics });
  const streams = createEventStreams(guarded, { ...options.events, metrics });
  const sockets = createEventSockets(guarded, streams, options.events);
  await guarded.register(multipart, { limits: formLimits(options.recordings), throwFileSizeLimit: false });
  await guarded.register(recordingRoutes, { ...options.recordings, places, streams, metrics });
  await guarded.register(taskRoutes, { ...options.recordings, streams });
  await guarded.register(liveRoutes, { ...options.live, eventLog: options.recordings.eventLog, tickets: options.access.tickets, streams, sockets });
  await guarded.register(progressiveRoutes, options.live);
  await guarded.register(webhookRoutes, options.webhooks);
  await guarded.register(modeRoutes, { ...options.webhooks, ...options.live });
  await guarded.register(callRoutes, options.calls);
  if (options.media !== undefined) await guarded.register(options.media);
  const models = { ...options.models, history: options.calls.history, places, metrics };
  await guarded.register(modelTaskRoutes, models);
  await guarded.register(openAiRoutes, { ...models, status });
  await guarded.register(modelInfoRoutes, options.operations);
  await guarded.register(agentFeedbackRoutes, options.calls);
  if (options.dashboardDirectory !== undefined) await guarded.register(dashboardRoutes, { directory: options.dashboardDirectory });
  await guarded.register(documentationRoutes);
}

function formLimits({ maxBytes, maxBatchFiles }: GatewayOptions["recordings"]) {
  // One byte over our own limit, so that it is our limit, with its own code, that speaks first.
  return { fileSize: maxBytes + 1, files: maxBatchFiles, fields: 20, fieldSize: 4_096, headerPairs: 50 };
}

/** Clients get a moment to hear that the service stops; one that does not read would keep it waiting for half a minute. */
function endSockets(this: FastifyInstance, done: () => void): void {
  const { clients } = this.websocketServer;
  for (const client of clients) client.close(CLOSE_STOPPING);
  setTimeout(() => {
    for (const client of clients) client.terminate();
  }, SOCKET_GOODBYE_MS);
  this.websocketServer.close(() => done());
}

/** The server forgets a connection that asked for an upgrade: one that was refused is ours to end. */
function endRefusedUpgrades(app: FastifyInstance): void {
  app.addHook("onResponse", (request, _reply, done) => {
    if (request.headers.upgrade !== undefined) request.raw.socket.destroySoon();
    done();
  });
}

function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFrameworkError(thrown);
    const problem = toProblem(error);
    if (problem.status >= 500) {
      logger.error("A request failed", {
        ...errorFields(thrown),
        method: request.method,
        route: request.routeOptions.url ?? "unknown",
        statusCode: problem.status,
      });
    }
    const { retryAfterSeconds } = error.details;
    if (typeof retryAfterSeconds === "number") reply.header("retry-after", retryAfterSeconds);
    else if (problem.status === 503) reply.header("retry-after", 5);
    if (problem.status === 401) reply.header("www-authenticate", "Bearer");
    lingerOverBody(request);
    return sendProblem(reply, error);
  });
  app.setNotFoundHandler({}, (_request, reply) =>
    sendProblem(reply, new AppError("GATEWAY_NOT_FOUND", "There is nothing at this path; /docs lists what there is.")),
  );
}

function sendProblem(reply: FastifyReply, error: AppError): FastifyReply {
  const problem = toProblem(error);
  return reply.code(problem.status).type("application/problem+json").serializer(JSON.stringify).send(problem);
}

function measureRequests(app: FastifyInstance, { access }: GatewayOptions): void {
  app.addHook("onResponse", (request, reply, done) => {
    const labels = { route: request.routeOptions.url ?? "unknown", method: request.method, status: `${Math.floor(reply.statusCode / 100)}xx` };
    access.metrics.requestSeconds.observe(labels, reply.elapsedTime / 1000);
    done();
  });
}

async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "openchs-ai", version, description: "Analysis of child helpline calls. Errors are RFC 9457 problem documents with a stable `code`." },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "An API key: openchs-ai keys create" } } },
      security: [{ bearer: [] }],
    },
    transform: (input) => {
      const { schema, url } = jsonSchemaTransform(input);
      const { permission, form } = input.route.config ?? {};
      return { url, schema: { ...schema, ...(permission === "public" ? { security: [] } : {}), ...(form === undefined ? {} : { body: describeForm(form) }) } };
    },
  });
}

/** Forms are read as they stream in and not by the framework, which therefore can't describe them. */
function describeForm({ fields, fileField, isMany = false }: FormDescription): object {
  const { properties = {} } = z.toJSONSchema(fields, { io: "input", unrepresentable: "any" });
  const file = { type: "string", format: "binary" };
  return { type: "object", required: [fileField], properties: { [fileField]: isMany ? { type: "array", items: file } : file, ...properties } };
}

async function documentationRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, { routePrefix: DOCUMENTATION_PREFIX });
  app.get("/openapi.json", { config: { permission: "public" }, schema: { hide: true } }, () => app.swagger());
}
