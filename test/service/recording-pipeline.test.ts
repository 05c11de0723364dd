/** The recording pipeline with scripted models and real decoding, storage and queue: partial results and retries. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageAssets } from "../../src/app/paths.js";
import { createRecordingDecoder } from "../../src/audio/decoder.js";
import { createMemoryResultCache } from "../../src/cache/backends/memory-result-cache.js";
import { type CallEventLog, createCallEventLog } from "../../src/calls/call-event-log.js";
import { removeOrphanAudio } from "../../src/calls/deletion/orphan-audio.js";
import { createRecordingIntake, type RecordingIntake } from "../../src/calls/recording-intake.js";
import { createRecordingProcessing } from "../../src/calls/recording-processing.js";
import { createRecordingTasks, type RecordingTask, type RecordingTasks } from "../../src/calls/recording-tasks.js";
import { createTextMasking } from "../../src/calls/text-masking.js";
import type { AnalysisStage } from "../../src/core/analysis-result.js";
import { systemClock } from "../../src/core/clock.js";
import { AppError } from "../../src/core/errors.js";
import type { ModelTask } from "../../src/core/model-task.js";
import { createMemoryEventBus } from "../../src/events/backends/memory-event-bus.js";
import { createBuiltinPiiDetector } from "../../src/inference/backends/builtin/personal-data/builtin-pii-detector.js";
import type { TaskInputs, TaskOutputs } from "../../src/inference/model-engine.js";
import type { InferenceRunner } from "../../src/inference/pool/inference-pool.js";
import { createProcessRecordingHandler } from "../../src/jobs/process-recording.js";
import { placeStages } from "../../src/jobs/stage-placement.js";
import { EmbeddedQueueBackend } from "../../src/queue/backends/embedded-queue-backend.js";
import type { QueueName } from "../../src/queue/queue-backend.js";
import { authorize } from "../../src/security/authorization.js";
import { createEphemeralMasterKey } from "../../src/security/master-key.js";
import { createSealerFactory } from "../../src/security/sealing/sealed-text.js";
import { createFilesystemAudioStore } from "../../src/storage/backends/filesystem-audio-store.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { createAnalysisRepository } from "../../src/storage/repositories/analysis-repository.js";
import { createAuditRepository } from "../../src/storage/repositories/audit-repository.js";
import { createCallEventRepository } from "../../src/storage/repositories/call-event-repository.js";
import { createCallRepository } from "../../src/storage/repositories/call-repository.js";
import { createJobRepository } from "../../src/storage/repositories/job-repository.js";
import { createLiveCallRepository } from "../../src/storage/repositories/live-call-repository.js";
import { createModelTaskRepository } from "../../src/storage/repositories/model-task-repository.js";
import { shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

type Script = { [Task in ModelTask]?: (input: TaskInputs[Task], call: number) => TaskOutputs[Task] };

const agent = { actorId: "test", role: "agent" } as const;
const nothing = { label: null, score: 0, evidence: [] };

/** Answers of a model for each task; a test replaces some. */
const CALM: Script = {
  voice_activity: ({ audio }) => ({ frameMs: 32, speechScores: new Float32Array(Math.ceil(audio.sampleCount / 512)).fill(1), degraded: false }),
  speech: ({ utterances }) => ({
    language: "en",
    lowQuality: false,
    utterances: utterances.map((utterance) => ({ ...utterance, text: "he is safe now", language: "en", score: 0.9, words: [] })),
  }),
  entities: () => ({ entities: [] }),
  classification: () => ({ classification: { contactType: nothing, mainCategory: nothing, subCategory: nothing, intervention: nothing, priority: nothing } }),
  risk: () => ({ risks: [] }),
  summary: () => ({ summary: { text: "", sentences: [] } }),
  quality: () => ({ quality: { heads: [] } }),
};

interface Pipeline {
  readonly intake: RecordingIntake;
  readonly tasks: RecordingTasks;
  readonly eventLog: CallEventLog;
  /** Tasks in the order models were asked. */
  readonly asked: ModelTask[];
  /** The same on the worker with a GPU, in a pipeline that has one. */
  readonly askedOnCuda: ModelTask[];
  readonly database: AppDatabase;
  close(): Promise<void>;
}

async function startPipeline(
  directory: string,
  script: Script,
  { cudaStages = [] }: { readonly cudaStages?: readonly AnalysisStage[] } = {},
): Promise<Pipeline> {
  const database = openDatabase({ path: join(directory, "test.db") });
  await database.migrate();
  const sealers = createSealerFactory(createEphemeralMasterKey());
  const calls = createCallRepository({ database, sealers });
  const analyses = createAnalysisRepository({ database });
  const audit = createAuditRepository({ database, key: Buffer.alloc(32, 1) });
  const audioStore = await createFilesystemAudioStore({ directory: join(directory, "audio") });
  const workDirectory = join(directory, "work");
  await mkdir(workDirectory);
  const asked: ModelTask[] = [];
  const askedOnCuda: ModelTask[] = [];
  const inferenceOf = (worker: QueueName): InferenceRunner => ({
    engines: () => [],
    async run(modelTask, input) {
      asked.push(modelTask);
      if (worker === "recordings-cuda") askedOnCuda.push(modelTask);
      const answer = { ...CALM, ...script }[modelTask] as ((input: unknown, call: number) => never) | undefined;
      if (answer === undefined) throw new AppError("MODEL_NOT_READY", "No engine is installed for this.");
      return { output: answer(input, asked.filter((task) => task === modelTask).length), engine: "scripted", revision: "1" };
    },
  });
  const jobs = createJobRepository({ database });
  const queue = new EmbeddedQueueBackend({
    jobs,
    clock: systemClock,
    retryPolicy: { firstDelayMs: 5, maxDelayMs: 20 },
    leaseMs: 5_000,
    pollIntervalMs: 50,
    isExclusive: true,
    maxStalls: 3,
  });
  await queue.start();
  const decoder = createRecordingDecoder({ timeoutMs: 30_000, maxDurationMs: 600_000, prefer: "auto" });
  const bus = createMemoryEventBus();
  const masking = createTextMasking({
    openDetector: () => createBuiltinPiiDetector({ assetsDirectory: packageAssets().languageData }),
    events: createCallEventRepository({ database }),
    cache: createMemoryResultCache({ onLookup: () => {} }),
    clock: systemClock,
    onUnavailable: (error) => {
      throw error;
    },
  });
  const eventLog = createCallEventLog({ calls, events: createCallEventRepository({ database }), bus, queue, masking, audit, clock: systemClock });
  const dependencies = {
    database,
    calls,
    analyses,
    liveCallRecords: createLiveCallRepository({ database }),
    eventLog,
    audioStore,
    workDirectory,
    decoder,
    clock: systemClock,
    defaultLanguages: ["sw", "en"],
    translationTarget: "en",
  };
  for (const worker of cudaStages.length === 0 ? (["recordings"] as const) : (["recordings", "recordings-cuda"] as const)) {
    const processing = createRecordingProcessing({ ...dependencies, inference: inferenceOf(worker) });
    queue.consume(worker, createProcessRecordingHandler(processing, placeStages({ cudaStages, queues: [worker] })), { concurrency: 1 });
  }
  expect(await removeOrphanAudio({ audioStore, calls, modelTasks: createModelTaskRepository({ database, sealers }) })).toBe(0);
  return {
    intake: createRecordingIntake({
      ...{ database, calls, sealers, audioStore, queue, eventLog, audit, clock: systemClock },
      ...{ maxBytes: 10_000_000, maxAttempts: 3, fingerprintKey: Buffer.alloc(32, 2) },
    }),
    tasks: createRecordingTasks({ database, queue, calls, analyses, eventLog, masking, audit, clock: systemClock }),
    eventLog,
    asked,
    askedOnCuda,
    database,
    async close() {
      await queue.close(1_000);
      await database.close();
    },
  };
}

async function analyse({ intake, tasks }: Pipeline, includeTranslation = false): Promise<RecordingTask> {
  const authorized = authorize(agent, "recording:create");
  const staged = await intake.receive(authorized, Readable.from([shortClip("child-labour", 2)]));
  const { taskId } = await intake.commit(authorized, staged, { language: "auto", includeTranslation, speechEngine: "auto" });
  const get = (): Promise<RecordingTask> => tasks.get(authorize(agent, "task:read"), taskId);
  await until("the task has ended", async () => ["completed", "failed"].includes((await get()).status), 15_000, 20);
  return get();
}

function statusOf(task: RecordingTask, stage: string): string | undefined {
  return task.result?.stages.find((report) => report.stage === stage)?.status;
}

describe("the recording pipeline", () => {
  let directory: TemporaryDirectory;
  let pipeline: Pipeline | undefined;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterEach(async () => {
    await pipeline?.close();
    await directory.remove();
  });

  it("runs every stage once and in order", async () => {
    pipeline = await startPipeline(directory.path, {});
    const task = await analyse(pipeline);
    expect(pipeline.asked).toEqual(["voice_activity", "voice_activity", "speech", "speech", "entities", "classification", "risk", "summary", "quality"]);
    expect(task.result?.stages.filter(({ status }) => status === "failed")).toEqual([]);
    expect(task.result?.transcript?.segments.map(({ channel }) => channel)).toEqual(["agent", "caller"]);
    expect(task.result?.audio?.ledger.speechMs).toBe(4_000);
  });

  it("goes on without a stage that fails for good, and says so", async () => {
    pipeline = await startPipeline(directory.path, {
      entities: () => {
        throw new AppError("MODEL_INPUT_INVALID", "not this");
      },
    });
    const task = await analyse(pipeline);
    expect(task.status).toBe("completed");
    expect([statusOf(task, "entities"), statusOf(task, "risk"), statusOf(task, "quality")]).toEqual(["failed", "completed", "completed"]);
    expect(task.result?.entities).toBeNull();
    expect(pipeline.asked.filter((modelTask) => modelTask === "entities")).toHaveLength(1);
  });

  it("does again only the stage that failed for a passing reason", async () => {
    pipeline = await startPipeline(directory.path, {
      risk: (_input, call) => {
        if (call < 3) throw new AppError("MODEL_PROCESS_FAILED", "crashed", { retryable: true });
        return { risks: [] };
      },
    });
    const task = await analyse(pipeline);
    expect(statusOf(task, "risk")).toBe("completed");
    const counts = Object.fromEntries(
      [...new Set(pipeline.asked)].map((modelTask) => [modelTask, pipeline?.asked.filter((asked) => asked === modelTask).length]),
    );
    expect(counts).toEqual({ voice_activity: 2, speech: 2, entities: 1, classification: 1, risk: 3, summary: 1, quality: 1 });
  });

  it("keeps what there is when the last try fails too", async () => {
    pipeline = await startPipeline(directory.path, {
      summary: () => {
        throw new AppError("MODEL_DEADLINE_EXCEEDED", "late", { retryable: true });
      },
    });
    const task = await analyse(pipeline);
    expect(task.status).toBe("completed");
    expect(statusOf(task, "summary")).toBe("failed");
    expect(pipeline.asked.filter((modelTask) => modelTask === "summary")).toHaveLength(3);
  });

  it("keeps one channel's words when the other can't be heard, and counts its speech as failed", async () => {
    pipeline = await startPipeline(directory.path, {
      speech: ({ audio, utterances }) => {
        if ("path" in audio && audio.path.endsWith("channel-1.s16")) throw new AppError("MODEL_NOT_READY", "another language");
        return CALM.speech?.({ audio, utterances, language: "auto", allowedLanguages: [] }, 1) as TaskOutputs["speech"];
      },
    });
    const task = await analyse(pipeline);
    expect(statusOf(task, "transcript")).toBe("failed");
    expect(task.result?.transcript?.segments.map(({ channel }) => channel)).toEqual(["caller"]);
    expect(task.result?.audio?.ledger).toMatchObject({ speechMs: 2_000, failedMs: 2_000, silenceMs: 0 });
    expect(statusOf(task, "risk")).toBe("completed");
  });

  it("reads the transcript anew when a retry made it anew", async () => {
    pipeline = await startPipeline(directory.path, {
      speech: ({ audio, utterances }, call) => {
        if (call === 2) throw new AppError("MODEL_PROCESS_FAILED", "crashed", { retryable: true });
        return CALM.speech?.({ audio, utterances, language: "auto", allowedLanguages: [] }, 1) as TaskOutputs["speech"];
      },
    });
    const task = await analyse(pipeline);
    expect(task.result?.transcript?.segments).toHaveLength(2);
    expect(pipeline.asked.filter((modelTask) => modelTask === "entities")).toHaveLength(2);
  });

  it("skips every reading stage when nothing could be heard, and invents nothing", async () => {
    pipeline = await startPipeline(directory.path, {
      speech: () => {
        throw new AppError("MODEL_NOT_READY", "no engine");
      },
    });
    const task = await analyse(pipeline);
    expect(task.result?.transcript).toBeNull();
    for (const stage of ["entities", "classification", "risk", "summary", "answers", "quality"]) expect(statusOf(task, stage)).toBe("skipped");
    expect(task.result?.audio?.ledger).toMatchObject({ speechMs: 0, failedMs: 4_000 });
    expect(task.result?.conversation?.talkMs).toEqual({ caller: 2_000, agent: 2_000 });
  });

  it("says that no engine translates, when a translation is needed", async () => {
    pipeline = await startPipeline(directory.path, {
      speech: ({ utterances }) => ({
        language: "sw",
        lowQuality: false,
        utterances: utterances.map((utterance) => ({ ...utterance, text: "yuko salama", language: "sw", score: 0.9, words: [] })),
      }),
    });
    const task = await analyse(pipeline, true);
    expect(task.result?.stages.find(({ stage }) => stage === "translation")).toMatchObject({ status: "failed", error: { code: "MODEL_NOT_READY" } });
    expect(statusOf(task, "entities")).toBe("completed");
  });

  it("runs the stages of a GPU on the worker that has one, and the others on the other", async () => {
    pipeline = await startPipeline(directory.path, {}, { cudaStages: ["transcript", "classification"] });
    const task = await analyse(pipeline);
    expect(pipeline.asked).toEqual(["voice_activity", "voice_activity", "speech", "speech", "entities", "classification", "risk", "summary", "quality"]);
    expect(pipeline.askedOnCuda).toEqual(["voice_activity", "voice_activity", "speech", "speech", "classification"]);
    expect(task).toMatchObject({ status: "completed" });
    expect(task.result?.stages.filter(({ status }) => status === "failed")).toEqual([]);
    expect(task.result?.stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(["decode", "transcript", "classification", "quality"]));
    expect(await pipeline.database.sql.selectFrom("job").select(["attempt", "queue"]).execute()).toEqual([{ attempt: 1, queue: "recordings" }]);
  });

  it("does not come back to a stage that failed for good on the worker with a GPU", async () => {
    const fails = () => {
      throw new AppError("MODEL_NOT_READY", "no engine");
    };
    pipeline = await startPipeline(directory.path, { speech: fails, entities: fails }, { cudaStages: ["transcript"] });
    const task = await analyse(pipeline);
    expect(task.status).toBe("completed");
    expect([statusOf(task, "transcript"), statusOf(task, "entities"), statusOf(task, "quality")]).toEqual(["failed", "skipped", "skipped"]);
    expect(task.result?.audio?.ledger).toMatchObject({ failedMs: 4_000 });
  });

  it("tries a stage again on the worker with a GPU before it goes on without it", async () => {
    const crash = (_input: unknown, call: number) => {
      if (call < 3) throw new AppError("MODEL_PROCESS_FAILED", "crashed", { retryable: true });
      return { entities: [] };
    };
    pipeline = await startPipeline(directory.path, { entities: crash }, { cudaStages: ["entities"] });
    const task = await analyse(pipeline);
    expect(statusOf(task, "entities")).toBe("completed");
    expect(pipeline.askedOnCuda).toEqual(["entities", "entities", "entities"]);
    expect(pipeline.asked.filter((modelTask) => modelTask === "speech")).toHaveLength(2);
    expect(await pipeline.database.sql.selectFrom("job").select("attempt").execute()).toEqual([{ attempt: 3 }]);
  });

  it("keeps what there is when the last try on the worker with a GPU fails too", async () => {
    pipeline = await startPipeline(
      directory.path,
      {
        entities: () => {
          throw new AppError("MODEL_PROCESS_FAILED", "crashed", { retryable: true });
        },
      },
      { cudaStages: ["entities"] },
    );
    const task = await analyse(pipeline);
    expect([task.status, statusOf(task, "entities"), statusOf(task, "quality")]).toEqual(["completed", "failed", "completed"]);
    expect(pipeline.askedOnCuda).toEqual(["entities", "entities", "entities"]);
  });

  it("analyses a job that is delivered twice once", async () => {
    pipeline = await startPipeline(directory.path, {});
    const { taskId } = await analyse(pipeline);
    await pipeline.database.sql.updateTable("job").set({ status: "queued" }).where("job_id", "=", taskId).execute();
    const again = pipeline;
    await until("it was delivered again", async () => (await again.tasks.get(authorize(agent, "task:read"), taskId)).status === "completed", 5_000, 20);
    expect(pipeline.asked.filter((modelTask) => modelTask === "entities")).toHaveLength(1);
    expect(await pipeline.database.sql.selectFrom("analysis").select("task_id").execute()).toHaveLength(1);
  });
});
