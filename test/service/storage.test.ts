import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { AnalysisResult, StageOutcome } from "../../src/core/analysis-result.js";
import type { CallRecord } from "../../src/core/call.js";
import { newId } from "../../src/core/ids.js";
import { createEphemeralMasterKey } from "../../src/security/master-key.js";
import { createSealerFactory } from "../../src/security/sealed-text.js";
import { openDatabase } from "../../src/storage/database.js";
import { createAnalysisRepository } from "../../src/storage/repositories/analysis-repository.js";
import { createApiKeyRepository } from "../../src/storage/repositories/api-key-repository.js";
import { createCallRepository } from "../../src/storage/repositories/call-repository.js";
import { inUnitOfWork } from "../../src/storage/unit-of-work.js";
import { fullAnalysis } from "../support/full-analysis.js";
import { openTestDatabase } from "../support/test-database.js";

function callRecord(more: Partial<CallRecord> = {}): CallRecord {
  return {
    ...{ callId: newId(), source: "upload", direction: "inbound", status: "queued", startedAtMs: 1_700_000_000_123, endedAtMs: null, durationMs: null },
    ...{ legs: [], languages: ["sw", "en"], mode: "post_call", legalHold: false },
    ...more,
  };
}

async function openRepositories() {
  const opened = await openTestDatabase();
  const { database } = opened;
  const sealers = createSealerFactory(createEphemeralMasterKey());
  const calls = createCallRepository({ database, sealers });
  const analyses = createAnalysisRepository({ database });
  const insertCall = async (more: Partial<CallRecord> = {}): Promise<CallRecord> => {
    const call = callRecord(more);
    await calls.insertCall(call, sealers.wrap(call.callId, sealers.newCallKey()));
    return call;
  };
  /** A call with the task that analyses it. */
  const insertTask = async () => {
    const { callId } = await insertCall();
    return { callId, taskId: newId(), sealer: await calls.openSealer(callId) };
  };
  const save = (task: Awaited<ReturnType<typeof insertTask>>, result: AnalysisResult): Promise<void> =>
    inUnitOfWork(database, (unitOfWork) => analyses.saveAnalysis(task, result, 1_700_000_001_000, unitOfWork));
  return { ...opened, sealers, calls, analyses, insertCall, insertTask, save };
}

describe("migrations", () => {
  it("make every table from nothing, in their order, and have nothing to do the second time", async () => {
    const { database } = await openTestDatabase({ isMigrated: false });
    const applied = (await database.migrate()).map(({ name }) => name);
    expect(applied.length).toBeGreaterThan(0);
    expect(applied).toEqual([...applied].sort());
    expect(await database.migrate()).toEqual([]);
    const tables = (await database.sql.introspection.getTables()).map(({ name }) => name);
    expect(tables).toEqual(expect.arrayContaining(["analysis", "api_key", "audit_record", "call", "job", "recording", "transcript_segment"]));
  });

  it("find a database already migrated by an earlier start", async () => {
    const { database, path } = await openTestDatabase();
    const again = openDatabase({ path });
    expect(await again.migrate()).toEqual([]);
    await again.close();
    expect(await database.migrate()).toEqual([]);
  });

  it("refuse a database of a newer program and change nothing in it", async () => {
    const { database } = await openTestDatabase();
    await sql`insert into kysely_migration (name, timestamp) values ('9999-from-the-future', '2099-01-01T00:00:00Z')`.execute(database.sql);
    await expect(database.migrate()).rejects.toMatchObject({ code: "STORAGE_SCHEMA_NEWER" });
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name desc limit 1`.execute(database.sql);
    expect(rows).toEqual([{ name: "9999-from-the-future" }]);
  });
});

describe("the call repository", () => {
  it("gives calls back as they were stored, whole and bare", async () => {
    const { calls, insertCall } = await openRepositories();
    const bare = await insertCall();
    const whole = await insertCall({
      ...{ externalId: "pbx-77", source: "live", direction: "outbound", status: "completed", endedAtMs: 1_700_000_099_000, durationMs: 98_877 },
      legs: [
        { streamId: "a", channel: "caller" },
        { streamId: "b", channel: "agent" },
      ],
      ...{ agentId: "agent-5", languages: [], mode: "realtime", legalHold: true },
    });
    expect(await calls.findCall(bare.callId)).toEqual(bare);
    expect(await calls.findCall(whole.callId)).toEqual(whole);
    expect(await calls.findCall(newId())).toBeUndefined();
  });

  it("refuses a second call with the same id", async () => {
    const { insertCall } = await openRepositories();
    const { callId } = await insertCall();
    await expect(insertCall({ callId })).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
  });

  it("changes only what an outcome names", async () => {
    const { calls, insertCall } = await openRepositories();
    const call = await insertCall();
    await calls.updateOutcome(call.callId, { status: "processing" });
    expect(await calls.findCall(call.callId)).toEqual({ ...call, status: "processing" });
    await calls.updateOutcome(call.callId, { status: "completed", durationMs: 5_000, languages: ["lg"] });
    expect(await calls.findCall(call.callId)).toEqual({ ...call, status: "completed", durationMs: 5_000, languages: ["lg"] });
  });

  it("keeps recordings with their call, and none of a unit of work that failed", async () => {
    const { calls, database, insertCall } = await openRepositories();
    const { callId } = await insertCall();
    const stored = { recordingId: newId(), callId, audioKey: newId(), container: "wav", byteCount: 5_000_000_000, createdAtMs: 1_700_000_000_500 };
    const recording = { ...stored, kind: "original" as const, fingerprint: "abc=" };
    const failing = inUnitOfWork(database, async (unitOfWork) => {
      await calls.insertRecording(recording, unitOfWork);
      throw new RangeError("no job could be made");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await calls.findRecording(recording.recordingId)).toBeUndefined();
    await calls.insertRecording(recording);
    expect(await calls.findRecording(recording.recordingId)).toEqual(recording);
    await expect(calls.insertRecording({ ...recording, recordingId: newId(), callId: newId() })).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
  });

  it("opens the sealer of a call it has, under the master key it was stored with", async () => {
    const { calls, database, insertCall } = await openRepositories();
    const { callId } = await insertCall();
    const sealed = (await calls.openSealer(callId)).seal("place", "words");
    expect((await calls.openSealer(callId)).open("place", sealed)).toBe("words");
    await expect(calls.openSealer(newId())).rejects.toMatchObject({ code: "CALL_NOT_FOUND" });
    const stranger = createCallRepository({ database, sealers: createSealerFactory(createEphemeralMasterKey()) });
    await expect(stranger.openSealer(callId)).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
  });
});

describe("the analysis repository", () => {
  it("gives an analysis back as it was stored", async () => {
    const { analyses, insertTask, save } = await openRepositories();
    const task = await insertTask();
    expect(await analyses.hasAnalysis(task.taskId)).toBe(false);
    expect(await analyses.findAnalysis(task)).toBeUndefined();
    const { result } = fullAnalysis(task);
    await save(task, result);
    expect(await analyses.hasAnalysis(task.taskId)).toBe(true);
    expect(await analyses.findAnalysis(task)).toEqual(JSON.parse(JSON.stringify(result)));
  });

  it("keeps the first of two analyses of one task, once", async () => {
    const { analyses, database, insertTask, save } = await openRepositories();
    const task = await insertTask();
    await save(task, fullAnalysis(task, "First").result);
    await save(task, fullAnalysis(task, "Second").result);
    expect(JSON.stringify(await analyses.findAnalysis(task))).toContain("First000qx");
    expect(JSON.stringify(await analyses.findAnalysis(task))).not.toContain("Second");
    expect(await database.sql.selectFrom("analysis").select("task_id").execute()).toEqual([{ task_id: task.taskId }]);
    const segments = await database.sql.selectFrom("transcript_segment").selectAll().orderBy("seq").execute();
    expect(segments.map(({ segment_id }) => segment_id)).toEqual(["s1", "s2"]);
  });

  it("stores nothing of an analysis whose unit of work failed", async () => {
    const { analyses, database, insertTask } = await openRepositories();
    const task = await insertTask();
    const failing = inUnitOfWork(database, async (unitOfWork) => {
      await analyses.saveAnalysis(task, fullAnalysis(task).result, 1, unitOfWork);
      throw new RangeError("the call could not be updated");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await analyses.hasAnalysis(task.taskId)).toBe(false);
    expect(await database.sql.selectFrom("transcript_segment").selectAll().execute()).toEqual([]);
  });

  it("loads the completed stages for a retry, and not the failed and skipped ones", async () => {
    const { analyses, insertTask } = await openRepositories();
    const [task, other] = [await insertTask(), await insertTask()];
    const decoded: StageOutcome = { report: { stage: "decode", status: "completed", durationMs: 12 }, output: { durationMs: 1_000, words: ["a"] } };
    const error = { code: "MODEL_OVERLOADED", message: "Too many.", retryable: true } as const;
    await analyses.saveStage(task, { report: { stage: "entities", status: "failed", durationMs: 3, error }, output: null }, 20);
    await analyses.saveStage(task, decoded, 10);
    await analyses.saveStage(task, { report: { stage: "translation", status: "skipped", durationMs: 0 }, output: null }, 30);
    expect([...(await analyses.loadCompletedStages(task))]).toEqual([["decode", decoded]]);
    expect((await analyses.loadCompletedStages(other)).size).toBe(0);
    expect(await analyses.listStageReports(task.taskId)).toEqual([
      { stage: "decode", status: "completed", durationMs: 12 },
      { stage: "entities", status: "failed", durationMs: 3 },
      { stage: "translation", status: "skipped", durationMs: 0 },
    ]);
    const repaired: StageOutcome = { report: { stage: "entities", status: "completed", durationMs: 4 }, output: { value: [] } };
    await analyses.saveStage(task, repaired, 40);
    expect((await analyses.loadCompletedStages(task)).get("entities")).toEqual(repaired);
  });

  it("opens an analysis with its own call's sealer only", async () => {
    const { analyses, insertTask, save } = await openRepositories();
    const [task, other] = [await insertTask(), await insertTask()];
    await save(task, fullAnalysis(task).result);
    await expect(analyses.findAnalysis({ ...task, sealer: other.sealer })).rejects.toMatchObject({ code: "SECURITY_DECRYPTION_FAILED" });
  });
});

describe("what lies on the disk", () => {
  it("holds no word of a call in any byte of the database and the files beside it", async () => {
    const { analyses, database, directory, insertTask, save } = await openRepositories();
    const task = await insertTask();
    const { result, words } = fullAnalysis(task);
    for (const report of result.stages) await analyses.saveStage(task, { report, output: { whole: result } }, 1);
    const search = async (): Promise<{ names: string[]; found: string[]; hasTask: boolean }> => {
      const names = (await readdir(directory)).sort();
      const bytes = Buffer.concat(await Promise.all(names.map((name) => readFile(join(directory, name)))));
      const forms = [...words, "Wumbazo"].flatMap((word) => [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")]);
      return { names, found: forms.filter((form) => bytes.includes(form)).map(String), hasTask: bytes.includes(task.taskId) };
    };
    // The task's id lies there in clear: proof that what was stored is in the bytes searched.
    expect(await search()).toEqual({ names: ["test.db", "test.db-shm", "test.db-wal"], found: [], hasTask: true });
    await save(task, result);
    expect(await search()).toMatchObject({ found: [], hasTask: true });
    await database.close();
    expect(await search()).toMatchObject({ found: [], hasTask: true });
  });
});

describe("the API key repository", () => {
  it("keeps keys until they are revoked, and revokes each once", async () => {
    const { database } = await openTestDatabase();
    const keys = createApiKeyRepository({ database });
    const info = { keyId: "0123456789abcdef", role: "agent", label: "front desk", createdAtMs: 5, revokedAtMs: null } as const;
    await keys.insertKey({ ...info, secretHash: "ab" });
    await keys.insertKey({ ...info, keyId: "fedcba9876543210", createdAtMs: 4, secretHash: "cd" });
    expect(await keys.findKey(info.keyId)).toEqual({ keyId: info.keyId, secretHash: "ab", role: "agent", revokedAtMs: null });
    expect((await keys.listKeys()).map(({ keyId }) => keyId)).toEqual(["fedcba9876543210", info.keyId]);
    expect(await keys.revokeKey(info.keyId, 9)).toBe(true);
    expect(await keys.revokeKey(info.keyId, 10)).toBe(false);
    expect(await keys.revokeKey("0000000000000000", 10)).toBe(false);
    expect((await keys.findKey(info.keyId))?.revokedAtMs).toBe(9);
    expect(await keys.findKey("0000000000000000")).toBeUndefined();
  });
});
