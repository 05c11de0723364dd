/** What becomes of feedback: statistics worked out by hand, exports with and without words, older clients, deletion. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { analysisSchema, type WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { exported, feedbackOf, given, postFeedback } from "../support/feedback-client.js";
import { type Accepted, analysed } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { auditLines, lastAuditSeq, withDatabase } from "../support/service-database.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { filesHolding, secretWords } from "../support/stored-bytes.js";

interface Judgement {
  readonly count: number;
  readonly average_rating: number | null;
  readonly agreement: number | null;
}
interface TaskStatistics extends Judgement {
  readonly total_predictions: number;
  readonly rated_predictions: number;
  readonly rating_coverage: number | null;
  readonly labels: readonly (Judgement & { readonly label: string })[];
  readonly models: readonly (Judgement & { readonly revision: string })[];
}
interface Statistics {
  readonly period_days: number;
  readonly tasks: Readonly<Record<string, TaskStatistics>>;
}

const PATH = "/api/v1/agent-feedback";
const NOWHERE = "0190c0de-0000-7000-8000-0000000000ff";
const DAY_MS = 86_400_000;

describe.skipIf(isMissing("pocketsphinx"))("feedback that was given", () => {
  let gateway: TestGateway;
  let first: Accepted;
  let second: Accepted;
  let analysis: WireAnalysis;
  const words = secretWords(4, "Kwebulora").map((word, index) => `${["Wanjiku", "Otieno", "Nekesa", "Baraka Juma"][index]} ${word}`);

  const statistics = (query = "") => gateway.json<Statistics>("supervisor", `${PATH}/statistics${query}`);
  const forget = () => withDatabase(gateway, ({ sql }) => sql.deleteFrom("agent_feedback").execute());

  beforeAll(async () => {
    gateway = await startGateway();
    const call = await analysed(gateway, shortClip("child-violence-home", 25));
    ({ accepted: first } = call);
    analysis = analysisSchema.parse(call.task.result);
    ({ accepted: second } = await analysed(gateway, shortClip("silent-prank", 5)));
  }, 60_000);
  afterAll(() => gateway.stop());
  beforeEach(forget);

  const rate = (callId: string, rating: number, role: "agent" | "supervisor" = "agent", more: object = {}) =>
    given(gateway, { call_id: callId, task: "classification", item: "priority", rating, ...more }, role);

  it("is counted as somebody would with a pencil", async () => {
    await rate(first.call_id, 1);
    await rate(first.call_id, 5);
    await rate(first.call_id, 2, "supervisor");
    await rate(first.call_id, 3, "agent", { item: "main_category" });
    await given(gateway, { call_id: first.call_id, task: "risk", item: "trafficking", correction: { label: "high" } });
    const { period_days: days, tasks } = await statistics();
    expect(days).toBe(30);
    // The agent's 1 was taken back by the 5: ratings 5, 2, 3; verdicts yes and no; one of two calls.
    expect(tasks["classification"]).toMatchObject({ count: 3, total_predictions: 2, rated_predictions: 1, rating_coverage: 0.5, min_rating: 2, max_rating: 5 });
    expect(tasks["classification"]?.average_rating).toBeCloseTo(10 / 3, 3);
    expect(tasks["classification"]?.agreement).toBeCloseTo(1 / 2, 6);
    expect(tasks["risk"]).toMatchObject({ count: 1, average_rating: null, agreement: 0, corrections: 1, rated_predictions: 1 });
    const { priority } = analysis.classification ?? {};
    const ofPriority = tasks["classification"]?.labels.find(({ label }) => label === priority?.label);
    if (priority?.label !== null) expect(ofPriority).toMatchObject({ count: 2, average_rating: 3.5, agreement: 0.5 });
    const revision = analysis.models.find(({ task }) => task === "classification")?.revision;
    expect(tasks["classification"]?.models).toEqual([expect.objectContaining({ revision, count: 3 })]);
    expect(tasks["summarization"] ?? { count: 0 }).toMatchObject({ count: 0 });
  });

  it("is counted for one task alone when asked so, and for the days asked for", async () => {
    await given(gateway, { call_id: first.call_id, task: "ner", rating: 4 });
    await rate(first.call_id, 4);
    expect(Object.keys((await statistics("?task=ner")).tasks)).toEqual(["ner"]);
    expect((await statistics("?days=1")).period_days).toBe(1);
    for (const query of ["?days=0", "?days=3651", "?days=1.5", "?task=mood"])
      expect((await gateway.request("supervisor", `${PATH}/statistics${query}`)).status, query).toBe(400);
    await withDatabase(gateway, ({ sql }) =>
      sql
        .updateTable("agent_feedback")
        .set({ created_at_ms: Date.now() - 5 * DAY_MS })
        .where("task", "=", "ner")
        .execute(),
    );
    expect((await statistics("?days=3")).tasks["ner"]?.count ?? 0).toBe(0);
    expect((await statistics("?days=7")).tasks["ner"]?.count).toBe(1);
    expect((await exported(gateway, "?days=3")).map(({ task }) => task)).toEqual(["classification"]);
    expect((await exported(gateway, "?days=7")).map(({ task }) => task)).toEqual(["ner", "classification"]);
  });

  it("covers only results of the period, also when older ones are judged now", async () => {
    await rate(first.call_id, 4);
    await rate(second.call_id, 4);
    const { completed_at_ms: completedAtMs } = await withDatabase(gateway, ({ sql }) =>
      sql.selectFrom("analysis").select("completed_at_ms").where("call_id", "=", first.call_id).executeTakeFirstOrThrow(),
    );
    const setBack = (atMs: number) =>
      withDatabase(gateway, async ({ sql }) => {
        await sql.updateTable("analysis").set({ completed_at_ms: atMs }).where("call_id", "=", first.call_id).execute();
        await sql.updateTable("analysis_stage").set({ finished_at_ms: atMs }).where("call_id", "=", first.call_id).execute();
      });
    await setBack(completedAtMs - 20 * DAY_MS);
    const { tasks } = await statistics("?days=7");
    await setBack(completedAtMs);
    expect(tasks["classification"]).toMatchObject({ total_predictions: 1, rated_predictions: 1, rating_coverage: 1 });
  });

  it("is exported oldest first, with reasons and corrections masked", async () => {
    const segment = analysis.transcript?.segments[0];
    const heard = { call_id: first.call_id, task: "transcription", item: segment?.id, reason: `${words[0]} told me` };
    await given(gateway, { ...heard, rating: 1, correction: { text: `${words[1]} said it` } });
    await rate(first.call_id, 5, "supervisor", { reason: words[2] });
    await given(gateway, { call_id: first.call_id, task: "summarization", rating: 2, correction: { text: words[3] } });
    const seq = await lastAuditSeq(gateway);
    const masked = await exported(gateway);
    expect(masked.map(({ task, rating }) => [task, rating])).toEqual([
      ["transcription", 1],
      ["classification", 5],
      ["summarization", 2],
    ]);
    const text = JSON.stringify(masked);
    for (const hidden of ["Wanjiku", "Otieno", "Nekesa", "Juma"]) expect(text).not.toContain(hidden);
    expect(text).toContain("told me");
    const { priority } = analysis.classification ?? {};
    expect(masked[1]).toMatchObject({ item: "priority", predicted_label: priority?.label, agrees: true, model: { task: "classification" } });
    expect(masked[0]).toMatchObject({ item: segment?.id, agrees: false, model: { task: "speech", engine: "pocketsphinx" } });

    const clear = await exported(gateway, "?text=clear");
    expect(clear.map(({ reason, correction }) => [reason, correction?.text ?? null])).toEqual([
      [`${words[0]} told me`, `${words[1]} said it`],
      [words[2], null],
      [null, words[3]],
    ]);
    expect(clear[0]?.predicted_text).toBe(segment?.text);
    const actions = (await auditLines(gateway, seq)).map(({ action }) => action);
    expect(actions).toEqual(["feedback.exported", "feedback.exported_clear"]);
  });

  it("is not exported to an agent, in clear or not, nor in another way of spelling clear", async () => {
    await rate(first.call_id, 5, "agent", { reason: words[0] });
    for (const role of ["agent", "service"] as const)
      for (const query of ["", "?text=clear"]) expect((await gateway.request(role, `${PATH}/export${query}`)).status).toBe(403);
    for (const query of ["?text=CLEAR", "?text=1", "?text=clear&text=masked", "?days=0"]) {
      const response = await gateway.request("supervisor", `${PATH}/export${query}`);
      expect(response.status, query).toBe(400);
      expect(await response.text()).not.toContain(words[0]);
    }
  });

  it("is exported line by line when there is a lot of it", async () => {
    const COUNT = 450;
    for (let index = 0; index < COUNT; index += 1) await rate(first.call_id, 1 + (index % 5), "agent", { reason: `${index} ${words[0]}` });
    const clear = await exported(gateway, "?text=clear");
    expect(clear.map(({ reason }) => reason)).toEqual(Array.from({ length: COUNT }, (_, index) => `${index} ${words[0]}`));
    expect((await statistics()).tasks["classification"]).toMatchObject({ count: 1 });
  }, 60_000);

  it("of older clients is a rating in their words, and can be read back in them", async () => {
    const update = (body: unknown) => postFeedback(gateway, body, "agent", `${PATH}/update`);
    const response = await update({ call_id: first.call_id, task: "summarization", feedback: 2, reason: words[1] });
    expect(response.status).toBe(200);
    const row = (await response.json()) as Readonly<Record<string, unknown>>;
    const names = ["id", "call_id", "task", "prediction", "feedback", "reason", "created_at", "updated_at", "processing_mode", "model_version"];
    expect(names.filter((name) => !(name in row))).toEqual([]);
    expect(row).toMatchObject({ call_id: first.call_id, task: "summarization", feedback: 2, reason: words[1], prediction: { text: analysis.summary?.text } });
    expect(typeof row["model_version"]).toBe("string");
    await rate(first.call_id, 4);
    const rows = await gateway.json<readonly Readonly<Record<string, unknown>>[]>("agent", `${PATH}/call/${first.call_id}`);
    expect(rows.map(({ task, feedback }) => [task, feedback])).toEqual([
      ["summarization", 2],
      ["classification", 4],
    ]);
    expect(rows[0]).toEqual(row);
    expect(await gateway.json<readonly unknown[]>("agent", `${PATH}/call/${first.call_id}?task=summarization`)).toEqual([row]);
    expect((await feedbackOf(gateway, first.call_id))[0]).toMatchObject({ task: "summarization", rating: 2, item: null, agrees: false });
    // The older pipeline's insights are no result here.
    expect([404, 422]).toContain((await update({ call_id: first.call_id, task: "insights", feedback: 3 })).status);
    for (const wrong of [{ feedback: 0 }, { feedback: 6 }, { feedback: undefined }, { task: "mood" }])
      expect((await update({ call_id: first.call_id, task: "ner", feedback: 3, ...wrong })).status, JSON.stringify(wrong)).toBe(400);
    expect((await update({ call_id: NOWHERE, task: "ner", feedback: 3 })).status).toBe(404);
    expect((await gateway.request("agent", `${PATH}/call/${NOWHERE}`)).status).toBe(404);
  });

  it("lies in no file in clear", async () => {
    await rate(first.call_id, 1, "agent", { reason: `${words[0]} told ${words[1]}` });
    await given(gateway, { call_id: first.call_id, task: "summarization", correction: { text: `${words[2]}. ${words[3]}!` } });
    expect(filesHolding(gateway.dataDirectory, words)).toEqual([]);
  });

  it("is written down when it is given and when it is read", async () => {
    const seq = await lastAuditSeq(gateway);
    await rate(first.call_id, 4);
    await feedbackOf(gateway, first.call_id);
    const lines = (await auditLines(gateway, seq)).filter(({ target }) => target === first.call_id);
    expect(lines.map(({ action, role }) => [action, role])).toEqual([
      ["feedback.given", "agent"],
      ["feedback.read", "supervisor"],
    ]);
  });

  it("goes when its call is deleted, and that of other calls stays", async () => {
    const { accepted: doomed } = await analysed(gateway, shortClip("silent-prank", 4));
    await rate(doomed.call_id, 1, "agent", { reason: words[0] });
    await rate(first.call_id, 5);
    expect((await gateway.request("supervisor", `/api/v1/calls/${doomed.call_id}`, { method: "DELETE" })).ok).toBe(true);
    expect((await gateway.request("supervisor", `${PATH}?call_id=${doomed.call_id}`)).status).toBe(404);
    expect((await exported(gateway, "?text=clear")).map(({ call_id: callId }) => callId)).toEqual([first.call_id]);
    expect((await statistics()).tasks["classification"]).toMatchObject({ count: 1, average_rating: 5, total_predictions: 2 });
    const left = await withDatabase(gateway, ({ sql }) => sql.selectFrom("agent_feedback").select("call_id").execute());
    expect(left).toEqual([{ call_id: first.call_id }]);
  });
});
