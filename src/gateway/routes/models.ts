/** What the installed models are: per endpoint, and which languages speech is understood in. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { MODEL_TASKS, type ModelTask } from "../../core/model-task.js";
import type { EngineDescription } from "../../inference/model-engine.js";
import { modelsSchema } from "../../protocol/http/health-schema.js";
import { languagesSchema, modelInfoSchema } from "../../protocol/http/model-schema.js";
import { PROBLEM_RESPONSES } from "../../protocol/http/problem-schema.js";
import type { ServiceStatus } from "../service-status.js";

const tags = ["models"];
const config = { permission: "model:read" as const };

/** Model tasks by the endpoint that does them. */
const ENDPOINT_TASKS: Readonly<Record<string, readonly ModelTask[]>> = {
  whisper: ["speech"],
  translate: ["translation"],
  ner: ["entities"],
  classifier: ["classification", "risk"],
  summarizer: ["summary"],
  qa: ["quality", "question_answering"],
};

export async function modelInfoRoutes(app: FastifyInstance, options: { readonly status: ServiceStatus }): Promise<void> {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  for (const url of ["/health/models", "/models"]) {
    const permission = url === "/models" ? ("model:read" as const) : ("health:read" as const);
    const schema = {
      tags: [url === "/models" ? "models" : "operations"],
      summary: "Installed engines by model task",
      response: { 200: modelsSchema, ...PROBLEM_RESPONSES },
    };
    routes.get(url, { config: { permission }, schema }, () => listModels(options.status));
  }
  for (const [model, tasks] of Object.entries(ENDPOINT_TASKS)) {
    routes.get(
      `/${model}/info`,
      { config, schema: { tags, summary: "Which engines answer here", response: { 200: modelInfoSchema, ...PROBLEM_RESPONSES } } },
      () => {
        const engines = options.status.engines().filter(({ modelTask }) => tasks.includes(modelTask));
        return {
          model,
          status: engines.length > 0 ? ("ready" as const) : ("missing" as const),
          engines: engines.map((engine) => toWireEngine(engine, engines)),
        };
      },
    );
  }
  routes.get(
    "/whisper/languages",
    { config, schema: { tags, summary: "Languages speech is understood in", response: { 200: languagesSchema, ...PROBLEM_RESPONSES } } },
    () => {
      const speech = options.status.engines().filter(({ modelTask }) => modelTask === "speech");
      const languages = [...new Set(speech.flatMap(({ capabilities }) => capabilities.languages))].sort();
      const names = new Intl.DisplayNames("en", { type: "language" });
      return {
        items: languages.map((language) => ({
          language,
          name: language === "*" ? "any" : (names.of(language) ?? language),
          engines: speech.filter((engine) => engine.capabilities.languages.includes(language)).map(({ engine }) => engine),
        })),
      };
    },
  );
}

function listModels(status: ServiceStatus) {
  const engines = status.engines();
  return {
    items: engines.map((engine) => toWireEngine(engine, engines)),
    missing: MODEL_TASKS.filter((task) => !engines.some(({ modelTask }) => modelTask === task)),
  };
}

/** The first of its task is the one that `auto` takes. */
function toWireEngine({ modelTask, engine, revision, capabilities }: EngineDescription, engines: readonly EngineDescription[]) {
  const isInUse = engines.find((candidate) => candidate.modelTask === modelTask)?.engine === engine;
  return { task: modelTask, engine, revision, languages: [...capabilities.languages], low_quality: capabilities.lowQuality, in_use: isInUse };
}
