/** `?shape=openchs` of the model endpoints: result names, words for states, and labels of the older Python service. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askModel, askWhisper, type ModelTask, resultOf, taskIn, untilStatus } from "../support/model-client.js";
import { INTERVENTIONS, MAIN_CATEGORIES, QUALITY_ITEMS, qaScoresSchema } from "../support/openchs-contract.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const TEXT = "My name is Akinyi. I am eleven years old and I live in Kisumu 👧🏾. Last night my father beat me with a belt. I live in Kisumu.";
const CALL = `Counsellor: Hello, thank you for calling the child helpline. How can I help you?\r\nCaller: ${TEXT}\r\nCounsellor: Thank you for calling, goodbye.`;

interface FlatEntity {
  readonly text: string;
  readonly label: string;
  readonly start: number;
  readonly end: number;
  readonly confidence: number;
}
interface Classified {
  readonly main_category: string;
  readonly sub_category: string;
  readonly intervention: string;
  readonly priority: string;
  readonly confidence_scores: Readonly<Record<string, unknown>>;
  readonly chunks_processed: number;
}
interface Native {
  readonly [head: string]: { readonly label: string | null };
}

const REQUESTS: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ["ner", "/ner/extract", { text: TEXT, flat: true }],
  ["classifier", "/classifier/classify", { narrative: TEXT }],
  ["summarizer", "/summarizer/summarize", { text: TEXT, max_length: 256 }],
  ["qa", "/qa/evaluate", { transcript: CALL, threshold: 0.5, return_raw: false }],
];

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({ WORKER_CONCURRENCY: "1" });
});
afterAll(() => gateway.stop());

const shapedOf = async <Result>(path: string, body: unknown): Promise<Result> => {
  const { status, result } = await taskIn<Result>(await askModel(gateway, `${path}?wait=30&shape=openchs`, body));
  expect(status).toBe("success");
  if (result === undefined) throw new Error("a task that succeeded has a result");
  return result;
};

describe("a model asked by a client of the older service", () => {
  it.each(REQUESTS)("of %s answers %s with success, at once or by its task", async (model, path, body) => {
    const waited = await taskIn(await askModel(gateway, `${path}?wait=30&shape=openchs`, body));
    expect(waited).toMatchObject({ status: "success", result: expect.any(Object) });
    const accepted = await taskIn(await askModel(gateway, `${path}?shape=openchs`, body), 202);
    expect(typeof accepted.task_id).toBe("string");
    const task = await untilStatus(gateway, `/${model}/task/${accepted.task_id}?shape=openchs`, ["success", "failed"]);
    expect(task).toMatchObject({ task_id: accepted.task_id, status: "success" });
    const withoutTimes = (result: unknown): unknown => ({ ...(result as object), processing_time: 0, timestamp: "" });
    expect(withoutTimes(task.result)).toEqual(withoutTimes(waited.result));
  });

  it("is told by ner each entity with text, label, start, end and confidence", async () => {
    const { entities } = await shapedOf<{ entities: readonly FlatEntity[] }>("/ner/extract", { text: TEXT, flat: true });
    expect(entities.length).toBeGreaterThan(1);
    for (const entity of entities) {
      expect(Object.keys(entity).sort()).toEqual(["confidence", "end", "label", "start", "text"]);
      expect(TEXT.slice(entity.start, entity.end)).toBe(entity.text);
      expect(entity.confidence >= 0 && entity.confidence <= 1).toBe(true);
    }
    const at = TEXT.indexOf("Kisumu");
    expect(entities).toContainEqual(expect.objectContaining({ label: "LOCATION", text: "Kisumu", start: at, end: at + 6 }));
  });

  it("is told by ner the texts by label when it wants them so, at once or by the task", async () => {
    const { entities } = await shapedOf<{ entities: Readonly<Record<string, readonly string[]>> }>("/ner/extract", { text: TEXT, flat: false });
    expect(entities["LOCATION"]).toContain("Kisumu");
    for (const texts of Object.values(entities)) for (const text of texts) expect(TEXT).toContain(text);
    const { task_id: taskId } = await taskIn(await askModel(gateway, "/ner/extract?wait=30", { text: TEXT }));
    const later = await gateway.json<ModelTask<{ entities: unknown }>>("agent", `/ner/task/${taskId}?shape=openchs&flat=false`);
    expect(later.result?.entities).toEqual(entities);
    const flat = await gateway.json<ModelTask<{ entities: readonly FlatEntity[] }>>("agent", `/ner/task/${taskId}?shape=openchs`);
    expect(flat.result?.entities.map(({ label }) => label)).toContain("LOCATION");
  });

  it("is told by classifier labels as texts and a score for each", async () => {
    const result = await shapedOf<Classified>("/classifier/classify", { narrative: TEXT });
    for (const name of ["main_category", "sub_category", "intervention", "priority"] as const) {
      expect(typeof result[name], name).toBe("string");
      const score = result.confidence_scores[name];
      expect(typeof score, name).toBe("number");
      expect(Number(score) >= 0 && Number(score) <= 1).toBe(true);
    }
    expect(MAIN_CATEGORIES).toContain(result.main_category);
    expect(["1", "2", "3"]).toContain(result.priority);
    expect(result.chunks_processed).toBeGreaterThanOrEqual(1);
  });

  it("is told by classifier texts, not null, when there is too little to decide on", async () => {
    const body = { narrative: "It rained all day." };
    const native = await resultOf<Native>(gateway, "/classifier/classify", body);
    expect(native["main_category"]?.label).toBeNull();
    const result = await shapedOf<Classified>("/classifier/classify", body);
    expect([...MAIN_CATEGORIES, ""]).toContain(result.main_category);
    expect([...INTERVENTIONS, "Unknown", ""]).toContain(result.intervention);
    for (const label of [result.sub_category, result.priority]) expect(typeof label).toBe("string");
  });

  it.each([
    ["Is it legal? I want to know what does the law say about child marriage. What is the law on the legal age?", "Legal Issues (Information)", "Legal Issues"],
    ["I want information about bursaries. How do I apply for a scholarship?", "School Related Issues (Information)", "School Related Issues"],
    ["The boy was radicalized. He is being exploited as a child soldier. It is exploitation.", "Other (VANE)", "Other"],
    ["We need a DNA test for paternity. He denies being the father. It is about guardianship.", "Other (Child Maintenance & Custody)", "Other"],
  ])("is told by classifier of %j the sub category as it was, without the addition %s has here", async (narrative, native, verbatim) => {
    expect((await resultOf<Native>(gateway, "/classifier/classify", { narrative }))["sub_category"]?.label).toBe(native);
    expect((await shapedOf<Classified>("/classifier/classify", { narrative })).sub_category).toBe(verbatim);
  });

  it("is told by classifier brackets that always were part of a label", async () => {
    const narrative = "My boyfriend broke up with me. I love my girlfriend. My boyfriend left me for another girl and we quarrel about our relationship.";
    const { sub_category: native } = await resultOf<Native>(gateway, "/classifier/classify", { narrative });
    expect(native?.label).toBe("Relationships (Boy/Girl)");
    expect((await shapedOf<Classified>("/classifier/classify", { narrative })).sub_category).toBe("Relationships (Boy/Girl)");
  });

  it("is told by classifier priorities as 1 to 3, the higher the more urgent", async () => {
    const narratives = [
      TEXT,
      "He is going to kill me with a knife right now. Please help me, I am bleeding. He raped me last night.",
      "What is the helpline number? I want information about the helpline and what you do.",
      "I want information about a balanced diet for my baby.",
      "My son skips school and takes drugs with his friends.",
    ];
    const seen = new Map<string, string>();
    for (const narrative of narratives) {
      const { priority } = await resultOf<Native>(gateway, "/classifier/classify", { narrative });
      if (priority?.label !== null && priority?.label !== undefined)
        seen.set(priority.label, (await shapedOf<Classified>("/classifier/classify", { narrative })).priority);
    }
    expect(seen.size).toBeGreaterThanOrEqual(2);
    const order = ["low", "medium", "high", "critical"].flatMap((label) => seen.get(label) ?? []);
    expect(order).toEqual([...order].sort());
    expect(["1", undefined]).toContain(seen.get("low"));
    expect(["2", undefined]).toContain(seen.get("medium"));
    expect(["3", undefined]).toContain(seen.get("critical"));
  });

  it("is told by summarizer one text", async () => {
    const { summary } = await shapedOf<{ summary: unknown }>("/summarizer/summarize", { text: TEXT });
    expect(typeof summary).toBe("string");
    expect(String(summary).length).toBeGreaterThan(0);
    expect((await shapedOf<{ summary: unknown }>("/summarizer/summarize", { text: "?" })).summary).toBe("");
  });

  it("is told by qa a verdict for items of the rubric, by head", async () => {
    const { evaluations } = await shapedOf<{ evaluations: unknown }>("/qa/evaluate", { transcript: CALL });
    const heads = Object.entries(qaScoresSchema.parse(evaluations));
    expect(heads.length).toBeGreaterThan(0);
    for (const [head, items] of heads) {
      for (const { submetric, prediction, score } of items) {
        expect(QUALITY_ITEMS[head]).toContain(submetric);
        expect(score).toBe(prediction ? "✓" : "✗");
      }
    }
    expect(heads.find(([head]) => head === "opening")?.[1]).toEqual([expect.objectContaining({ submetric: "Use of call opening phrase", prediction: true })]);
  });

  it("is told of a task that failed so, with the reason as a text", async () => {
    const { task_id: taskId } = await taskIn(await askWhisper(gateway, "", Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(4_000, 0xa7)])), 202);
    const task = await untilStatus(gateway, `/whisper/task/${taskId}?shape=openchs`, ["success", "failed"]);
    expect(task.status).toBe("failed");
    expect(typeof task.error).toBe("string");
    expect(task.result).toBeUndefined();
    expect((await gateway.request("agent", "/whisper/task/0190c0de-0000-7000-8000-0000000000ff?shape=openchs")).status).toBe(404);
  });
});

describe.skipIf(isMissing("pocketsphinx"))("speech heard for a client of the older service", () => {
  const clip = shortClip("child-violence-home", 5);

  it("is told under the names there were, and where words are read there are words", async () => {
    const task = await taskIn<Readonly<Record<string, unknown>>>(await askWhisper(gateway, "?wait=60&shape=openchs", clip));
    expect(task.status).toBe("success");
    const result = task.result ?? {};
    const names = ["audio_info", "language", "model_info", "processing_time", "timestamp", "transcript"];
    expect(names.filter((name) => !(name in result))).toEqual([]);
    expect(result).toMatchObject({ language: "en", transcript: expect.any(String), processing_time: expect.any(Number), timestamp: expect.any(String) });
    expect(String(result["transcript"])).toMatch(/\w{3}/);
    expect(["content_type", "file_size_mb", "filename", "format"].filter((name) => !(name in (result["audio_info"] as object)))).toEqual([]);
  });

  it("is pending, then processing, then success", async () => {
    const first = await taskIn(await askWhisper(gateway, "", shortClip("child-violence-home", 12)), 202);
    const second = await taskIn(await askModel(gateway, "/ner/extract", { text: TEXT }), 202);
    const waiting = await gateway.json<ModelTask>("agent", `/ner/task/${second.task_id}?shape=openchs`);
    expect(waiting.status).toBe("pending");
    expect(waiting.result).toBeUndefined();
    const running = await untilStatus(gateway, `/whisper/task/${first.task_id}?shape=openchs`, ["processing", "success", "failed"]);
    expect(running.status).toBe("processing");
    expect((await untilStatus(gateway, `/whisper/task/${first.task_id}?shape=openchs`, ["success", "failed"])).status).toBe("success");
    expect((await untilStatus(gateway, `/ner/task/${second.task_id}?shape=openchs`, ["success", "failed"])).status).toBe("success");
  });
});
