/** Events of calls, calls that run, and webhooks that are told of them. */
import { describe, expect, it } from "vitest";
import type { NewCallEvent } from "../../src/core/call-event.js";
import { newId } from "../../src/core/ids.js";
import type { Webhook } from "../../src/core/webhook.js";
import type { StorageParts } from "../support/storage-parts.js";
import type { StorageOfTest } from "./storage-contract.js";

const PROGRESS: NewCallEvent = {
  type: "analysis.progressed",
  payload: { taskId: "t", stage: "decode", status: "completed", progress: 5, durationMs: 7 },
};
const ENDED: NewCallEvent = { type: "analysis.completed", payload: { taskId: "t", isPartial: false } };

export function webhook(more: Partial<Webhook> = {}): Webhook {
  const target = { url: "https://example.org/hook", secret: "sixteen-letters-or-more" };
  return { webhookId: newId(), target, format: "openchs_base64", eventTypes: ["call.started", "call.ended"], createdAtMs: 1, ...more };
}

export function describeFollowingStorage({ openParts }: StorageOfTest): void {
  describe("the event repository", () => {
    it("numbers the events of a call from 1, many at once, and gives them back in order", async () => {
      const { events, insertTask, work } = await openParts();
      const [task, other] = [await insertTask(), await insertTask()];
      const many = Array.from({ length: 250 }, () => PROGRESS);
      await work((unitOfWork) => events.append(task, many, 5, unitOfWork));
      await work(async (unitOfWork) => {
        await events.append(task, [ENDED], 6, unitOfWork);
        await events.append(task, [PROGRESS], 7, unitOfWork);
        await events.append(other, [PROGRESS], 7, unitOfWork);
      });
      expect([await events.lastSeq(task.callId), await events.lastSeq(other.callId), await events.lastSeq(newId())]).toEqual([252, 1, 0]);
      const page = await events.list(task, { afterSeq: 249, limit: 2 });
      expect(page).toEqual([
        { ...PROGRESS, seq: 250, callId: task.callId, atMs: 5 },
        { ...ENDED, seq: 251, callId: task.callId, atMs: 6 },
      ]);
      expect((await events.listOfTypes(task, ["analysis.completed"])).map(({ seq }) => seq)).toEqual([251]);
    });

    it("gives the numbers of a unit of work that failed to the next", async () => {
      const { events, insertTask, work } = await openParts();
      const task = await insertTask();
      const failing = work(async (unitOfWork) => {
        await events.append(task, [PROGRESS], 5, unitOfWork);
        throw new RangeError("the stage could not be stored");
      });
      await expect(failing).rejects.toThrow(RangeError);
      await work((unitOfWork) => events.append(task, [ENDED], 6, unitOfWork));
      expect((await events.list(task, { afterSeq: 0, limit: 9 })).map(({ seq, type }) => [seq, type])).toEqual([[1, "analysis.completed"]]);
    });

    it("refuses events of a call that is not there", async () => {
      const { events, sealers, work } = await openParts();
      const callId = newId();
      const sealer = sealers.open(callId, sealers.wrap(callId, sealers.newCallKey()));
      await expect(work((unitOfWork) => events.append({ callId, sealer }, [PROGRESS], 1, unitOfWork))).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
    });

    it("stores nothing of several calls together when one of them is gone", async () => {
      const { calls, events, insertTask, work } = await openParts();
      const [stays, goes] = [await insertTask(), await insertTask()];
      const together = [stays, goes].map((call) => ({ call, events: [PROGRESS] }));
      await events.appendTogether(together, 1);
      await work((unitOfWork) => calls.removeCall(goes.callId, unitOfWork));
      for (let again = 0; again < 2; again += 1) await expect(events.appendTogether(together, 2)).rejects.toMatchObject({ code: "STORAGE_CONFLICT" });
      await events.appendTogether([{ call: stays, events: [ENDED] }], 3);
      const stored = await events.list(stays, { afterSeq: 0, limit: 9 });
      expect(stored.map(({ seq, atMs, type }) => [seq, atMs, type])).toEqual([
        [1, 1, "analysis.progressed"],
        [2, 3, "analysis.completed"],
      ]);
    });
  });

  describe("the repository of calls that run", () => {
    it("keeps what is known of each, until it has ended", async () => {
      const { calls, insertCall, liveCalls, work } = await openParts();
      const { callId } = await insertCall({ source: "live" });
      const record = { callId, taskId: newId(), language: "auto", isPaired: false, queue: "kids 😀" };
      await work((unitOfWork) => liveCalls.insert(record, unitOfWork));
      expect(await liveCalls.find(callId)).toEqual(record);
      await liveCalls.update(callId, { isPaired: true, extension: "116" });
      await liveCalls.update(callId, {});
      expect(await liveCalls.listUnended()).toEqual([{ ...record, isPaired: true, extension: "116" }]);
      expect(await calls.findCall(callId)).toMatchObject({ extension: "116", queue: "kids 😀" });
      expect(await liveCalls.findCoverage(callId)).toBeUndefined();
      const coverage = [{ channel: "caller", receivedMs: 5, pausedMs: 0, gapMs: 0, spans: [{ startMs: 0, endMs: 5 }] }] as const;
      await work((unitOfWork) => liveCalls.end(callId, "hangup", coverage, unitOfWork));
      expect(await liveCalls.findCoverage(callId)).toEqual(coverage);
      expect(await liveCalls.listUnended()).toEqual([]);
    });
  });

  describe("the webhook repository", () => {
    const opened = async (): Promise<StorageParts & { readonly hook: Webhook; readonly callId: string; readonly append: () => Promise<void> }> => {
      const parts = await openParts();
      const [hook, task] = [webhook(), await parts.insertTask()];
      await parts.webhooks.insert(hook);
      const append = () => parts.work((unitOfWork) => parts.events.append(task, [PROGRESS], 50, unitOfWork));
      return { ...parts, hook, callId: task.callId, append };
    };

    it("gives webhooks back as they were stored, and removes them with their cursors", async () => {
      const { callId, hook, webhooks } = await opened();
      await webhooks.wake(hook.webhookId, callId, 10);
      expect(await webhooks.list()).toEqual([hook]);
      expect([await webhooks.remove(hook.webhookId), await webhooks.remove(hook.webhookId)]).toEqual([true, false]);
      expect([await webhooks.list(), await webhooks.listDue(99, 9)]).toEqual([[], []]);
    });

    it("wakes a cursor that rests, at its place, and leaves one that waits as it is", async () => {
      const { append, callId, hook, webhooks } = await opened();
      await webhooks.wake(hook.webhookId, callId, 10);
      const [cursor] = await webhooks.listDue(10, 9);
      expect(cursor).toEqual({ webhookId: hook.webhookId, callId, nextSeq: 1, status: "pending", attempts: 0, nextAttemptAtMs: 10, failingSinceMs: null });
      if (cursor === undefined) return;
      await webhooks.save({ ...cursor, attempts: 2, nextAttemptAtMs: 70, failingSinceMs: 10 });
      await webhooks.wake(hook.webhookId, callId, 20);
      expect(await webhooks.listDue(69, 9)).toEqual([]);
      expect(await webhooks.listDue(70, 9)).toMatchObject([{ attempts: 2, nextSeq: 1, failingSinceMs: 10 }]);
      await append();
      await webhooks.rest({ ...cursor, nextSeq: 1 });
      expect(await webhooks.counts(hook.webhookId)).toEqual({ pending: 1, dead: 0 });
      await webhooks.rest({ ...cursor, nextSeq: 2 });
      expect([await webhooks.listDue(999, 9), await webhooks.counts(hook.webhookId)]).toEqual([[], { pending: 0, dead: 0 }]);
      await webhooks.wake(hook.webhookId, callId, 80);
      expect(await webhooks.listDue(80, 9)).toMatchObject([{ nextSeq: 2, status: "pending", attempts: 0, nextAttemptAtMs: 80 }]);
    });

    it("wakes every call that has events a webhook did not get", async () => {
      const { append, callId, hook, insertTask, webhooks } = await opened();
      await insertTask();
      await append();
      await webhooks.wakeAll({ ...hook, createdAtMs: 51 }, 60);
      expect(await webhooks.listDue(60, 9)).toEqual([]);
      await webhooks.wakeAll(hook, 60);
      expect(await webhooks.listDue(60, 9)).toMatchObject([{ callId, nextSeq: 1 }]);
    });

    it("wakes no synthetic call", async () => {
      const { events, hook, insertTask, webhooks, work } = await opened();
      const task = await insertTask({ source: "synthetic" });
      await work((unitOfWork) => events.append(task, [{ type: "call.started", payload: { taskId: task.taskId, source: "synthetic" } }], 50, unitOfWork));
      await webhooks.wakeAll(hook, 60);
      expect(await webhooks.listDue(60, 9)).toEqual([]);
    });

    it("sets dead deliveries aside until they are revived", async () => {
      const { callId, hook, webhooks } = await opened();
      await webhooks.wake(hook.webhookId, callId, 10);
      const [cursor] = await webhooks.listDue(10, 9);
      if (cursor === undefined) throw new Error("nothing is due");
      await webhooks.save({ ...cursor, status: "dead", attempts: 9 });
      expect(await webhooks.listDead(hook.webhookId, 9)).toMatchObject([{ callId, status: "dead", attempts: 9 }]);
      expect(await webhooks.counts(hook.webhookId)).toEqual({ pending: 0, dead: 1 });
      expect(await webhooks.revive(hook.webhookId, 30)).toBe(1);
      expect(await webhooks.listDue(30, 9)).toMatchObject([{ status: "pending", attempts: 0 }]);
    });
  });
}
