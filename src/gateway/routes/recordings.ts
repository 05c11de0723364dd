/** Recordings come in: one, many, or one with its events on the same connection. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallEventLog } from "../../calls/call-event-log.js";
import type { Batch, RecordingBatches } from "../../calls/recording-batches.js";
import type { AcceptedRecording, RecordingIntake, RecordingSettings, StagedRecording } from "../../calls/recording-intake.js";
import { AppError } from "../../core/errors.js";
import type { Metrics } from "../../observability/metrics.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import {
  acceptedBatchSchema,
  acceptedSchema,
  batchSchema,
  idempotencyHeaderSchema,
  rawFormatSchema,
  recordingFormSchema,
  taskParametersSchema,
} from "../../protocol/http/recording-schema.js";
import { toWireCase } from "../../protocol/wire-case.js";
import type { Authorized } from "../../security/authorization.js";
import type { EventStreams } from "../event-stream.js";
import { authorizedRequest } from "../plugins/access.js";
import { problemOfCode, toProblem } from "../problem.js";
import { type FormFields, type FormReceiver, parseFields, readManyFiles, readOneFile, type UploadPlaces } from "../upload-form.js";

export interface RecordingRoutesOptions {
  readonly intake: RecordingIntake;
  readonly batches: RecordingBatches;
  readonly eventLog: CallEventLog;
  readonly streams: EventStreams;
  readonly places: UploadPlaces;
  readonly metrics: Metrics;
  readonly maxBytes: number;
  readonly maxBatchFiles: number;
  readonly speechEngine: string;
}

const tags = ["recordings"];
const FORM =
  "multipart/form-data with the file field `audio` (or `file`) and the text fields language, include_translation, include_insights, call_id. " +
  "A file that has no header of its own needs `format` (gsm, slin, slin16, ulaw, alaw) in the query, or in the form before the file. " +
  "With an Idempotency-Key header, the same upload sent again is the same call.";
const upload = { consumes: ["multipart/form-data"], querystring: z.object({ format: rawFormatSchema.optional() }), headers: idempotencyHeaderSchema };
const config = { permission: "recording:create" as const, form: { fields: recordingFormSchema, fileField: "audio" } };

export async function recordingRoutes(app: FastifyInstance, options: RecordingRoutesOptions): Promise<void> {
  uploadRoutes(app, options);
  streamRoute(app, options);
  batchRoutes(app, options);
}

function uploadRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const response = { 202: acceptedSchema, ...PROBLEM_RESPONSES };
  const accept = async (request: FastifyRequest, reply: FastifyReply, defaults: FormFields) => {
    const accepted = await options.places.hold(request, () => acceptRecording(request, options, defaults));
    if (accepted.isRepeated) reply.header("idempotent-replayed", "true");
    reply.code(202).header("location", `/audio/task/${accepted.taskId}`);
    return toWireAccepted(accepted);
  };
  routes.post(
    "/audio/process",
    { config, schema: { tags, summary: "Upload a recording for analysis", description: FORM, ...upload, response } },
    (request, reply) => accept(request, reply, {}),
  );
  routes.post(
    "/audio/analyze",
    { config, schema: { tags, summary: "Upload a recording for analysis, untranslated unless asked", description: FORM, ...upload, response } },
    (request, reply) => accept(request, reply, { include_translation: "false" }),
  );
}

function streamRoute(app: FastifyInstance, { places, eventLog, streams, ...options }: RecordingRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    "/audio/process-stream",
    {
      config,
      compress: false,
      schema: {
        tags,
        summary: "Upload a recording and follow its analysis as server-sent events",
        description: `${FORM} The events are those of /audio/task/{id}/events, where a client that lost the connection goes on; the headers x-task-id and x-call-id name the task and the call.`,
        ...upload,
        response: { 200: z.string().meta({ contentMediaType: "text/event-stream" }), 204: z.null(), ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      // Before anything is stored: a client told to come back sends its recording again.
      streams.refuseWhenFull();
      const accepted = await places.hold(request, () => acceptRecording(request, options, {}));
      reply.header("x-task-id", accepted.taskId).header("x-call-id", accepted.callId).header("location", `/audio/task/${accepted.taskId}`);
      const reader = authorizedRequest(request, "task:read");
      return streams.send(request, reply, (signal) => eventLog.follow(reader, { taskId: accepted.taskId, afterSeq: 0, signal }));
    },
  );
}

function batchRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.post(
    "/audio/batch",
    {
      config: { ...config, form: { fields: recordingFormSchema.omit({ call_id: true }), fileField: "audio", isMany: true } },
      schema: {
        tags,
        summary: "Upload many recordings at once",
        description: `${FORM} Send each file in a field named audio (or file); call_id is not taken. Every file is accepted or refused on its own.`,
        ...upload,
        response: { 202: acceptedBatchSchema, ...PROBLEM_RESPONSES },
      },
    },
    async (request, reply) => {
      const { files, batchId, items } = await options.places.hold(request, () => acceptBatch(request, options));
      reply.code(202).header("location", `/audio/batch/${batchId}`);
      return {
        batch_id: batchId,
        status_endpoint: `/audio/batch/${batchId}`,
        items: items.map((item, position) => {
          const place = { position, file_name: files[position]?.fileName ?? "" };
          return "error" in item ? { ...place, status: "refused" as const, error: toProblem(item.error) } : { ...place, ...toWireAccepted(item) };
        }),
      };
    },
  );
  routes.get(
    "/audio/batch/:id",
    {
      config: { permission: "task:read" },
      schema: { tags, summary: "How far the recordings of a batch are", params: taskParametersSchema, response: { 200: batchSchema, ...PROBLEM_RESPONSES } },
    },
    async (request) => toWireBatch(await options.batches.get(authorizedRequest(request, "task:read"), request.params.id)),
  );
}

type IntakeOptions = Pick<RecordingRoutesOptions, "intake" | "metrics" | "maxBytes" | "speechEngine">;

async function acceptRecording(request: FastifyRequest, options: IntakeOptions, defaults: FormFields): Promise<AcceptedRecording> {
  const authorized = authorizedRequest(request, "recording:create");
  const receiver = recordingReceiver(request, authorized, options);
  const { received, fields } = await readOneFile(request, receiver);
  const settings = await orDiscard([received], receiver, () => settingsOf(request, { ...defaults, ...fields }, options));
  options.metrics.uploadBytes.inc(received.byteCount);
  return options.intake.commit(authorized, received, settings);
}

async function acceptBatch(request: FastifyRequest, options: RecordingRoutesOptions) {
  const authorized = authorizedRequest(request, "recording:create");
  const receiver = recordingReceiver(request, authorized, options);
  const { files, fields } = await readManyFiles(request, receiver);
  const received = files.flatMap((file) => ("received" in file ? [file.received] : []));
  const { callId: _none, ...settings } = await orDiscard(received, receiver, () => settingsOf(request, fields, options));
  for (const { byteCount } of received) options.metrics.uploadBytes.inc(byteCount);
  if (received.length === 0) throw batchRefused(files.map((file) => ("error" in file ? file.error.code : "INTERNAL")));
  const entries = files.map((file) => ("received" in file ? { staged: file.received } : { error: file.error }));
  return { files, ...(await options.batches.commit(authorized, entries, settings)) };
}

function recordingReceiver(
  request: FastifyRequest,
  authorized: Authorized<"recording:create">,
  { intake, maxBytes }: IntakeOptions,
): FormReceiver<StagedRecording> {
  return {
    fileFields: ["audio", "file"],
    maxBytes,
    receive(content, fields) {
      const { format = fields["format"] } = request.query as { readonly format?: unknown };
      const rawFormat = format === undefined || format === "" ? undefined : parseFields(z.object({ format: rawFormatSchema }), { format }).format;
      return intake.receive(authorized, content, rawFormat === undefined ? {} : { rawFormat });
    },
    discard: (staged) => intake.discard(staged),
  };
}

async function orDiscard<Received, T>(received: readonly Received[], receiver: FormReceiver<Received>, work: () => T): Promise<T> {
  try {
    return work();
  } catch (error) {
    for (const one of received) await receiver.discard(one);
    throw error;
  }
}

function settingsOf(request: FastifyRequest, fields: FormFields, { speechEngine }: IntakeOptions): RecordingSettings {
  const { language, include_translation: includeTranslation, call_id: callId } = parseFields(recordingFormSchema, fields);
  const idempotencyKey = request.headers["idempotency-key"];
  return {
    ...{ language, includeTranslation, speechEngine },
    ...(callId === undefined ? {} : { callId }),
    ...(typeof idempotencyKey === "string" ? { idempotencyKey } : {}),
  };
}

function toWireAccepted({ taskId, callId, status }: Pick<AcceptedRecording, "taskId" | "callId" | "status">): z.infer<typeof acceptedSchema> {
  return { task_id: taskId, call_id: callId, status, status_endpoint: `/audio/task/${taskId}` };
}

function toWireBatch({ items, ...batch }: Batch): z.infer<typeof batchSchema> {
  const wireItems = items.map(({ errorCode, ...item }) => ({
    ...(toWireCase(item) as Omit<z.infer<typeof batchSchema>["items"][number], "error">),
    ...(errorCode === undefined ? {} : { error: problemOfCode(errorCode) }),
  }));
  const { batchId, status, progress } = batch;
  return { batch_id: batchId, status, progress, items: wireItems };
}

/** Nothing of a batch can become a task: that is a refusal, and it says why for each file. */
function batchRefused(codes: readonly string[]): AppError {
  return new AppError("CALL_BATCH_REFUSED", "No file of the batch could be taken in; 'details' has the reason of each, in order.", { details: { codes } });
}
