/** `?shape=openchs` of recordings: clients of the older Python service poll a task and read `result.result` as before. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analysisSchema, type WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import {
  completedTaskSchema,
  ENTITY_TYPES,
  type FullPayload,
  INTERVENTIONS,
  MAIN_CATEGORIES,
  QUALITY_ITEMS,
  STEP_COUNTS,
  taskInWorkSchema,
} from "../support/openchs-contract.js";
import { type Accepted, analysed, endOf, taskOf, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";

interface OlderTask {
  readonly status: string;
  readonly progress: number;
  readonly result?: { readonly result: FullPayload };
}

const PRIORITY_OF: Readonly<Record<string, readonly string[]>> = { low: ["1"], medium: ["2"], high: ["2", "3"], critical: ["3"] };

describe.skipIf(isMissing("pocketsphinx"))("the shape of the older service", () => {
  let gateway: TestGateway;
  let accepted: Accepted;
  let native: WireAnalysis;
  let payload: FullPayload;

  const shaped = (taskId: string, role: "agent" | "service" = "agent") => gateway.request(role, `/audio/task/${taskId}?shape=openchs`);
  const jsonOf = async (taskId: string): Promise<unknown> => (await shaped(taskId)).json();

  beforeAll(async () => {
    gateway = await startGateway({ WORKER_CONCURRENCY: "1" });
    const call = await analysed(gateway, shortClip("child-violence-home", 20), { fields: { language: "en" } });
    accepted = call.accepted;
    native = analysisSchema.parse(call.task.result);
    payload = completedTaskSchema.parse(await jsonOf(accepted.task_id)).result.result;
  }, 60_000);
  afterAll(() => gateway.stop());

  it("of a finished task has every key of the full payload at result.result", async () => {
    const answer = (await jsonOf(accepted.task_id)) as { task_id: string };
    expect(answer.task_id).toBe(accepted.task_id);
    expect(completedTaskSchema.safeParse(answer).error?.issues ?? []).toEqual([]);
  });

  it("tells the transcript and the summary as one text each", () => {
    expect(payload.transcript).toBe(native.transcript?.text);
    expect(payload.transcript.length).toBeGreaterThan(20);
    expect(payload.summary).toBe(native.summary?.text);
    expect(payload.nlp_processing_info.nlp_text_length).toBe(payload.transcript.length);
  });

  it("tells entities by label, as texts, under the labels there were", () => {
    const expected = new Map<string, string[]>();
    for (const { label, text } of native.entities ?? []) expected.set(label, [...(expected.get(label) ?? []), text]);
    expect(Object.keys(payload.entities).filter((label) => !ENTITY_TYPES.includes(label))).toEqual([]);
    for (const label of ENTITY_TYPES) expect(payload.entities[label] ?? []).toEqual(expected.get(label) ?? []);
  });

  it("tells the classification in words, with a priority of 1 to 3 of which 3 is the highest", () => {
    const { classification } = payload;
    expect([...MAIN_CATEGORIES, ""]).toContain(classification.main_category);
    expect([...INTERVENTIONS, "Unknown", ""]).toContain(classification.intervention);
    expect(["1", "2", "3"]).toContain(classification.priority);
    const { main_category: main, priority } = native.classification ?? {};
    if (main?.label !== null && main?.label !== undefined) expect(classification.main_category).toBe(main.label);
    if (priority?.label !== null && priority?.label !== undefined) expect(PRIORITY_OF[priority.label]).toContain(classification.priority);
  });

  it("tells marks as passed or failed, under heads and items of the rubric as they were written", () => {
    expect(Object.keys(payload.qa_scores).length).toBeGreaterThan(0);
    for (const [head, items] of Object.entries(payload.qa_scores)) {
      for (const { submetric, prediction, score } of items) {
        expect(QUALITY_ITEMS[head]).toContain(submetric);
        expect(score).toBe(prediction ? "✓" : "✗");
        const mark = native.quality?.heads.find((one) => one.head === head)?.items.find(({ item }) => item === submetric)?.mark;
        if (mark === "met") expect(prediction).toBe(true);
        if (mark === "not_met") expect(prediction).toBe(false);
      }
    }
    const judged = native.quality?.heads.flatMap(({ items }) => items).filter(({ mark }) => mark !== "not_enough_evidence") ?? [];
    const shown = Object.values(payload.qa_scores).flat();
    for (const { item } of judged) expect(shown.map(({ submetric }) => submetric)).toContain(item);
  });

  it("names the engines that were used and how long each step took", () => {
    expect(payload.pipeline_info.models_used.length).toBeGreaterThan(0);
    expect(payload.pipeline_info.total_time).toBeGreaterThan(0);
    expect(payload.processing_steps.ner.status).toBe("success");
    // Seconds, not milliseconds: the clip is heard in less than a minute.
    expect(payload.pipeline_info.total_time).toBeLessThan(60);
    expect(payload.processing_steps.transcription.duration).toBeLessThan(60);
  });

  it.each(Object.entries(STEP_COUNTS))("tells of the step %s its %s, as a number", (step, count) => {
    const told = payload.processing_steps[step] as Readonly<Record<string, unknown>>;
    expect(told).toMatchObject({ status: "success", [count]: expect.any(Number) });
    const expected: Readonly<Record<string, number>> = {
      output_length: payload.transcript.length,
      entities_found: Object.values(payload.entities).flat().length,
      confidence: payload.classification.confidence,
      summary_length: payload.summary.length,
    };
    if (expected[count] !== undefined) expect(told[count]).toBe(expected[count]);
  });

  it("tells of the step insights_generation, which clients show as the last", () => {
    expect(payload.processing_steps["insights_generation"]).toMatchObject({ duration: expect.any(Number), status: expect.any(String) });
  });

  it("serves a client that uploads a form, polls, and reads result.result", async () => {
    const form = uploadForm(shortClip("silent-prank", 4), { language: "en", include_translation: "true", include_insights: "true" });
    const posted = (await (await gateway.request("agent", "/audio/process", { method: "POST", body: form })).json()) as { task_id: string };
    const progress: number[] = [];
    const words: string[] = [];
    let last: OlderTask | undefined;
    const hasEnded = async (): Promise<boolean> => {
      last = (await jsonOf(posted.task_id)) as OlderTask;
      progress.push(last.progress);
      words.push(last.status);
      return last.status === "completed" || last.status === "failed";
    };
    await until("the older client has its result", hasEnded, 30_000, 5);
    expect(new Set(words)).toEqual(new Set([...words].filter((word) => ["queued", "processing", "completed"].includes(word))));
    expect(progress.every((value) => value >= 0 && value <= 100)).toBe(true);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(last?.progress).toBe(100);
    expect(typeof last?.result?.result.transcript).toBe("string");
  });

  it("tells a queued and a running task in its words", async () => {
    const uploads: Accepted[] = [];
    for (let index = 0; index < 4; index += 1) uploads.push(await uploaded(gateway, shortClip("child-violence-home", 6 + index)));
    const last = uploads.at(-1)?.task_id ?? "";
    expect(taskInWorkSchema.parse(await jsonOf(last))).toMatchObject({ task_id: last, status: "queued", progress: 0 });
    const first = uploads[0]?.task_id ?? "";
    let running: unknown;
    const runs = async (): Promise<boolean> => {
      running = await jsonOf(first);
      return (running as OlderTask).status !== "queued";
    };
    await until("the first is in work", runs, 15_000, 2);
    expect(taskInWorkSchema.parse(running)).toMatchObject({ status: "processing" });
    expect(typeof (running as { current_step: unknown }).current_step).toBe("string");
    expect(running).toHaveProperty("filename");
    for (const { task_id: taskId } of uploads) await gateway.request("agent", `/audio/task/${taskId}`, { method: "DELETE" });
  });

  it("tells of a failed task why, as a text, and has no result", async () => {
    const { task_id: taskId } = await uploaded(gateway, Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)]));
    expect((await endOf(gateway, taskId)).status).toBe("failed");
    const answer = (await jsonOf(taskId)) as { status: string; error: unknown; progress: number; result?: unknown };
    expect(answer).toMatchObject({ task_id: taskId, status: "failed" });
    expect(answer).toHaveProperty("filename");
    expect(typeof answer.error).toBe("string");
    expect(String(answer.error).length).toBeGreaterThan(5);
    expect(answer.result).toBeUndefined();
    expect(answer.progress).toBeLessThanOrEqual(100);
  });

  it("has texts where the older client reads texts, also when nothing could be heard", async () => {
    const { task_id: taskId } = await uploaded(gateway, shortClip("swahili-mixed", 5), { fields: { language: "sw", include_translation: "true" } });
    await endOf(gateway, taskId);
    expect((await taskOf(gateway, taskId)).result?.transcript ?? null).toBeNull();
    const heard = completedTaskSchema.parse(await jsonOf(taskId)).result.result;
    expect(heard.transcript).toBe("");
    expect(heard.entities).toEqual({});
    expect(heard.processing_steps.transcription.status).toBe("failed");
  });

  it("answers an unknown id with 404, which the older service left queued for ever", async () => {
    for (const id of ["0190c0de-0000-7000-8000-0000000000ff", "nonsense"]) {
      const response = await shaped(id);
      expect(response.status).toBe(404);
      expect(((await response.json()) as { code: string }).code).toBe("QUEUE_JOB_NOT_FOUND");
    }
  });

  it("is masked for the role service, as the other shape is", async () => {
    const response = await shaped(accepted.task_id, "service");
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).not.toContain('"words"');
    const masked = completedTaskSchema.parse(JSON.parse(text)).result.result;
    expect(Object.keys(masked.entities)).toEqual(Object.keys(payload.entities));
    expect(masked.classification.main_category).toBe(payload.classification.main_category);
  });

  it("is given only when asked for, and there is no other", async () => {
    expect(await taskOf(gateway, accepted.task_id)).toMatchObject({ result: { call_id: accepted.call_id } });
    expect((await gateway.request("agent", `/audio/task/${accepted.task_id}?shape=other`)).status).toBe(400);
  });
});
