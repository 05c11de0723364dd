/** Questions to models and their answers on the disk: sealed while they are kept, and gone when their time is over. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ModelQuestion } from "../../src/core/model-answer.js";
import { createMemoryEventBus } from "../../src/events/backends/memory-event-bus.js";
import { createModelTasks, type ModelTasks } from "../../src/model-tasks/model-tasks.js";
import { EmbeddedQueueBackend } from "../../src/queue/backends/embedded-queue-backend.js";
import { authorize } from "../../src/security/authorization.js";
import { createEphemeralMasterKey } from "../../src/security/master-key.js";
import { createSealerFactory } from "../../src/security/sealing/sealed-text.js";
import { createFilesystemAudioStore } from "../../src/storage/backends/filesystem-audio-store.js";
import { type AppDatabase, openDatabase } from "../../src/storage/database.js";
import { createJobRepository } from "../../src/storage/repositories/job-repository.js";
import { createModelTaskRepository } from "../../src/storage/repositories/model-task-repository.js";
import { FakeClock } from "../support/fake-clock.js";
import { askModel, askWhisper, resultOf, taskIn } from "../support/model-client.js";
import { audioFiles } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { withDatabase } from "../support/service-database.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { filesHolding, secretWords } from "../support/stored-bytes.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

describe("what was asked of a model", () => {
  let gateway: TestGateway;
  const words = secretWords(8);
  const text = `My name is ${words[0]} and I live in Kisumu near ${words[1]}. ${words[2]} hit me. ${words[3]}!`;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  it("lies in no file and no queue payload in clear, nor does the answer", async () => {
    const bodies: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
      ["/ner/extract", { text }],
      ["/classifier/classify", { narrative: text }],
      ["/summarizer/summarize", { text }],
      ["/qa/evaluate", { transcript: `Caller: ${text}` }],
      ["/qa/answer", { question: `Where is ${words[4]}?`, context: `${text} ${words[4]} is in ${words[5]}.` }],
    ];
    // An answer in words, so that there are some that might lie about.
    const { answer: told } = await resultOf<{ answer: string | null }>(gateway, "/qa/answer", {
      question: "What is her name?",
      context: `Her name is ${words[0]}.`,
    });
    expect(told).toContain(words[0]);
    for (const [path, body] of bodies) {
      const response = await askModel(gateway, `${path}?wait=60`, body);
      const answer = await response.text();
      expect(response.status, answer).toBe(200);
    }
    await askModel(gateway, "/translate/", { text: `${words[6]} yuko Dodoma.`, language: "sw" });
    await askModel(gateway, "/ner/extract", { text: ["not a text", words[7]] });
    const payloads = await withDatabase(gateway, ({ sql }) => sql.selectFrom("job").select(["payload", "step", "error_code"]).execute());
    expect(payloads.length).toBeGreaterThanOrEqual(bodies.length);
    const stored = JSON.stringify(payloads);
    for (const word of words) {
      expect(stored).not.toContain(word);
      expect(stored).not.toContain(Buffer.from(word).toString("base64").slice(0, 12));
    }
    expect(filesHolding(gateway.dataDirectory, words)).toEqual([]);
    await gateway.service.stop();
    expect(filesHolding(gateway.dataDirectory, words)).toEqual([]);
  });
});

describe.skipIf(isMissing("pocketsphinx"))("what was heard of a recording outside of any call", () => {
  it("lies in no file in clear, and the sound is gone when it was heard", async () => {
    const gateway = await startGateway();
    try {
      const { result } = await taskIn<{ transcript: { text: string } }>(await askWhisper(gateway, "?wait=60", shortClip("child-violence-home", 8)));
      const heard = [...new Set((result?.transcript.text ?? "").split(/\W+/))].filter((word) => word.length >= 6);
      expect(heard.length).toBeGreaterThan(0);
      await until("the sound is gone", () => audioFiles(gateway).length === 0, 5_000, 25);
      expect(readdirSync(join(gateway.dataDirectory, "work"))).toEqual([]);
      // Phrases: a single word may also be a name in the schema.
      const phrases = (result?.transcript.text ?? "").split(/\s+/).flatMap((word, index, all) => (index === 0 ? [] : [`${all[index - 1]} ${word}`]));
      expect(
        filesHolding(
          gateway.dataDirectory,
          phrases.filter((phrase) => phrase.length >= 8),
        ),
      ).toEqual([]);
    } finally {
      await gateway.stop();
    }
  });
});

describe("tasks of models whose time is over", () => {
  const MAX_AGE_MS = 60_000;
  const agent = authorize({ actorId: "desk-1", role: "agent" }, "model:run");
  const question: ModelQuestion = { modelTask: "entities", question: { text: "My name is Zumbarela." } };
  let directory: TemporaryDirectory;
  let database: AppDatabase;
  let queue: EmbeddedQueueBackend;
  let clock: FakeClock;
  let tasks: ModelTasks;

  const audio = (): readonly string[] => readdirSync(join(directory.path, "audio"));
  const rows = async (): Promise<number> => (await database.sql.selectFrom("model_task").select("task_id").execute()).length;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    database = openDatabase({ path: join(directory.path, "test.db") });
    await database.migrate();
    clock = new FakeClock();
    const sealers = createSealerFactory(createEphemeralMasterKey());
    queue = new EmbeddedQueueBackend({
      ...{ jobs: createJobRepository({ database }), clock, retryPolicy: { firstDelayMs: 5, maxDelayMs: 20 } },
      ...{ leaseMs: 5_000, pollIntervalMs: 50, isExclusive: true, maxStalls: 3 },
    });
    await queue.start();
    tasks = createModelTasks({
      ...{ database, sealers, queue, clock, bus: createMemoryEventBus(), maxBytes: 10_000_000, maxAttempts: 3 },
      modelTasks: createModelTaskRepository({ database, sealers }),
      audioStore: await createFilesystemAudioStore({ directory: join(directory.path, "audio") }),
    });
  });
  afterEach(async () => {
    await queue.close(1_000);
    await database.close();
    await directory.remove();
  });

  it("are removed with question, answer and sound, and younger ones stay", async () => {
    const old = await tasks.submit(agent, question);
    const sound = await tasks.receive(agent, Readable.from([shortClip("child-labour", 1)]));
    const heard = await tasks.submit(agent, { modelTask: "speech", question: { language: "en", engine: "auto" } }, sound);
    expect(audio()).toHaveLength(1);
    clock.advance(MAX_AGE_MS - 10_000);
    const young = await tasks.submit(agent, question);
    expect(await tasks.removeExpired(MAX_AGE_MS)).toBe(0);
    expect(await rows()).toBe(3);

    clock.advance(20_000);
    expect(await tasks.removeExpired(MAX_AGE_MS)).toBe(2);
    for (const { taskId } of [old, heard]) await expect(tasks.get(agent, taskId)).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_FOUND" });
    expect(await tasks.get(agent, young.taskId)).toMatchObject({ taskId: young.taskId });
    expect(audio()).toEqual([]);
    expect(await rows()).toBe(1);
    expect(await tasks.removeExpired(MAX_AGE_MS)).toBe(0);
  });

  it("are all removed, however many there are", async () => {
    const COUNT = 600;
    for (let index = 0; index < COUNT; index += 1) await tasks.submit(agent, question);
    clock.advance(MAX_AGE_MS * 2);
    expect(await tasks.removeExpired(MAX_AGE_MS)).toBe(COUNT);
    expect(await rows()).toBe(0);
  });

  it("belong to whoever asked, whatever the role of others", async () => {
    const { taskId } = await tasks.submit(agent, question);
    for (const role of ["agent", "supervisor", "admin", "service"] as const) {
      const other = authorize({ actorId: "desk-2", role }, "model:run");
      await expect(tasks.get(other, taskId)).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_FOUND" });
      await expect(tasks.cancel(other, taskId)).rejects.toMatchObject({ code: "QUEUE_JOB_NOT_FOUND" });
      await expect(tasks.waitFor(other, taskId, { timeoutMs: 10, signal: new AbortController().signal })).rejects.toMatchObject({
        code: "QUEUE_JOB_NOT_FOUND",
      });
    }
    expect(await tasks.get(agent, taskId)).toMatchObject({ taskId, status: "queued" });
  });

  it("leave no sound behind that was received and then not wanted", async () => {
    const sound = await tasks.receive(agent, Readable.from([shortClip("child-labour", 1)]));
    expect(audio()).toHaveLength(1);
    await tasks.discard(sound);
    expect(audio()).toEqual([]);
  });
});
