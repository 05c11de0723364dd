/**
 * Engines of the text tasks on a server with OpenAI's `/chat/completions`. They are for calls that have ended: a call that runs
 * waits for no server.
 */
import { AppError } from "../../../../core/errors.js";
import type { ChatTask, ModelTask } from "../../../../core/model-task.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";
import type { ModelEngine, TaskInputs, TaskOutputs } from "../../../model-engine.js";
import type { CaseTaxonomy } from "../../text-classification/case-decision.js";
import type { RemoteServer } from "../remote-client.js";
import { classificationQuestion, qualityQuestion, RISK_QUESTION, toClassification, toQuality, toRisks } from "./chat-case-tasks.js";
import { ChatClient } from "./chat-client.js";
import { answerQuestion, ENTITIES_QUESTION, SUMMARY_QUESTION, toAnswer, toEntities, toSummary, toTranslation, translationQuestion } from "./chat-text-tasks.js";
import { QuoteFinder } from "./quote-finder.js";

export interface ChatEngineOptions {
  readonly server: RemoteServer;
  readonly tasks: readonly ChatTask[];
  /** Of a call's text: longer ones are left to the next engine. */
  readonly maxCharacters: number;
  readonly taxonomy: CaseTaxonomy;
  /** The builtin engines. */
  readonly rules: readonly ModelEngine[];
}

type RunOptions = { readonly signal: AbortSignal };
type Work = { readonly [Task in ChatTask]: (input: TaskInputs[Task], options: RunOptions) => Promise<TaskOutputs[Task]> };

/** Ask nothing before they are run. */
export function createChatEngines(options: ChatEngineOptions): readonly ModelEngine[] {
  const { server, tasks, maxCharacters } = options;
  const work = workOf(new ChatClient(server), options);
  return tasks.map(
    (modelTask): ModelEngine => ({
      description: {
        modelTask,
        engine: "remote",
        revision: `remote-${server.model}`,
        capabilities: { languages: ["*"], lowQuality: false, isTooSlowForLive: true },
      },
      async run(input, { signal }) {
        signal.throwIfAborted();
        refuseLong("segments" in input ? input.segments : [], maxCharacters);
        const run = work[modelTask] as (input: TaskInputs[ModelTask], options: RunOptions) => Promise<TaskOutputs[ModelTask]>;
        return run(input, { signal });
      },
    }),
  );
}

function workOf(client: ChatClient, { taxonomy, rules }: ChatEngineOptions): Work {
  const ruled = <Task extends "classification" | "risk" | "quality">(task: Task, segments: readonly TranscriptSegment[], options: RunOptions) => {
    const engine = rules.find(({ description }) => description.modelTask === task) as ModelEngine<Task> | undefined;
    if (engine === undefined) throw new RangeError(`there is no builtin engine for ${task}`);
    return engine.run({ segments } as TaskInputs[Task], options);
  };
  return {
    async translation({ segments, targetLanguage }, { signal }) {
      const answer = await client.ask(segments, translationQuestion(targetLanguage), signal);
      return { language: targetLanguage, segments: toTranslation(answer, segments, targetLanguage) };
    },
    async entities({ segments }, { signal }) {
      return { entities: toEntities(await client.ask(segments, ENTITIES_QUESTION, signal), new QuoteFinder(segments)) };
    },
    async classification({ segments }, options) {
      const { classification } = await ruled("classification", segments, options);
      const answer = await client.ask(segments, classificationQuestion(taxonomy), options.signal);
      return { classification: toClassification(answer, taxonomy, classification, new QuoteFinder(segments)) };
    },
    async risk({ segments }, options) {
      const { risks } = await ruled("risk", segments, options);
      return { risks: toRisks(await client.ask(segments, RISK_QUESTION, options.signal), risks, new QuoteFinder(segments)) };
    },
    async summary({ segments }, { signal }) {
      return { summary: toSummary(await client.ask(segments, SUMMARY_QUESTION, signal), segments, new QuoteFinder(segments)) };
    },
    async quality({ segments }, options) {
      const { quality } = await ruled("quality", segments, options);
      return { quality: toQuality(await client.ask(segments, qualityQuestion(quality), options.signal), quality, new QuoteFinder(segments)) };
    },
    async question_answering({ segments, question }, { signal }) {
      return toAnswer(await client.ask(segments, answerQuestion(question), signal), new QuoteFinder(segments));
    },
  };
}

function refuseLong(segments: readonly TranscriptSegment[], maxCharacters: number): void {
  if (segments.reduce((sum, { text }) => sum + text.length, 0) <= maxCharacters) return;
  throw new AppError("MODEL_NOT_READY", "The call is longer than the model server is given (REMOTE_CHAT_MAX_CHARACTERS).");
}
