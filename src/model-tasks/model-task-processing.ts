/** The use case behind a model task's job: read the question, ask the engine, store the answer. Idempotent by task id. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type DetectSpeechOutput, detectSpeech } from "../analysis/steps/detect-speech.js";
import { asTranslated, identifyLanguages } from "../analysis/steps/identify-languages.js";
import { type TranscribeOutput, transcribeChannels } from "../analysis/steps/transcribe-channels.js";
import type { RecordingDecoder } from "../audio/decoder.js";
import { AppError } from "../core/errors.js";
import { UNDETERMINED_LANGUAGE } from "../core/language.js";
import type { MadeAnswer, ModelQuestion, ModelQuestions } from "../core/model-answer.js";
import type { ModelTask } from "../core/model-task.js";
import type { TaskInputs, TaskOutputs } from "../inference/model-engine.js";
import type { InferenceRunner } from "../inference/pool/inference-pool.js";
import type { AudioStore } from "../storage/audio-store.js";
import { fetchRecording } from "../storage/recording-fetch.js";
import type { ModelTaskRecord, ModelTaskRepository } from "../storage/repositories/model-task-repository.js";
import { toTextTranscript } from "./text-transcript.js";

export interface ModelTaskProcessingDependencies {
  readonly modelTasks: ModelTaskRepository;
  readonly audioStore: AudioStore;
  readonly decoder: RecordingDecoder;
  readonly inference: InferenceRunner;
  readonly workDirectory: string;
  readonly defaultLanguages: readonly string[];
}

export interface ModelTaskProcessing {
  /** @throws AppError what the engine or the decoder throws; a task that expired is done */
  process(taskId: string, signal: AbortSignal): Promise<void>;
  /** There will be no answer: what was sent to be heard is removed. */
  giveUp(taskId: string): Promise<void>;
}

const TEXT_DEADLINE_MS = 120_000;

/** Sound is removed once there is an answer. */
export function createModelTaskProcessing(dependencies: ModelTaskProcessingDependencies): ModelTaskProcessing {
  const { modelTasks, audioStore } = dependencies;
  return {
    async process(taskId, signal) {
      const found = await modelTasks.findTask(taskId);
      if (found === undefined || found.task.answer !== null) return;
      const { task, audioKeyBytes } = found;
      const startedAtMs = performance.now();
      const answer =
        task.question.modelTask === "speech"
          ? await transcribe(dependencies, { task, key: audioKeyBytes, question: task.question.question, signal })
          : await askText(dependencies, task.question, signal);
      await modelTasks.saveAnswer(taskId, { ...answer, processingMs: Math.round(performance.now() - startedAtMs) });
      if (task.audio !== null) await audioStore.remove(task.audio.audioKey);
    },
    giveUp: (taskId) => removeSound(dependencies, taskId),
  };
}

/** Also of a task that was cancelled before it ran. */
export async function removeSound(
  { modelTasks, audioStore }: Pick<ModelTaskProcessingDependencies, "modelTasks" | "audioStore">,
  taskId: string,
): Promise<void> {
  const audioKey = await modelTasks.forgetAudio(taskId);
  if (audioKey !== null) await audioStore.remove(audioKey);
}

interface SpeechTask {
  readonly task: ModelTaskRecord;
  readonly key: Buffer;
  readonly question: ModelQuestions["speech"];
  readonly signal: AbortSignal;
}

async function transcribe(dependencies: ModelTaskProcessingDependencies, { task, key, question, signal }: SpeechTask): Promise<MadeAnswer> {
  const { audioStore, decoder, inference } = dependencies;
  if (task.audio === null) throw new AppError("AUDIO_FILE_NOT_FOUND", "The sound of this task does not exist any more.");
  const workDirectory = join(dependencies.workDirectory, task.taskId);
  try {
    const fetched = await fetchRecording(audioStore, { recording: task.audio, key, workDirectory, signal });
    const recording = await decoder.decode({ ...fetched, workDirectory, signal });
    const speech: DetectSpeechOutput | null = (await detectSpeech(inference, recording, signal)).output;
    const { language, engine } = question;
    const allowedLanguages = language === "auto" ? dependencies.defaultLanguages : [language];
    const work = await transcribeChannels(inference, { recording, speech: speech?.channels ?? [], language, allowedLanguages, engine, signal });
    if (work.failure !== undefined) throw work.failure;
    const { transcript, model } = work.output as TranscribeOutput;
    return { modelTask: "speech", model, answer: { transcript, durationMs: recording.durationMs, warnings: recording.warnings } };
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

type TextQuestion = Exclude<ModelQuestion, { readonly modelTask: "speech" }>;

async function askText({ inference }: ModelTaskProcessingDependencies, asked: TextQuestion, signal: AbortSignal): Promise<MadeAnswer> {
  const language = asked.modelTask === "translation" ? asked.question.language : UNDETERMINED_LANGUAGE;
  const { segments: sent, toTextOffsets } = toTextTranscript(asked.question.text, language);
  const { segments } = await identifyLanguages(inference, sent, { signal });
  const ask = async <Task extends ModelTask, Answer>(modelTask: Task, input: TaskInputs[Task], pick: (output: TaskOutputs[Task]) => Answer) => {
    const { output, engine, revision } = await inference.run(modelTask, input, { signal, deadlineMs: TEXT_DEADLINE_MS });
    return { answer: pick(output), model: { task: modelTask, engine, id: engine, revision } };
  };
  switch (asked.modelTask) {
    case "translation": {
      const { targetLanguage } = asked.question;
      const join = (output: TaskOutputs["translation"]) => ({ text: output.segments.map(({ text }) => text).join("\n"), language: output.language });
      return { modelTask: "translation", ...(await ask("translation", { segments: asTranslated(segments, targetLanguage), targetLanguage }, join)) };
    }
    case "entities":
      return { modelTask: "entities", ...(await ask("entities", { segments }, (output) => toTextOffsets(output.entities))) };
    case "classification":
      return { modelTask: "classification", ...(await ask("classification", { segments }, (output) => toTextOffsets(output.classification))) };
    case "summary":
      return { modelTask: "summary", ...(await ask("summary", { segments }, (output) => toTextOffsets(output.summary))) };
    case "quality":
      return { modelTask: "quality", ...(await ask("quality", { segments }, (output) => toTextOffsets(output.quality))) };
    case "question_answering": {
      const { question, segments: ofCall } = asked.question;
      return {
        modelTask: "question_answering",
        ...(await ask("question_answering", { question, segments: ofCall ?? segments }, ofCall === undefined ? toTextOffsets : same)),
      };
    }
  }
}

/** A call's own segments: their offsets are right as they are. */
function same<T>(value: T): T {
  return value;
}
