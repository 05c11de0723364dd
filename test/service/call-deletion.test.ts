/** A call that is deleted: nothing of it can be reached or found any more, whatever was going on with it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callPageSchema, callSchema } from "../../src/protocol/http/call-schema.js";
import { deletionReceiptSchema, receiptPageSchema } from "../../src/protocol/http/deletion-schema.js";
import { acceptedBatchSchema, batchSchema } from "../../src/protocol/http/recording-schema.js";
import { ask, codeOf, type PlainAnswer } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { type Accepted, analysed, audioFiles, endOf, untilProcessing, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { auditLines, verifyAudit, withDatabase } from "../support/service-database.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const SUB_PATHS = ["", "/transcript", "/segments", "/analysis", "/audio", "/audio?format=original", "/export"];
const pathOf = ({ call_id: callId }: Pick<Accepted, "call_id">): string => `/api/v1/calls/${callId}`;

describe("deleting a call", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ WORKER_CONCURRENCY: "1" });
  });
  afterAll(() => gateway.stop());

  const remove = (call: Pick<Accepted, "call_id">, role: "agent" | "service" | "supervisor" | "admin" = "admin"): Promise<PlainAnswer> =>
    ask(gateway, pathOf(call), { role, method: "DELETE" });
  /** Tables that have rows of the call, whatever tables there are; what remains is the receipt. */
  const rowsOf = (callId: string): Promise<Readonly<Record<string, number>>> =>
    withDatabase(gateway, async (database) => {
      const tables = (await database.sql.introspection.getTables()).filter(({ columns }) => columns.some(({ name }) => name === "call_id"));
      expect(tables.length).toBeGreaterThan(6);
      const counts: Record<string, number> = {};
      for (const { name } of tables.filter((table) => table.name !== "deletion_receipt")) {
        const { rows } = await sql`select 1 from ${sql.table(name)} where call_id = ${callId}`.execute(database.sql);
        if (rows.length > 0) counts[name] = rows.length;
      }
      return counts;
    });
  const workFiles = (): readonly string[] => readdirSync(join(gateway.dataDirectory, "work"));
  const expectGone = async (call: Accepted): Promise<void> => {
    for (const sub of SUB_PATHS) {
      const answer = await ask(gateway, `${pathOf(call)}${sub}`);
      expect({ sub, status: answer.status, code: codeOf(answer) }).toEqual({ sub, status: 404, code: "CALL_NOT_FOUND" });
    }
    const isUnknown = async (sub: string): Promise<boolean> => (await ask(gateway, `/audio/task/${call.task_id}${sub}`)).status === 404;
    await until("its task is unknown", () => isUnknown(""), 10_000, 25);
    await until("its events are unknown", () => isUnknown("/events"), 10_000, 25);
    expect(callPageSchema.parse(await gateway.json("agent", "/api/v1/calls?limit=500")).items.filter((item) => item.call_id === call.call_id)).toEqual([]);
    expect(await rowsOf(call.call_id)).toEqual({});
  };

  it.skipIf(isMissing("pocketsphinx", "ffmpeg"))(
    "leaves nothing of an analysed call, neither to ask for nor on the disk, and the others as they are",
    async () => {
      const files = new Set(audioFiles(gateway));
      const { accepted: other } = await analysed(gateway, quietClip("other"));
      const withOther = audioFiles(gateway).length;
      const { accepted } = await analysed(gateway, shortClip("child-labour", 3));
      expect((await ask(gateway, `${pathOf(accepted)}/audio`)).status).toBe(200);
      expect(audioFiles(gateway)).toHaveLength(withOther + 2);
      const before = await rowsOf(accepted.call_id);
      expect([before["recording"], before["call_task"], before["analysis"]]).toEqual([2, 1, 1]);
      const answer = await remove(accepted, "supervisor");
      expect(answer.status).toBe(200);
      const receipt = deletionReceiptSchema.strict().parse(JSON.parse(answer.body.toString("utf8")));
      expect(receipt).toMatchObject({ call_id: accepted.call_id, part: "call", reason: "request", recordings: 2, tasks: 1, key_destroyed: true });
      const stored = receiptPageSchema.parse(await gateway.json("supervisor", `/api/v1/deletions?call_id=${accepted.call_id}`));
      expect(stored).toEqual({ items: [{ ...receipt, is_genuine: true }], next_cursor: null });
      expect(audioFiles(gateway)).toHaveLength(withOther);
      await expectGone(accepted);
      expect((await remove(accepted)).status).toBe(404);
      expect((await ask(gateway, `${pathOf(other)}/audio?format=original`)).body.equals(quietClip("other"))).toBe(true);
      expect((await remove(other)).status).toBe(200);
      expect(new Set(audioFiles(gateway))).toEqual(files);
    },
  );

  it("is recorded in the audit log, which stays whole", async () => {
    const { accepted } = await analysed(gateway, quietClip("recorded"));
    expect((await remove(accepted)).status).toBe(200);
    const lines = (await auditLines(gateway)).filter(({ target }) => target === accepted.call_id);
    expect(lines.filter(({ action, role, outcome }) => action === "call.deleted" && role === "admin" && outcome === "allowed")).toHaveLength(1);
    expect(await verifyAudit(gateway)).toMatchObject({ brokenAtSeq: null });
  });

  it("is for supervisors and admins alone", async () => {
    const { accepted } = await analysed(gateway, quietClip("kept"));
    for (const role of ["agent", "service"] as const) {
      const answer = await remove(accepted, role);
      expect({ role, status: answer.status, code: codeOf(answer) }).toEqual({ role, status: 403, code: "AUTH_PERMISSION_DENIED" });
    }
    expect((await ask(gateway, pathOf(accepted), { role: null, method: "DELETE" })).status).toBe(401);
    expect((await ask(gateway, `${pathOf(accepted)}/audio?format=original`)).body.equals(quietClip("kept"))).toBe(true);
  });

  it("is refused while the call is on legal hold, and nothing of it is touched", async () => {
    const { accepted } = await analysed(gateway, quietClip("held"));
    const hold = (legalHold: boolean, role: "agent" | "supervisor" = "supervisor"): Promise<PlainAnswer> =>
      ask(gateway, `${pathOf(accepted)}/legal-hold`, {
        ...{ role, method: "PUT", headers: { "content-type": "application/json" } },
        body: Buffer.from(JSON.stringify({ legal_hold: legalHold })),
      });
    expect((await hold(true, "agent")).status).toBe(403);
    expect(callSchema.parse(JSON.parse((await hold(true)).body.toString("utf8"))).legal_hold).toBe(true);
    await until("its text was indexed", async () => (await rowsOf(accepted.call_id))["call_text_due"] === undefined, 30_000, 50);
    const [rows, files] = [await rowsOf(accepted.call_id), audioFiles(gateway)];
    const answer = await remove(accepted);
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 409, code: "CALL_ON_LEGAL_HOLD" });
    expect([await rowsOf(accepted.call_id), audioFiles(gateway)]).toEqual([rows, files]);
    expect((await ask(gateway, `${pathOf(accepted)}/analysis`)).status).toBe(200);
    expect((await ask(gateway, `${pathOf(accepted)}/audio?format=original`)).body.equals(quietClip("held"))).toBe(true);
    expect(callSchema.parse(JSON.parse((await hold(false)).body.toString("utf8"))).legal_hold).toBe(false);
    expect((await remove(accepted)).status).toBe(200);
    await expectGone(accepted);
  });

  it("while its task runs stops the work and leaves no file, and the service goes on", async () => {
    const files = audioFiles(gateway).length;
    const doomed = await uploaded(gateway, shortClip("custody-maintenance", 40));
    await untilProcessing(gateway, doomed.task_id);
    await until("it is being decoded or read", () => workFiles().length > 0, 30_000, 2);
    const answer = await remove(doomed);
    expect(answer.status).toBe(200);
    await until("no file of it is left", () => audioFiles(gateway).length === files && workFiles().length === 0, 15_000, 20);
    const { accepted: next, task } = await analysed(gateway, quietClip("next"));
    expect(task.status).toBe("completed");
    await expectGone(doomed);
    expect((await remove(next)).status).toBe(200);
  });

  it.skipIf(isMissing("ffmpeg"))("while its sound is made ready for playing leaves no file of it", async () => {
    const files = audioFiles(gateway).length;
    for (const moment of ["asked for", "in work"]) {
      const doomed = await uploaded(gateway, shortClip("early-marriage", 40));
      await gateway.request("agent", `/audio/task/${doomed.task_id}`, { method: "DELETE" });
      await endOf(gateway, doomed.task_id);
      await until("nothing is in work", () => workFiles().length === 0, 15_000, 20);
      const listening = ask(gateway, `${pathOf(doomed)}/audio`).catch(() => undefined);
      if (moment === "in work") await until("it is in work", () => workFiles().length > 0, 10_000, 1);
      expect((await remove(doomed)).status, moment).toBe(200);
      expect((await listening)?.status ?? 200, moment).toBeLessThan(500);
      await until("no file of it is left", () => audioFiles(gateway).length === files && workFiles().length === 0, 15_000, 20);
      expect(await rowsOf(doomed.call_id), moment).toEqual({});
    }
  });

  it("while its task waits takes the task out of the queue", async () => {
    const running = await uploaded(gateway, shortClip("custody-maintenance", 10));
    await untilProcessing(gateway, running.task_id);
    const doomed = await uploaded(gateway, quietClip("waits in vain"));
    expect((await remove(doomed)).status).toBe(200);
    await expectGone(doomed);
    const active = await gateway.json<{ items: readonly { task_id: string }[] }>("agent", "/audio/tasks/active");
    expect(active.items.map(({ task_id: taskId }) => taskId)).not.toContain(doomed.task_id);
    expect((await endOf(gateway, running.task_id)).status).toBe("completed");
  });

  it("happens once when it is asked for many times at once", async () => {
    const { accepted } = await analysed(gateway, quietClip("five times"));
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove(accepted)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404, 404, 404]);
    await expectGone(accepted);
  });

  it("leaves its batch to be asked for, with the other recordings as they are", async () => {
    const form = new FormData();
    for (const name of ["one", "two"]) form.append("audio", new Blob([new Uint8Array(quietClip(name))]), `${name}.wav`);
    const batch = acceptedBatchSchema.parse(await (await gateway.request("agent", "/audio/batch", { method: "POST", body: form })).json());
    const items = batch.items.flatMap((item) => ("task_id" in item ? [item] : []));
    for (const { task_id: taskId } of items) await endOf(gateway, taskId);
    expect((await remove(items[0] ?? { call_id: "none" })).status).toBe(200);
    const answer = await ask(gateway, batch.status_endpoint);
    expect(answer.status).toBe(200);
    const seen = batchSchema.parse(JSON.parse(answer.body.toString("utf8")));
    expect(seen.items[1]).toMatchObject({ position: 1, status: "completed", task_id: items[1]?.task_id });
    expect([seen.progress, seen.status]).toEqual([100, "completed"]);
  });

  it("leaves the service able to start again with what there is", async () => {
    const { accepted: kept } = await analysed(gateway, quietClip("there after all"));
    const rows = await withDatabase(gateway, (database) => database.sql.selectFrom("recording").select("audio_key").execute());
    expect(audioFiles(gateway)).toHaveLength(rows.length);
    expect((await ask(gateway, `${pathOf(kept)}/audio?format=original`)).status).toBe(200);
  });
});
