/** Recordings: upload, ask for the task, cancel it, list what is in work. */
import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { RecordingIntake, RecordingSettings, StagedRecording } from "../../calls/recording-intake.js";
import type { RecordingTask, RecordingTasks } from "../../calls/recording-tasks.js";
import { AppError } from "../../core/errors.js";
import type { Metrics } from "../../observability/metrics.js";
import { toWireAnalysis } from "../../protocol/http/analysis-schema.js";
import { problemSchema } from "../../protocol/http/problem-schema.js";
import {
  acceptedSchema,
  activeTasksSchema,
  cancelledSchema,
  recordingFormSchema,
  taskParametersSchema,
  taskSchema,
} from "../../protocol/http/recording-schema.js";
import { toWireCase } from "../../protocol/wire-case.js";
import type { Authorized } from "../../security/authorization.js";
import { authorizedRequest } from "../plugins/access.js";
import { problemOfCode } from "../problem.js";

export interface RecordingRoutesOptions {
  readonly intake: RecordingIntake;
  readonly tasks: RecordingTasks;
  readonly metrics: Metrics;
  readonly maxBytes: number;
  readonly uploadsAtOnce: number;
  readonly uploadIdleTimeoutMs: number;
  readonly speechEngine: string;
}

const AUDIO_FIELDS = ["audio", "file"];
const LISTED_TASKS = 100;
/** Form fields and part headers on top of the audio. */
const FORM_OVERHEAD_BYTES = 65_536;

export async function recordingRoutes(app: FastifyInstance, options: RecordingRoutesOptions): Promise<void> {
  // One byte over our own limit, so that it is our limit, with its own code, that speaks first.
  await app.register(multipart, { limits: { fileSize: options.maxBytes + 1, files: 1, fields: 20, fieldSize: 4_096, headerPairs: 50 } });
  uploadRoute(app, options);
  taskRoutes(app, options);
}

function uploadRoute(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const uploads = { running: 0 };
  routes.post(
    "/audio/process",
    {
      config: { permission: "recording:create" },
      schema: {
        tags: ["recordings"],
        summary: "Upload a recording for analysis",
        description:
          "multipart/form-data with the file field `audio` (or `file`) and the text fields language, include_translation, include_insights, call_id.",
        consumes: ["multipart/form-data"],
        response: { 202: acceptedSchema, "4xx": problemSchema, "5xx": problemSchema },
      },
    },
    async (request, reply) => {
      const authorized = authorizedRequest(request, "recording:create");
      takeUploadPlace(uploads, options);
      const { socket } = request.raw;
      const cut = (): void => void socket.destroy();
      socket.setTimeout(options.uploadIdleTimeoutMs).once("timeout", cut);
      try {
        const { taskId, callId } = await receiveUpload(request, authorized, options);
        reply.code(202).header("location", `/audio/task/${taskId}`);
        return { task_id: taskId, call_id: callId, status: "queued" as const, status_endpoint: `/audio/task/${taskId}` };
      } finally {
        socket.setTimeout(0).off("timeout", cut);
        uploads.running--;
      }
    },
  );
}

function taskRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  routes.get(
    "/audio/task/:id",
    {
      config: { permission: "task:read" },
      schema: {
        tags: ["recordings"],
        summary: "A task, with its analysis when it is done",
        params: taskParametersSchema,
        response: { 200: taskSchema, "4xx": problemSchema },
      },
    },
    async (request) => toWireTask(await options.tasks.get(authorizedRequest(request, "task:read"), request.params.id)),
  );

  routes.delete(
    "/audio/task/:id",
    {
      config: { permission: "task:cancel" },
      schema: {
        tags: ["recordings"],
        summary: "Cancel a queued or running task",
        params: taskParametersSchema,
        response: { 200: cancelledSchema, "4xx": problemSchema },
      },
    },
    async (request) => ({ task_id: request.params.id, status: await options.tasks.cancel(authorizedRequest(request, "task:cancel"), request.params.id) }),
  );

  routes.get(
    "/audio/tasks/active",
    {
      config: { permission: "task:read" },
      schema: { tags: ["recordings"], summary: "Queued and running tasks, newest first", response: { 200: activeTasksSchema } },
    },
    async (request) => {
      const tasks = await options.tasks.listActive(authorizedRequest(request, "task:read"), LISTED_TASKS);
      return { items: tasks.map((task) => toWireTask({ ...task, stages: [] })), next_cursor: null };
    },
  );
}

function takeUploadPlace(uploads: { running: number }, { uploadsAtOnce, metrics }: RecordingRoutesOptions): void {
  if (uploads.running >= uploadsAtOnce) {
    metrics.rateLimited.inc({ reason: "uploads" });
    throw new AppError("GATEWAY_UPLOADS_BUSY", "Too many uploads are running; try again when Retry-After says.", {
      retryable: true,
      details: { retryAfterSeconds: 5 },
    });
  }
  uploads.running++;
}

async function receiveUpload(request: FastifyRequest, authorized: Authorized<"recording:create">, options: RecordingRoutesOptions) {
  const { intake, maxBytes, metrics } = options;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes + FORM_OVERHEAD_BYTES) {
    throw new AppError(
      "AUDIO_TOO_LARGE",
      `The upload is larger than the ${Math.round(maxBytes / 1_048_576)} MB allowed; send a shorter or compressed recording.`,
    );
  }
  if (!request.isMultipart()) throw new AppError("GATEWAY_UNSUPPORTED_MEDIA_TYPE", "This path takes multipart/form-data with a file field named audio.");
  const { staged, settings } = await readForm(request, authorized, options);
  metrics.uploadBytes.inc(staged.byteCount);
  return intake.commit(authorized, staged, settings);
}

/** Reads the whole form; a recording received with a form that is wrong is discarded. */
async function readForm(request: FastifyRequest, authorized: Authorized<"recording:create">, { intake, speechEngine }: RecordingRoutesOptions) {
  const fields: Record<string, unknown> = {};
  let staged: StagedRecording | undefined;
  try {
    for await (const part of request.parts()) {
      if (part.type === "field") fields[part.fieldname] = part.value;
      else if (AUDIO_FIELDS.includes(part.fieldname) && staged === undefined) staged = await intake.receive(authorized, part.file);
      else throw new AppError("GATEWAY_BAD_REQUEST", "Send one file, in the field named audio.");
    }
    if (staged === undefined) throw new AppError("GATEWAY_BAD_REQUEST", "The form has no file: send the recording in the field named audio.");
    return { staged, settings: parseSettings(fields, speechEngine) };
  } catch (error) {
    if (staged !== undefined) await intake.discard(staged);
    throw toFormError(error);
  }
}

/** What the form's parser throws is the client's doing: malformed, cut off, or gone. */
function toFormError(error: unknown): unknown {
  const isOurs = error instanceof AppError || (error as NodeJS.ErrnoException).syscall !== undefined;
  return isOurs ? error : new AppError("GATEWAY_BAD_REQUEST", "The form can't be read: it is malformed, has too many parts, or was cut off.", { cause: error });
}

function parseSettings(fields: Record<string, unknown>, speechEngine: string): RecordingSettings {
  const form = recordingFormSchema.safeParse(fields);
  if (!form.success) {
    const wrong = z.flattenError(form.error).fieldErrors;
    throw new AppError("GATEWAY_BAD_REQUEST", "A form field is wrong; 'details' names it.", { details: { fields: Object.keys(wrong) } });
  }
  const { language, include_translation: includeTranslation, call_id: callId } = form.data;
  return { language, includeTranslation, speechEngine, ...(callId === undefined ? {} : { callId }) };
}

function toWireTask({ result, errorCode, ...task }: RecordingTask): z.infer<typeof taskSchema> {
  return {
    ...(toWireCase(task) as Omit<z.infer<typeof taskSchema>, "result" | "error">),
    ...(result === undefined ? {} : { result: toWireAnalysis(result) }),
    ...(errorCode === undefined ? {} : { error: problemOfCode(errorCode) }),
  };
}
