/** Two processes, each with connections of its own, write to one database at the same time. */
import { describe, expect, it } from "vitest";
import type { NewCallEvent } from "../../src/core/call-event.js";
import { newId } from "../../src/core/ids.js";
import { fullAnalysis } from "../support/full-analysis.js";
import { jobRow, START_MS, type StorageParts } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";
import { webhook } from "./storage-contract-following.js";

const PROGRESS: NewCallEvent = {
  type: "analysis.progressed",
  payload: { taskId: "t", stage: "decode", status: "completed", progress: 5, durationMs: 7 },
};
const ENTRY = { atMs: 1, actorId: "a", role: "agent", action: "recording.read", target: "call", outcome: "allowed" } as const;

/** Each process does it so often, all at once. */
function byBoth<T>(processes: readonly StorageParts[], times: number, work: (parts: StorageParts, index: number) => Promise<T>): Promise<readonly T[]> {
  return Promise.all(processes.flatMap((parts) => Array.from({ length: times }, (_, index) => work(parts, index))));
}

export function describeSeveralWriters(storage: StorageOfTest): void {
  describe("two processes at once", () => {
    describeLogsOfTwo(storage);
    describeJobsOfTwo(storage);
    describeEndsOfTwo(storage);
  });
}

function describeLogsOfTwo({ openTwice }: StorageOfTest): void {
  it("make one audit chain, from its first record on", async () => {
    const both = await openTwice();
    // One after the other in each process, so that the records do not share a transaction and there are many turns.
    await Promise.all(
      both.map(async ({ audit }) => {
        for (let index = 0; index < 100; index += 1) await audit.append({ ...ENTRY, atMs: index });
      }),
    );
    for (const { audit } of both) expect(await audit.verify()).toEqual({ recordCount: 200, brokenAtSeq: null });
  });

  it("make one first key, whoever of them comes first", async () => {
    const both = await openTwice();
    await both[0]?.masterKeys.saveFingerprint("f");
    const made = await byBoth(both, 10, ({ keys }) =>
      keys.insertFirstKey({
        keyId: newId().replaceAll("-", "").slice(-16),
        secretHash: "ab",
        role: "admin",
        label: "first",
        createdAtMs: 1,
        revokedAtMs: null,
      }),
    );
    expect([made.filter(Boolean).length, (await both[0]?.keys.listKeys())?.length]).toEqual([1, 1]);
  });

  it("number the events of one call without a gap or a double, and never show one before those ahead of it", async () => {
    const [first, second] = await openTwice();
    const task = await first.insertTask();
    let isWriting = true;
    const watched: Promise<void> = (async () => {
      while (isWriting) {
        const seqs = (await second.events.list(task, { afterSeq: 0, limit: 500 })).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      }
    })();
    await byBoth([first, second], 40, ({ events, work }) => work((unitOfWork) => events.append(task, [PROGRESS, PROGRESS], 1, unitOfWork)));
    isWriting = false;
    await watched;
    const seqs = (await first.events.list(task, { afterSeq: 0, limit: 500 })).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 160 }, (_, index) => index + 1));
  });

  it("number the events of calls that each appends to alone, together and beside others, without a gap or a double", async () => {
    const [first, second] = await openTwice();
    const [one, other] = [await first.insertTask(), await first.insertTask()];
    const together = [one, other].map((call) => ({ call, events: [PROGRESS, PROGRESS] }));
    for (let round = 0; round < 5; round += 1) {
      await first.events.appendTogether(together, 1);
      await first.events.appendTogether(together, 2);
      await second.events.appendTogether(together.slice(round % 2), 3);
    }
    await byBoth([first, second], 20, ({ events, work }, index) =>
      index % 3 === 0 ? work((unitOfWork) => events.append(one, [PROGRESS], 1, unitOfWork)) : events.appendTogether([{ call: one, events: [PROGRESS] }], 1),
    );
    const seqsOf = async (task: typeof one) => (await second.events.list(task, { afterSeq: 0, limit: 500 })).map(({ seq, type }) => [seq, type]);
    const numbered = (count: number) => Array.from({ length: count }, (_, index) => [index + 1, "analysis.progressed"]);
    expect([await seqsOf(one), await seqsOf(other)]).toEqual([numbered(5 * 4 + 3 * 2 + 40), numbered(5 * 6)]);
  });

  it("store stages with events, new parts and outcomes of one call without waiting for each other for ever", async () => {
    const [first, second] = await openTwice();
    const { callId, sealer } = await first.insertTask();
    await byBoth([first, second], 15, ({ analyses, calls, events, work }) =>
      work(async (unitOfWork) => {
        const task = { callId, sealer, taskId: newId() };
        await calls.insertTask(callId, task.taskId, unitOfWork);
        await analyses.saveStage(task, { report: { stage: "decode", status: "completed", durationMs: 1 }, output: {} }, 1, unitOfWork);
        await calls.updateOutcome(callId, { status: "processing" }, unitOfWork);
        await events.append(task, [PROGRESS], 1, unitOfWork);
      }),
    );
    expect([await first.events.lastSeq(callId), (await first.calls.listTaskIds(callId)).length]).toEqual([30, 30]);
  });

  it("lose no event of a webhook when one process goes to rest while the other tells", async () => {
    const [first, second] = await openTwice();
    const hook = webhook();
    await first.webhooks.insert(hook);
    for (let round = 0; round < 25; round += 1) {
      const task = await first.insertTask();
      await first.webhooks.wake(hook.webhookId, task.callId, 1);
      const [cursor] = await first.webhooks.listDue(1, 1);
      if (cursor === undefined) throw new Error("nothing is due");
      const tell = async (): Promise<void> => {
        await second.work((unitOfWork) => second.events.append(task, [PROGRESS], 5, unitOfWork));
        await second.webhooks.wake(hook.webhookId, task.callId, 1);
      };
      await Promise.all([tell(), first.webhooks.rest(cursor)]);
      expect(await first.webhooks.counts(hook.webhookId)).toMatchObject({ pending: 1 });
      await first.webhooks.rest({ ...cursor, nextSeq: 2 });
    }
  });

  it("deliver a webhook's cursor in one of them, and never take back what is delivered", async () => {
    const both = await openTwice();
    const [{ insertCall, webhooks }] = both;
    const hook = webhook();
    await webhooks.insert(hook);
    const { callId } = await insertCall();
    await webhooks.wake(hook.webhookId, callId, 10);
    const [cursor] = await webhooks.listDue(10, 1);
    if (cursor === undefined) throw new Error("nothing is due");
    const claims = await byBoth(both, 4, (parts) => parts.webhooks.claim(cursor, 99));
    expect(claims.filter(Boolean)).toEqual([true]);
    await webhooks.save({ ...cursor, nextSeq: 8 });
    await webhooks.save({ ...cursor, nextSeq: 5 });
    expect(await webhooks.listDue(99, 1)).toMatchObject([{ nextSeq: 8 }]);
  });
}

function describeJobsOfTwo({ openTwice }: StorageOfTest): void {
  it("are given each job once", async () => {
    const both = await openTwice();
    const rows = Array.from({ length: 120 }, () => jobRow());
    await both[0].jobs.insert(rows);
    const claimed: string[] = [];
    await byBoth(both, 4, async ({ jobs }) => {
      for (;;) {
        const got = await jobs.exchange([], { queue: "recordings", limit: 3, nowMs: START_MS, leaseUntilMs: START_MS + 60_000 });
        claimed.push(...got.map((row) => row.job_id));
        if (got.length === 0 && claimed.length >= rows.length) return;
      }
    });
    expect([...claimed].sort()).toEqual(rows.map((row) => row.job_id).sort());
    expect(await both[0].jobs.countByStatus("recordings", START_MS)).toEqual(new Map(Object.entries({ processing: 120, delayed: 0, queued: 0 })));
  });

  it("store one of several jobs with the same key, and all name the same", async () => {
    const both = await openTwice();
    for (let round = 0; round < 5; round += 1) {
      const idempotency_key = `key ${round}`;
      const stored = await byBoth(both, 4, ({ jobs }) => jobs.insert([jobRow({ idempotency_key })]));
      const results = stored.flat();
      expect(results.filter(({ isDuplicate }) => !isDuplicate)).toHaveLength(1);
      expect(new Set(results.map(({ jobId }) => jobId)).size).toBe(1);
    }
  });

  it("cancel and claim a job in one order or the other", async () => {
    const [first, second] = await openTwice();
    for (let round = 0; round < 25; round += 1) {
      const row = jobRow();
      await first.jobs.insert([row]);
      const [before, claimed] = await Promise.all([
        first.jobs.requestCancel(row.job_id, 5),
        second.jobs.exchange([], { queue: "recordings", limit: 9, nowMs: START_MS, leaseUntilMs: START_MS + 9 }),
      ]);
      const left = await first.jobs.find(row.job_id);
      // A claim leaves out a job that is locked this moment: then it is cancelled.
      const isClaimed = claimed.length === 1;
      expect([before, left?.status, left?.cancel_requested]).toEqual(isClaimed ? ["processing", "processing", 1] : ["queued", "cancelled", 0]);
    }
  });

  it("recover a stalled job once", async () => {
    const both = await openTwice();
    const rows = Array.from({ length: 20 }, () => jobRow());
    await both[0].jobs.insert(rows);
    await both[0].jobs.exchange([], { queue: "recordings", limit: 20, nowMs: START_MS, leaseUntilMs: START_MS });
    const options = { nowMs: START_MS + 1, all: false, maxStalls: 5, runningHere: [], maxRetryDelayMs: 1 };
    const recovered = await byBoth(both, 2, ({ jobs }) => jobs.recoverStalled(options));
    expect(recovered.reduce((sum, { requeued }) => sum + requeued, 0)).toBe(20);
    for (const row of rows) expect(await both[1].jobs.find(row.job_id)).toMatchObject({ status: "queued", stall_count: 1, attempt: 0 });
  });
}

function describeEndsOfTwo({ openTwice }: StorageOfTest): void {
  it("keep one analysis of a task that was delivered twice", async () => {
    const [first, second] = await openTwice();
    const task = await first.insertTask();
    const stored = await byBoth([first, second], 3, ({ save }) => save(task, fullAnalysis(task).result));
    expect(stored.filter(Boolean)).toHaveLength(1);
    expect(await first.database.sql.selectFrom("transcript_segment").select("segment_id").execute()).toHaveLength(2);
  });

  it("agree on the master key that was first", async () => {
    const both = await openTwice();
    const standing = await byBoth(both, 4, ({ masterKeys }, index) => masterKeys.saveFingerprint(`${index} ${Math.random()}`));
    expect(new Set(standing).size).toBe(1);
  });

  it("see a call's status stay as it was read until their unit of work ends", async () => {
    const [first, second] = await openTwice();
    const { callId } = await first.insertCall({ status: "completed" });
    const takeUp = ({ calls, work }: StorageParts): Promise<boolean> =>
      work(async (unitOfWork) => {
        if ((await calls.findStatus(callId, unitOfWork)) !== "completed") return false;
        await calls.insertTask(callId, newId(), unitOfWork);
        await calls.updateOutcome(callId, { status: "queued" }, unitOfWork);
        return true;
      });
    expect((await byBoth([first, second], 4, takeUp)).filter(Boolean)).toHaveLength(1);
    expect(await first.calls.listTaskIds(callId)).toHaveLength(1);
  });
}
