/** Feedback over HTTP on a call that was really analysed: what is taken, what is refused, and what is kept of it. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RISK_KINDS } from "../../src/core/risk.js";
import { analysisSchema, type WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { problemSchema } from "../../src/protocol/http/problem-schema.js";
import { feedbackOf, given, missedPlace, type NewFeedback, postFeedback } from "../support/feedback-client.js";
import { type Accepted, analysed, endOf, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const NOWHERE = "0190c0de-0000-7000-8000-0000000000ff";

describe.skipIf(isMissing("pocketsphinx"))("feedback on an analysed call", () => {
  let gateway: TestGateway;
  let accepted: Accepted;
  let analysis: WireAnalysis;
  let callId: string;

  beforeAll(async () => {
    gateway = await startGateway();
    const call = await analysed(gateway, shortClip("child-violence-home", 25));
    accepted = call.accepted;
    callId = accepted.call_id;
    analysis = analysisSchema.parse(call.task.result);
  }, 60_000);
  afterAll(() => gateway.stop());

  const give = (some: NewFeedback) => given(gateway, { call_id: callId, ...some });
  const revisionOf = (task: string) => analysis.models.find((model) => model.task === task)?.revision;
  const expectRefused = async (body: NewFeedback, status: number, code: string) => {
    const before = (await feedbackOf(gateway, callId)).length;
    const response = await postFeedback(gateway, { call_id: callId, ...body });
    const problem = problemSchema.parse(await response.json());
    expect({ status: response.status, code: problem.code }, JSON.stringify(body)).toEqual({ status, code });
    expect(await feedbackOf(gateway, callId)).toHaveLength(before);
    return problem;
  };

  it("may be a rating alone, a correction alone, or both", async () => {
    const { label: priority } = analysis.classification?.priority ?? { label: null };
    const other = priority === "critical" ? "low" : "critical";
    const head = { task: "classification", item: "priority" };
    expect(await give({ ...head, rating: 4 })).toMatchObject({ rating: 4, correction: null, agrees: true, predicted_label: priority });
    expect(await give({ ...head, correction: { label: other } })).toMatchObject({ rating: null, correction: { label: other }, agrees: false });
    expect(await give({ ...head, rating: 5, reason: "the caller said so", correction: { label: other } })).toMatchObject({
      ...{ rating: 5, reason: "the caller said so", correction: { label: other }, agrees: false },
    });
    expect(await give({ ...head, rating: 3 })).toMatchObject({ agrees: null });
  });

  it("is kept with call, task, model revision, who said it and when", async () => {
    const before = Date.now();
    const kept = await give({ task: "ner", rating: 2 });
    expect(kept).toMatchObject({ call_id: callId, task_id: accepted.task_id, task: "ner", item: null, agrees: false });
    expect(kept.model).toMatchObject({ task: "entities", revision: revisionOf("entities") });
    expect(gateway.keys.agent).toContain(kept.actor_id);
    expect(kept.created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(Date.parse(kept.created_at) >= before - 1 && Date.parse(kept.created_at) <= Date.now() + 1).toBe(true);
    expect((await feedbackOf(gateway, callId, "&task=ner")).at(-1)).toEqual(kept);
  });

  it("is taken on the items of every task", async () => {
    const segment = analysis.transcript?.segments[0];
    const heard = { task: "transcription", item: segment?.id, correction: { text: "What was really said" } };
    expect(await give(heard)).toMatchObject({ predicted_text: segment?.text, agrees: false, model: { task: "speech" } });
    expect(await give({ ...heard, correction: { text: segment?.text } })).toMatchObject({ agrees: true });
    for (const item of ["main_category", "sub_category", "intervention", "priority", "contact_type"] as const) {
      const decision = analysis.classification?.[item];
      expect(await give({ task: "classification", item, rating: 5 })).toMatchObject({ predicted_label: decision?.label ?? null, agrees: true });
    }
    expect(await give({ task: "summarization", rating: 1, correction: { text: "Another summary" } })).toMatchObject({
      ...{ predicted_text: analysis.summary?.text, agrees: false, model: { task: "summary" } },
    });
    const head = analysis.quality?.heads[0];
    const [judged] = head?.items ?? [];
    const corrected = judged?.mark === "met" ? "not_met" : "met";
    const verdict = { task: "qa", item: `${head?.head}/${judged?.item}`, correction: { label: corrected } };
    expect(await give(verdict)).toMatchObject({ predicted_label: judged?.mark, agrees: false, model: { task: "quality" } });
  });

  it("is taken on an entity, on one that was missed, and on one that is right", async () => {
    const entity = analysis.entities?.[0];
    const [mention] = entity?.mentions ?? [];
    expect(mention, "the sample has an entity").toBeDefined();
    const item = `${mention?.segment_id}:${mention?.start_offset}-${mention?.end_offset}`;
    const said = { predicted_label: entity?.label, predicted_text: mention?.text };
    expect(await give({ task: "ner", item, correction: { label: "none" } })).toMatchObject({ ...said, agrees: false });
    expect(await give({ task: "ner", item, correction: { label: entity?.label } })).toMatchObject({ ...said, agrees: true });
    const missed = missedPlace(analysis);
    expect(await give({ task: "ner", item: missed.item, correction: { label: "VICTIM", text: missed.text } })).toMatchObject({
      item: missed.item,
      agrees: false,
    });
    expect(await give({ task: "ner", item: missed.item, correction: { label: "none" } })).toMatchObject({ agrees: true });
  });

  it("is taken on a risk that was found and on one that was not", async () => {
    const found = new Set(analysis.risk?.map(({ kind }) => kind));
    for (const { kind, level } of analysis.risk ?? []) {
      expect(await give({ task: "risk", item: kind, correction: { label: level } })).toMatchObject({ predicted_label: level, agrees: true });
      expect(await give({ task: "risk", item: kind, correction: { label: "none" } })).toMatchObject({ agrees: false });
    }
    const missing = RISK_KINDS.find((kind) => !found.has(kind));
    expect(await give({ task: "risk", item: missing, correction: { label: "critical" } })).toMatchObject({ item: missing, agrees: false });
    expect(await give({ task: "risk", item: missing, correction: { label: "none" } })).toMatchObject({ agrees: true });
  });

  it("keeps every word in the order it was said, also of one person on one item", async () => {
    const head = { task: "classification", item: "intervention" };
    const before = (await feedbackOf(gateway, callId)).length;
    const said = [];
    for (const [role, rating] of [
      ["agent", 1],
      ["supervisor", 5],
      ["agent", 4],
      ["admin", 2],
    ] as const)
      said.push(await given(gateway, { call_id: callId, ...head, rating }, role));
    const kept = (await feedbackOf(gateway, callId)).slice(before);
    expect(kept).toEqual(said);
    expect(new Set(kept.map(({ actor_id: actor }) => actor)).size).toBe(3);
    expect(new Set(kept.map(({ feedback_id: id }) => id)).size).toBe(4);
    expect((await feedbackOf(gateway, callId, "&task=classification")).slice(-4)).toEqual(said);
    expect((await feedbackOf(gateway, callId, "&task=translation")).filter(({ task }) => task !== "translation")).toEqual([]);
  });

  it.each<[string, NewFeedback]>([
    ["neither a rating nor a correction", { task: "ner" }],
    ["a reason alone", { task: "ner", reason: "no rating" }],
    ["a correction without label and text", { task: "classification", item: "priority", correction: {} }],
    ["a rating of 0", { task: "ner", rating: 0 }],
    ["a rating of 6", { task: "ner", rating: 6 }],
    ["half a rating", { task: "ner", rating: 2.5 }],
    ["a rating in words", { task: "ner", rating: "5" }],
    ["no task", { rating: 5 }],
    ["a task there is none of", { task: "insights", rating: 5 }],
    ["a list for an item", { task: "risk", item: ["threats"], rating: 5 }],
    ["an empty item", { task: "risk", item: "", rating: 5 }],
    ["a reason that is too long", { task: "ner", rating: 5, reason: "x".repeat(10_001) }],
    ["a call id that is a number", { call_id: 7, task: "ner", rating: 5 }],
  ])("is refused with 400 when it has %s", async (_what, body) => {
    await expectRefused(body, 400, "GATEWAY_BAD_REQUEST");
  });

  it.each<[string, NewFeedback]>([
    ["a segment there is none of", { task: "transcription", item: "s9999" }],
    ["a place beyond its segment", { task: "ner", item: "s1:0-99999" }],
    ["a place of no length", { task: "ner", item: "s1:3-3" }],
    ["a head of no classification", { task: "classification", item: "mood" }],
    ["a property of every object", { task: "classification", item: "constructor" }],
    ["a risk of no kind", { task: "risk", item: "boredom" }],
    ["a part of a summary", { task: "summarization", item: "s1" }],
    ["an item of no rubric", { task: "qa", item: "opening/Sings a song" }],
    ["a translation that was not made", { task: "translation", item: "s1" }],
  ])("is refused with 422 on %s", async (_what, body) => {
    await expectRefused({ ...body, rating: 5 }, 422, "FEEDBACK_ITEM_UNKNOWN");
  });

  it.each<[string, NewFeedback, string]>([
    ["a category of no taxonomy", { task: "classification", item: "main_category", correction: { label: "Gossip" } }, "VANE"],
    ["a category of another head", { task: "classification", item: "main_category", correction: { label: "Child Neglect" } }, "VANE"],
    ["a priority by number", { task: "classification", item: "priority", correction: { label: "3" } }, "critical"],
    ["a level of risk by number", { task: "risk", item: "threats", correction: { label: "9" } }, "none"],
    ["a mark spelled otherwise", { task: "qa", item: "opening/Use of call opening phrase", correction: { label: "Met" } }, "not_met"],
  ])("is refused with 422 when it corrects to %s, and says which labels there are", async (_what, body, label) => {
    const { details } = await expectRefused(body, 422, "FEEDBACK_LABEL_UNKNOWN");
    expect(JSON.stringify(details)).toContain(label);
  });

  it.each<[string, NewFeedback]>([
    ["an entity's label that is none", { task: "ner", correction: { label: "MOOD" } }],
    ["a label for a segment", { task: "transcription", correction: { label: "low" } }],
    ["a label for the summary", { task: "summarization", correction: { label: "good" } }],
    ["words for a priority", { task: "classification", item: "priority", correction: { text: "rather urgent" } }],
    ["words for a mark", { task: "qa", item: "opening/Use of call opening phrase", correction: { text: "she did" } }],
  ])("is refused with 422 when it corrects by %s", async (_what, body) => {
    const first = analysis.transcript?.segments[0]?.id;
    const items: Readonly<Record<string, unknown>> = { ner: `${first}:0-3`, transcription: first };
    const task = String(body["task"]);
    await expectRefused({ ...(task in items ? { item: items[task] } : {}), ...body }, 422, "FEEDBACK_LABEL_UNKNOWN");
  });

  it("is refused on a call that is not there, not analysed, or of which no part was made", async () => {
    await expectRefused({ call_id: NOWHERE, task: "ner", rating: 5 }, 404, "CALL_NOT_FOUND");
    expect((await gateway.request("agent", `/api/v1/agent-feedback?call_id=${NOWHERE}`)).status).toBe(404);
    const broken = await uploaded(gateway, Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)]));
    await endOf(gateway, broken.task_id);
    await expectRefused({ call_id: broken.call_id, task: "ner", rating: 5 }, 409, "CALL_NOT_ANALYSED");
    const unheard = await uploaded(gateway, shortClip("swahili-mixed", 4), { fields: { language: "sw" } });
    await endOf(gateway, unheard.task_id);
    for (const task of ["transcription", "translation", "ner", "classification", "risk", "summarization", "qa"]) {
      const response = await postFeedback(gateway, { call_id: unheard.call_id, task, rating: 5 });
      expect([409, 422], `${task}: ${await response.text()}`).toContain(response.status);
    }
    expect(await feedbackOf(gateway, unheard.call_id)).toEqual([]);
  });

  it("is refused on an analysis of another call", async () => {
    const { accepted: other } = await analysed(gateway, shortClip("silent-prank", 4));
    const response = await postFeedback(gateway, { call_id: callId, task_id: other.task_id, task: "classification", rating: 5 });
    expect([404, 409, 422], await response.text()).toContain(response.status);
    expect((await feedbackOf(gateway, callId)).filter(({ task_id: taskId }) => taskId === other.task_id)).toEqual([]);
    expect(await give({ task_id: accepted.task_id, task: "classification", rating: 5 })).toMatchObject({ task_id: accepted.task_id });
  });

  it("is not for the role service, nor for nobody", async () => {
    const body = { call_id: callId, task: "ner", rating: 5 };
    expect((await postFeedback(gateway, body, "service")).status).toBe(403);
    expect((await postFeedback(gateway, body, null)).status).toBe(401);
    for (const path of [`?call_id=${callId}`, "/statistics", "/export", `/call/${callId}`])
      expect((await gateway.request("service", `/api/v1/agent-feedback${path}`)).status, path).toBe(403);
    expect((await gateway.request("agent", "/api/v1/agent-feedback/export")).status).toBe(403);
  });
});
