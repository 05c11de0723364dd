/** One model at a time: ask, wait if the client wants to, come back for the answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import type { CallHistory } from "../../calls/call-history.js";
import { isEndedStatus } from "../../core/call.js";
import { AppError } from "../../core/errors.js";
import type { ModelQuestion } from "../../core/model-answer.js";
import type { ModelTaskState, ModelTasks, StagedSound } from "../../model-tasks/model-tasks.js";
import type { Metrics } from "../../observability/metrics.js";
import {
  acceptedModelTaskSchema,
  answerBodySchema,
  classifyBodySchema,
  evaluateBodySchema,
  extractBodySchema,
  flatQuerySchema,
  modelTaskSchema,
  shapeQuerySchema,
  summarizeBodySchema,
  toWireModelResult,
  transcribeFormSchema,
  translateBodySchema,
  waitQuerySchema,
} from "../../protocol/http/model-schema.js";
import { openchsModelTaskSchema, toOpenchsModelTask } from "../../protocol/http/openchs-model-shape.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import { rawFormatSchema, taskParametersSchema } from "../../protocol/http/recording-schema.js";
import { authorizedRequest } from "../plugins/access.js";
import { problemOfCode } from "../problem.js";
import { type FormReceiver, parseFields, readOneFile, type UploadPlaces } from "../upload-form.js";

export interface ModelTaskRoutesOptions {
  readonly modelTasks: ModelTasks;
  readonly history: CallHistory;
  readonly places: UploadPlaces;
  readonly metrics: Metrics;
  readonly maxBytes: number;
  readonly speechEngine: string;
  readonly translationTarget: string;
}

const tags = ["models"];
const config = { permission: "model:run" as const };
const querystring = waitQuerySchema.extend(shapeQuerySchema.shape);
const answered = z.union([modelTaskSchema, openchsModelTaskSchema]);
const response = { 200: answered, 202: acceptedModelTaskSchema, ...PROBLEM_RESPONSES };

export async function modelTaskRoutes(app: FastifyInstance, options: ModelTaskRoutesOptions): Promise<void> {
  transcribeRoute(app, options);
  textRoutes(app, options);
  questionRoute(app, options);
  for (const model of ["whisper", "translate", "ner", "classifier", "summarizer", "qa"]) taskRoute(app, options, model);
}

type AskRequest = FastifyRequest<{ Querystring: z.infer<typeof querystring> }>;

interface Asking {
  readonly model: string;
  readonly question: ModelQuestion;
  readonly sound?: StagedSound;
  readonly flat?: boolean;
}

/** Submits, waits as long as the client asked for, and answers 200 with the end of it or 202. */
async function ask(request: AskRequest, reply: FastifyReply, { modelTasks }: ModelTaskRoutesOptions, asking: Asking) {
  const authorized = authorizedRequest(request, "model:run");
  const submitted = await modelTasks.submit(authorized, asking.question, asking.sound);
  const { wait, shape } = request.query;
  const state = wait === 0 ? submitted : await modelTasks.waitFor(authorized, submitted.taskId, { timeoutMs: wait * 1000, signal: goneSignal(reply) });
  if (isEndedStatus(state.status)) return shape === "openchs" ? toOpenchsModelTask(state, asking.flat ?? true) : toWireState(state, asking.flat ?? true);
  const endpoint = `/${asking.model}/task/${state.taskId}`;
  reply.code(202).header("location", endpoint);
  return { task_id: state.taskId, status: state.status, status_endpoint: endpoint };
}

/** Aborted when the client went away. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}

function toWireState({ taskId, status, progress, answer, errorCode }: ModelTaskState, flat: boolean): z.infer<typeof modelTaskSchema> {
  return {
    ...{ task_id: taskId, status, progress },
    ...(answer === undefined ? {} : { result: toWireModelResult(answer, flat) }),
    ...(errorCode === undefined || answer !== undefined ? {} : { error: problemOfCode(errorCode) }),
  };
}

function transcribeRoute(app: FastifyInstance, options: ModelTaskRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    "/whisper/transcribe",
    {
      config: { ...config, form: { fields: transcribeFormSchema, fileField: "audio" } },
      schema: {
        ...{ tags, summary: "Speech to text of one recording, outside of any call", consumes: ["multipart/form-data"], response },
        description: "multipart/form-data with the file field `audio` (or `file`) and the text field language.",
        querystring: querystring.extend({ format: rawFormatSchema.optional() }),
      },
    },
    async (request, reply) => {
      const { sound, language } = await options.places.hold(request, () => receiveSound(request, options, request.query.format));
      return ask(request, reply, options, { model: "whisper", question: { modelTask: "speech", question: { language, engine: options.speechEngine } }, sound });
    },
  );
}

async function receiveSound(request: FastifyRequest, options: ModelTaskRoutesOptions, rawFormat: z.infer<typeof rawFormatSchema> | undefined) {
  const receiver = soundReceiver(request, options, rawFormat === undefined ? {} : { rawFormat });
  const { received: sound, fields } = await readOneFile(request, receiver);
  try {
    const { language } = parseFields(transcribeFormSchema, fields);
    options.metrics.uploadBytes.inc(sound.byteCount);
    return { sound, language };
  } catch (error) {
    await receiver.discard(sound);
    throw error;
  }
}

/** Takes sound in for a model task. */
export function soundReceiver(
  request: FastifyRequest,
  { modelTasks, maxBytes }: Pick<ModelTaskRoutesOptions, "modelTasks" | "maxBytes">,
  format: Parameters<ModelTasks["receive"]>[2],
): FormReceiver<StagedSound> {
  const authorized = authorizedRequest(request, "model:run");
  return {
    fileFields: ["audio", "file"],
    maxBytes,
    receive: (content) => modelTasks.receive(authorized, content, format),
    discard: (sound) => modelTasks.discard(sound),
  };
}

function textRoutes(app: FastifyInstance, options: ModelTaskRoutesOptions): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const summary = "Translate a text";
  for (const url of ["/translate/", "/translate"]) {
    routes.post(url, { config, schema: { tags, summary, body: translateBodySchema, querystring, response } }, (request, reply) => {
      const { text, language, target_language: targetLanguage = options.translationTarget } = request.body;
      return ask(request, reply, options, { model: "translate", question: { modelTask: "translation", question: { text, language, targetLanguage } } });
    });
  }
  routes.post(
    "/ner/extract",
    { config, schema: { tags, summary: "Names, places, ages and the like in a text", body: extractBodySchema, querystring, response } },
    (request, reply) =>
      ask(request, reply, options, { model: "ner", question: { modelTask: "entities", question: { text: request.body.text } }, flat: request.body.flat }),
  );
  routes.post(
    "/classifier/classify",
    { config, schema: { tags, summary: "What kind of case a text tells of", body: classifyBodySchema, querystring, response } },
    (request, reply) => {
      const text = request.body.text ?? request.body.narrative ?? "";
      return ask(request, reply, options, { model: "classifier", question: { modelTask: "classification", question: { text } } });
    },
  );
  routes.post(
    "/summarizer/summarize",
    { config, schema: { tags, summary: "A text in a few sentences", body: summarizeBodySchema, querystring, response } },
    (request, reply) => ask(request, reply, options, { model: "summarizer", question: { modelTask: "summary", question: { text: request.body.text } } }),
  );
  routes.post(
    "/qa/evaluate",
    { config, schema: { tags, summary: "Call-quality marks of a transcript", body: evaluateBodySchema, querystring, response } },
    (request, reply) => {
      const text = request.body.transcript ?? request.body.text ?? "";
      return ask(request, reply, options, { model: "qa", question: { modelTask: "quality", question: { text } } });
    },
  );
}

function questionRoute(app: FastifyInstance, options: ModelTaskRoutesOptions): void {
  app.withTypeProvider<ZodTypeProvider>().post(
    "/qa/answer",
    {
      config,
      schema: {
        ...{ tags, body: answerBodySchema, querystring, response, summary: "Answer a question from a text or a call" },
        description: "The answer is a span of the text. Asking of a call needs the permission transcript:read and is audited.",
      },
    },
    async (request, reply) => {
      const { question, context, call_id: callId } = request.body;
      const segments = callId === undefined ? undefined : await segmentsOfCall(request, options.history, callId);
      const asked = { question, text: context ?? "", ...(segments === undefined ? {} : { segments }) };
      return ask(request, reply, options, { model: "qa", question: { modelTask: "question_answering", question: asked } });
    },
  );
}

async function segmentsOfCall(request: FastifyRequest, history: CallHistory, callId: string) {
  authorizedRequest(request, "transcript:read");
  const { transcript } = await history.analysis(authorizedRequest(request, "call:read"), callId);
  if (transcript === null || transcript.segments.length === 0) {
    throw new AppError("CALL_NOT_TRANSCRIBED", "The call has no transcript to answer from, or not yet.");
  }
  return transcript.segments;
}

function taskRoute(app: FastifyInstance, { modelTasks }: ModelTaskRoutesOptions, model: string): void {
  app.withTypeProvider<ZodTypeProvider>().get(
    `/${model}/task/:id`,
    {
      config,
      schema: {
        tags,
        summary: "The answer, for whoever asked",
        params: taskParametersSchema,
        querystring: flatQuerySchema,
        response: { 200: answered, ...PROBLEM_RESPONSES },
      },
    },
    async (request) => {
      const state = await modelTasks.get(authorizedRequest(request, "model:run"), request.params.id);
      const isFlat = request.query.flat === "true";
      return request.query.shape === "openchs" ? toOpenchsModelTask(state, isFlat) : toWireState(state, isFlat);
    },
  );
}
