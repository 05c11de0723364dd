/** Entry of a model process with scripted engines: the question says what is to happen. */
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../src/core/errors.js";
import type { ModelEngine } from "../../src/inference/model-engine.js";
import { runInferenceWorker } from "../../src/inference/pool/inference-worker.js";
import { createScriptedEngine } from "../../src/inference/testing/scripted-engine.js";

const engine = createScriptedEngine({
  modelTask: "question_answering",
  answer: async ({ question }, signal) => {
    if (question === "crash") process.exit(9);
    if (question === "hang") for (;;) Math.sqrt(2);
    if (question === "refuse") throw new AppError("MODEL_INPUT_INVALID", "The engine can't take this input.");
    if (question === "slow") await wait(50, undefined, { signal });
    if (question === "wait until aborted") await wait(600_000, undefined, { signal });
    return { answer: `${process.pid} ${question}`, score: 1, evidence: [] };
  },
});

/** Preferred, and for calls that have ended only. */
const careful = createScriptedEngine({
  modelTask: "summary",
  answer: () => ({ summary: { text: "careful", sentences: [] } }),
});
const quick = createScriptedEngine({ modelTask: "summary", answer: () => ({ summary: { text: "quick", sentences: [] } }) });
const { capabilities } = careful.description;

/** Says with how many others each was answered. */
const batching: ModelEngine<"question_answering"> = {
  ...engine,
  async runTogether(inputs, { signals }) {
    if (inputs.some(({ question }) => question === "crash")) process.exit(9);
    return Promise.all(
      inputs.map(async ({ question }, index) => {
        if (question === "refuse") return { status: "rejected", reason: new AppError("MODEL_INPUT_INVALID", "The engine can't take this input.") } as const;
        if (question === "other engine") return { status: "rejected", reason: new AppError("MODEL_NOT_READY", "Not in this language.") } as const;
        if (question === "wait until aborted") {
          const aborted = await wait(600_000, undefined, { signal: signals[index] }).catch((reason: unknown) => reason);
          return { status: "rejected", reason: aborted } as const;
        }
        return { status: "fulfilled", value: { answer: `${process.pid} ${question} of ${inputs.length}`, score: 1, evidence: [] } } as const;
      }),
    );
  },
};

runInferenceWorker([
  batching as ModelEngine,
  { ...careful, description: { ...careful.description, capabilities: { ...capabilities, isTooSlowForLive: true } } } as ModelEngine,
  quick as ModelEngine,
]);
