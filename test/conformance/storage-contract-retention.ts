/** What is kept for how long, on every database: policies by part of a call, holds, receipts, and what a crash leaves. */
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCallDeletion } from "../../src/calls/deletion/call-deletion.js";
import { createRetention, type RetentionPolicy } from "../../src/calls/deletion/retention.js";
import { newId } from "../../src/core/ids.js";
import { EmbeddedQueueBackend } from "../../src/queue/backends/embedded-queue-backend.js";
import { DEFAULT_RETRY_POLICY } from "../../src/queue/retry-policy.js";
import { OPERATOR } from "../../src/security/authorization.js";
import type { AudioStore } from "../../src/storage/audio-store.js";
import { createFilesystemAudioStore } from "../../src/storage/backends/filesystem-audio-store.js";
import { FakeClock } from "../support/fake-clock.js";
import { fullAnalysis } from "../support/full-analysis.js";
import type { StorageParts } from "../support/storage-parts.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import type { StorageOfTest } from "./storage-contract.js";

const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;
const FOR_EVER: RetentionPolicy = { call: 0, texts: 0, audio: 0 };
const REQUEST = { actor: OPERATOR, reason: "request" } as const;

async function openHouse(parts: StorageParts) {
  const clock = new FakeClock(NOW_MS);
  const directory = await makeTemporaryDirectory();
  onTestFinished(() => directory.remove());
  const audioStore = await createFilesystemAudioStore({ directory: directory.path });
  const queue = new EmbeddedQueueBackend({
    ...{ jobs: parts.jobs, clock, retryPolicy: DEFAULT_RETRY_POLICY, leaseMs: 1_000, pollIntervalMs: 1_000, isExclusive: false, maxStalls: 5 },
  });
  onTestFinished(() => queue.close(0));
  const masking = { coverOf: () => Promise.reject(new Error("nothing is shown")), forget: () => {} };
  const deletionOver = (store: AudioStore) => createCallDeletion({ ...parts, audioStore: store, queue, masking, clock });
  const deletion = deletionOver(audioStore);
  return {
    audioStore,
    deletion,
    deletionOver,
    run: (policy: Partial<RetentionPolicy>) =>
      createRetention({ policy: { ...FOR_EVER, ...policy }, expiry: parts.expiry, deletion, clock }).run(new AbortController().signal),
    /** A call that began so many days ago, with an analysis and a recording. */
    async keep(ageDays: number, more: Parameters<StorageParts["insertCall"]>[0] = {}): Promise<string> {
      const { callId } = await parts.insertCall({ startedAtMs: NOW_MS - ageDays * DAY_MS, status: "completed", ...more });
      const sealer = await parts.calls.openSealer(callId);
      const taskId = newId();
      await parts.calls.insertTask(callId, taskId);
      await parts.save({ callId, taskId, sealer }, fullAnalysis({ callId, taskId }).result);
      const audioKey = newId();
      await audioStore.write(audioKey, Readable.from([Buffer.from(`sound of ${callId}`)]), sealer.audioKey);
      await parts.calls.insertRecording({
        ...{ recordingId: audioKey, callId, kind: "original", audioKey, container: "wav", byteCount: 9, fingerprint: null, createdAtMs: NOW_MS },
      });
      return callId;
    },
    /** Which of its parts there are. */
    async remains(callId: string): Promise<string> {
      const call = await parts.calls.findCall(callId);
      const segments = await parts.database.sql.selectFrom("transcript_segment").select("segment_id").where("call_id", "=", callId).execute();
      const recordings = await parts.calls.listRecordings(callId);
      return [...(call === undefined ? [] : ["call"]), ...(segments.length === 0 ? [] : ["texts"]), ...(recordings.length === 0 ? [] : ["audio"])].join(" ");
    },
  };
}

export function describeRetention({ openParts }: StorageOfTest): void {
  describe("retention", () => {
    it("deletes of each call what its policies say, with a receipt of each, and no more the next time", async () => {
      const parts = await openParts();
      const { keep, remains, run, audioStore } = await openHouse(parts);
      const [ancient, old, recent, fresh] = [await keep(366), await keep(91), await keep(31), await keep(29)];
      const [held, running] = [await keep(400, { legalHold: true }), await keep(400, { status: "processing" })];
      const oldKey = (await parts.calls.openSealer(old)).audioKey;
      expect(await run({ call: 365, texts: 90, audio: 30 })).toEqual({ deleted: { call: 1, texts: 1, audio: 2 }, failed: 0 });
      expect(await Promise.all([ancient, old, recent, fresh, held, running].map(remains))).toEqual([
        "",
        "call",
        "call texts",
        "call texts audio",
        "call texts audio",
        "call texts audio",
      ]);
      expect(await audioStore.list()).toHaveLength(3);
      // With its last part went the key of what it sealed.
      expect((await parts.calls.openSealer(old)).audioKey.equals(oldKey)).toBe(false);
      const receiptsOf = async (callId: string) =>
        (await parts.receipts.listReceipts({ callId, limit: 10 })).map(({ part, reason, recordings, keyDestroyed, isGenuine }) => ({
          ...{ part, reason, recordings, keyDestroyed, isGenuine },
        }));
      const proof = { reason: "retention", isGenuine: true };
      expect(await receiptsOf(ancient)).toEqual([{ ...proof, part: "call", recordings: 1, keyDestroyed: true }]);
      expect(await receiptsOf(old)).toEqual([
        { ...proof, part: "audio", recordings: 1, keyDestroyed: true },
        { ...proof, part: "texts", recordings: 0, keyDestroyed: false },
      ]);
      expect(await receiptsOf(recent)).toEqual([{ ...proof, part: "audio", recordings: 1, keyDestroyed: false }]);
      expect(await run({ call: 365, texts: 90, audio: 30 })).toEqual({ deleted: { call: 0, texts: 0, audio: 0 }, failed: 0 });
      expect(await parts.audit.verify()).toMatchObject({ brokenAtSeq: null });
    });

    it("keeps everything where no policy says otherwise", async () => {
      const { keep, remains, run } = await openHouse(await openParts());
      const callId = await keep(30_000);
      expect(await run({})).toEqual({ deleted: { call: 0, texts: 0, audio: 0 }, failed: 0 });
      expect(await remains(callId)).toBe("call texts audio");
    });

    it("reads calls that begin at the same moment by pages, and none twice", async () => {
      const parts = await openParts();
      const { run } = await openHouse(parts);
      for (let index = 0; index < 205; index++) await parts.insertCall({ startedAtMs: NOW_MS - 10 * DAY_MS, status: "failed" });
      expect(await run({ call: 9 })).toMatchObject({ deleted: { call: 205 }, failed: 0 });
      expect(await parts.receipts.listReceipts({ limit: 500 })).toHaveLength(205);
    });

    it("is refused by a hold that came a moment ago", async () => {
      const parts = await openParts();
      const { keep, deletion, remains } = await openHouse(parts);
      const callId = await keep(10);
      expect([await parts.expiry.setLegalHold(callId, true), await parts.expiry.setLegalHold(callId, true)]).toEqual([true, true]);
      for (const part of ["call", "texts", "audio"] as const) {
        await expect(deletion.delete(part, callId, REQUEST)).rejects.toMatchObject({ code: "CALL_ON_LEGAL_HOLD" });
      }
      expect(await remains(callId)).toBe("call texts audio");
      expect(await parts.expiry.setLegalHold(newId(), true)).toBe(false);
    });

    it("removes audio that a crash left, and the receipt says when", async () => {
      const parts = await openParts();
      const { keep, deletion, deletionOver, audioStore } = await openHouse(parts);
      const callId = await keep(10);
      const dying = deletionOver({ ...audioStore, remove: () => Promise.reject(new Error("killed")) });
      await expect(dying.delete("call", callId, REQUEST)).rejects.toThrow("killed");
      const receipt = async () => (await parts.receipts.listReceipts({ callId, limit: 10 }))[0];
      expect([(await receipt())?.completedAtMs, (await audioStore.list()).length]).toEqual([null, 1]);
      expect(await deletion.finish()).toBe(1);
      expect([(await receipt())?.completedAtMs, (await audioStore.list()).length, await deletion.finish()]).toEqual([NOW_MS, 0, 0]);
    });

    it("shows a receipt that somebody changed for what it is", async () => {
      const parts = await openParts();
      const { keep, deletion } = await openHouse(parts);
      const { receiptId } = await deletion.delete("call", await keep(10), REQUEST);
      expect((await parts.receipts.findReceipt(receiptId))?.isGenuine).toBe(true);
      await parts.database.sql.updateTable("deletion_receipt").set({ actor_id: "somebody-else" }).where("receipt_id", "=", receiptId).execute();
      expect((await parts.receipts.findReceipt(receiptId))?.isGenuine).toBe(false);
    });
  });
}
