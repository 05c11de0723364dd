/** Speech to text for clients made for OpenAI's API: one request, one answer, errors in that API's shape. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { isEndedStatus } from "../../core/call.js";
import { AppError } from "../../core/errors.js";
import { openAiErrorSchema, openAiFormSchema, openAiTranscriptionSchema, toOpenAiJson, toOpenAiText } from "../../protocol/http/openai-shape.js";
import { lingerOverBody } from "../lingering.js";
import { authorizedRequest } from "../plugins/access.js";
import { fromFrameworkError, problemOfCode, toProblem } from "../problem.js";
import type { ServiceStatus } from "../service-status.js";
import { parseFields, readOneFile } from "../upload-form.js";
import { goneSignal, type ModelTaskRoutesOptions, soundReceiver } from "./model-tasks.js";

export type OpenAiRoutesOptions = Pick<ModelTaskRoutesOptions, "modelTasks" | "places" | "metrics" | "maxBytes" | "speechEngine"> & {
  readonly status: ServiceStatus;
};

/** Longer than any client waits; one that goes away ends its task. */
const WAIT_MS = 3_600_000;

export async function openAiRoutes(app: FastifyInstance, options: OpenAiRoutesOptions): Promise<void> {
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromFrameworkError(thrown);
    const { status, detail, code } = toProblem(error);
    const { retryAfterSeconds } = error.details;
    if (typeof retryAfterSeconds === "number") reply.header("retry-after", retryAfterSeconds);
    lingerOverBody(request);
    const type = status >= 500 ? "server_error" : "invalid_request_error";
    return reply
      .code(status)
      .type("application/json")
      .serializer(JSON.stringify)
      .send({ error: { message: detail, type, param: null, code } });
  });
  app.withTypeProvider<ZodTypeProvider>().post(
    "/v1/audio/transcriptions",
    {
      config: { permission: "model:run", form: { fields: openAiFormSchema, fileField: "file" } },
      schema: {
        tags: ["models"],
        summary: "Speech to text in the shape of OpenAI's API",
        description:
          "multipart/form-data with the file field `file` and the text fields model, language, response_format (json, text, srt, verbose_json, vtt).",
        consumes: ["multipart/form-data"],
        response: { 200: openAiTranscriptionSchema, "4xx": openAiErrorSchema, "5xx": openAiErrorSchema },
      },
    },
    async (request, reply) => {
      const gone = goneSignal(reply);
      const { sound, engine, language, format } = await options.places.hold(request, () => receive(request, options));
      const authorized = authorizedRequest(request, "model:run");
      const { taskId } = await options.modelTasks.submit(authorized, { modelTask: "speech", question: { language, engine } }, sound);
      const state = await options.modelTasks.waitFor(authorized, taskId, { timeoutMs: WAIT_MS, signal: gone });
      if (!isEndedStatus(state.status)) await options.modelTasks.cancel(authorized, taskId);
      if (state.answer?.modelTask !== "speech") {
        const code = state.errorCode ?? "MODEL_DEADLINE_EXCEEDED";
        throw new AppError(code, problemOfCode(code).detail);
      }
      if (format === "json" || format === "verbose_json") return toOpenAiJson(state.answer.answer, format);
      return reply.type("text/plain; charset=utf-8").send(toOpenAiText(state.answer.answer, format));
    },
  );
}

async function receive(request: FastifyRequest, options: OpenAiRoutesOptions) {
  const receiver = { ...soundReceiver(request, options, {}), fileFields: ["file", "audio"] };
  const { received: sound, fields } = await readOneFile(request, receiver);
  try {
    const { model, language, response_format: format } = parseFields(openAiFormSchema, fields);
    const isEngine = options.status.engines().some(({ modelTask, engine }) => modelTask === "speech" && engine === model);
    options.metrics.uploadBytes.inc(sound.byteCount);
    return { sound, language, format, engine: isEngine && model !== undefined ? model : options.speechEngine };
  } catch (error) {
    await receiver.discard(sound);
    throw error;
  }
}
