/** One model asked on its own: 202 or 200, answers whose offsets are true, and who gets them. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askModel, askWhisper, type ModelTask, resultOf, taskIn, untilStatus } from "../support/model-client.js";
import { audioFiles } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { samplePath, shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { until } from "../support/until.js";

interface Place {
  readonly text: string;
  readonly start_offset: number;
  readonly end_offset: number;
}
interface Entity extends Place {
  readonly label: string;
  readonly score: number;
}
interface Decision {
  readonly label: string | null;
  readonly evidence: readonly Place[];
}
interface Info {
  readonly model: string;
  readonly status: string;
  readonly engines: readonly { readonly engine: string; readonly task: string; readonly languages: readonly string[] }[];
}

const ENGLISH = "My name is Akinyi. I am eleven years old and I live in Kisumu. Last night my father beat me with a belt. Please help me.";
const SWAHILI = "Naitwa Zuhura, nina miaka kumi na tatu. Niko Dodoma, karibu na soko kuu. Mjomba wangu ananipiga kila siku.";
const CALL = `Counsellor: Hello, thank you for calling the child helpline. How can I help you?
Caller: ${ENGLISH}
Counsellor: I am so sorry. I will send an officer tomorrow. Thank you for calling, goodbye.`;

const TEXTS: readonly (readonly [string, string])[] = [
  ["in English", ENGLISH],
  ["in Swahili", SWAHILI],
  ["with emoji between its words", `👧🏾👧🏾 ${SWAHILI.replaceAll(". ", " 😢. ")} 🏠`],
  ["with a speaker on each line", CALL],
  ["with a speaker on each line, as Windows ends lines", CALL.replaceAll("\n", "\r\n")],
  ["of lines without speakers", ENGLISH.replaceAll(". ", ".\n\n  ")],
  ["that begins with blanks", `\n\t  ${ENGLISH}`],
];

const ENDPOINTS: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
  ["ner", "/ner/extract", { text: ENGLISH }],
  ["classifier", "/classifier/classify", { narrative: ENGLISH }],
  ["summarizer", "/summarizer/summarize", { text: ENGLISH, max_length: 256 }],
  ["qa", "/qa/evaluate", { transcript: CALL, threshold: 0.5, return_raw: false }],
  ["qa", "/qa/answer", { question: "Where does she live?", context: ENGLISH }],
];

function expectTrue(text: string, places: readonly Place[]): void {
  for (const { text: words, start_offset: start, end_offset: end } of places) expect(text.slice(start, end)).toBe(words);
}

describe.skipIf(isMissing("pocketsphinx"))("a model endpoint", () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  it.each(ENDPOINTS)("of %s answers %s with 202 and a task, or with the result when told to wait", async (model, path, body) => {
    const accepted = await taskIn(await askModel(gateway, path, body), 202);
    expect(["queued", "processing", "completed"]).toContain(accepted.status);
    expect(accepted.status_endpoint).toBe(`/${model}/task/${accepted.task_id}`);
    const later = await untilStatus(gateway, accepted.status_endpoint ?? "", ["completed", "failed"]);
    expect(later).toMatchObject({ task_id: accepted.task_id, status: "completed", progress: 100 });
    const atOnce = await taskIn(await askModel(gateway, `${path}?wait=60`, body));
    expect(atOnce.status).toBe("completed");
    // The same question again has the same answer.
    expect(atOnce.result).toEqual(later.result);
    expect(atOnce.task_id).not.toBe(accepted.task_id);
    expect(await taskIn(await askModel(gateway, `${path}?wait=0`, body), 202)).not.toHaveProperty("result");
  });

  it.each(TEXTS)("tells where entities stand in a text %s", async (_what, text) => {
    const { entities } = await resultOf<{ entities: readonly Entity[] }>(gateway, "/ner/extract", { text });
    expectTrue(text, entities);
    const place = /Kisumu|Dodoma/.exec(text);
    expect(entities).toContainEqual(
      expect.objectContaining({ label: "LOCATION", text: place?.[0], start_offset: place?.index, end_offset: (place?.index ?? 0) + 6 }),
    );
    for (const { score } of entities) expect(score >= 0 && score <= 1).toBe(true);
  });

  it.each(TEXTS)("quotes a text %s truly, whatever it is asked", async (_what, text) => {
    const classified = await resultOf<Readonly<Record<string, Decision>>>(gateway, "/classifier/classify", { text });
    const heads = ["contact_type", "main_category", "sub_category", "intervention", "priority"].map((head) => classified[head]);
    for (const decision of heads) {
      expectTrue(text, decision?.evidence ?? []);
      if (decision?.label !== null) expect(decision?.evidence.length).toBeGreaterThan(0);
    }
    const summary = await resultOf<{ sentences: readonly { evidence: readonly Place[] }[] }>(gateway, "/summarizer/summarize", { text });
    for (const { evidence } of summary.sentences) expectTrue(text, evidence);
    const quality = await resultOf<{ heads: readonly { items: readonly { evidence: readonly Place[] }[] }[] }>(gateway, "/qa/evaluate", { text });
    for (const { items } of quality.heads) for (const { evidence } of items) expectTrue(text, evidence);
    const asked = { question: "Where is the child?", context: text };
    const answered = await resultOf<{ answer: string | null; evidence: readonly Place[] }>(gateway, "/qa/answer", asked);
    expectTrue(text, answered.evidence);
    if (answered.answer !== null) expect(text).toContain(answered.answer);
  });

  it("gives entities by label when they are not wanted one by one", async () => {
    const flat = await resultOf<{ entities: readonly Entity[] }>(gateway, "/ner/extract", { text: ENGLISH });
    const { entities } = await resultOf<{ entities: Readonly<Record<string, readonly string[]>> }>(gateway, "/ner/extract", { text: ENGLISH, flat: false });
    expect(Object.keys(entities).sort()).toEqual([...new Set(flat.entities.map(({ label }) => label))].sort());
    for (const { label, text } of flat.entities) expect(entities[label]).toContain(text);
    expect(entities["LOCATION"]).toEqual(["Kisumu"]);
  });

  it("knows the counsellor's lines from the caller's", async () => {
    const markOf = async (transcript: string): Promise<string | undefined> => {
      const { heads } = await resultOf<{ heads: readonly { head: string; items: readonly { mark: string }[] }[] }>(gateway, "/qa/evaluate", { transcript });
      return heads.find(({ head }) => head === "opening")?.items[0]?.mark;
    };
    const greeting = "Hello, thank you for calling the child helpline.";
    const question = "What do you want, and who gave you our number today?";
    expect(await markOf(`Counsellor: ${greeting}\nCaller: ${question}`)).toBe("met");
    expect(await markOf(`Caller: ${greeting}\nCounsellor: ${question}`)).not.toBe("met");
  });

  it("answers a question with words of the text, and with nothing where the text has no answer", async () => {
    const ask = (question: string, context: string) => resultOf<{ answer: string | null; score: number }>(gateway, "/qa/answer", { question, context });
    expect((await ask("Where do you live?", ENGLISH)).answer).toContain("Kisumu");
    expect((await ask("How old is she?", ENGLISH)).answer).toContain("eleven");
    expect((await ask("Zuhura ana miaka mingapi?", SWAHILI)).answer).toContain("kumi na tatu");
    expect(await ask("What is her phone number?", "It rained all day.")).toMatchObject({ answer: null, score: 0 });
  });

  it("names the engine and revision that answered, as /models does", async () => {
    const { items, missing } = await gateway.json<{ items: readonly { task: string; revision: string }[]; missing: readonly string[] }>("agent", "/models");
    expect(missing).toContain("translation");
    const { model } = await resultOf<{ model: { task: string; engine: string; revision: string } }>(gateway, "/ner/extract", { text: ENGLISH });
    expect(items).toContainEqual(expect.objectContaining({ task: "entities", engine: model.engine, revision: model.revision }));
  });

  it("turns speech into text and keeps nothing of the sound", async () => {
    const before = audioFiles(gateway).length;
    const { result, status } = await taskIn<{ transcript: { text: string; language: string; segments: readonly { text: string }[] }; duration_ms: number }>(
      await askWhisper(gateway, "?wait=60", shortClip("child-violence-home", 5)),
    );
    expect(status).toBe("completed");
    expect(result?.transcript.language).toBe("en");
    expect(result?.transcript.text).toMatch(/\w{3}/);
    for (const { text } of result?.transcript.segments ?? []) expect(result?.transcript.text).toContain(text);
    expect(result?.duration_ms).toBe(5_000);
    await until("the sound is gone", () => audioFiles(gateway).length === before, 5_000, 25);
  });

  it("answers with 202 when the result is not there in the time it was given", async () => {
    const response = await askWhisper(gateway, "?wait=1", readFileSync(samplePath("child-violence-home", "call-16k.flac")));
    const task = await taskIn(response, 202);
    expect(task).not.toHaveProperty("result");
    expect((await untilStatus(gateway, task.status_endpoint ?? "", ["completed", "failed"])).status).toBe("completed");
  });

  it.each([
    ["whisper", "ready", "speech"],
    ["translate", "missing", null],
    ["ner", "ready", "entities"],
    ["classifier", "ready", "classification"],
    ["summarizer", "ready", "summary"],
    ["qa", "ready", "quality"],
  ])("of %s tells by /info that it is %s", async (model, status, task) => {
    const info = await gateway.json<Info>("service", `/${model}/info`);
    expect(info.status).toBe(status);
    const tasks = info.engines.map((engine) => engine.task);
    if (task === null) expect(tasks).toEqual([]);
    else expect(tasks).toContain(task);
  });

  it("names the languages speech is understood in, each with the engine that does", async () => {
    const { items } = await gateway.json<{ items: readonly { language: string; name: string; engines: readonly string[] }[] }>("agent", "/whisper/languages");
    expect(items).toContainEqual({ language: "en", name: "English", engines: ["pocketsphinx"] });
    expect(items.every(({ language, engines }) => /^[a-z]{2,3}(-|$)/.test(language) && engines.length > 0)).toBe(true);
  });

  it.each(ENDPOINTS)("of %s gives what %s answered to whoever asked and to nobody else", async (model, path, body) => {
    const { task_id: taskId } = await taskIn(await askModel(gateway, `${path}?wait=60`, body, "service"));
    const asOwner = await gateway.json<ModelTask>("service", `/${model}/task/${taskId}`);
    expect(asOwner.status).toBe("completed");
    for (const role of ["agent", "supervisor", "admin"] as const) {
      for (const place of [`/${model}/task/${taskId}`, `/${model}/task/${taskId}?shape=openchs`]) {
        const response = await gateway.request(role, place);
        expect(response.status, `${role} ${place}`).toBe(404);
        expect(((await response.json()) as { code: string }).code).toBe("QUEUE_JOB_NOT_FOUND");
      }
    }
    expect((await gateway.request(null, `/${model}/task/${taskId}`)).status).toBe(401);
  });

  it.each([
    ["GET", ""],
    ["GET", "?shape=openchs"],
    ["GET", "/events"],
    ["DELETE", ""],
  ])("has its tasks for itself: %s /audio/task/{id}%s knows none of them", async (method, rest) => {
    const { task_id: taskId } = await taskIn(await askModel(gateway, "/ner/extract?wait=60", { text: ENGLISH }));
    for (const role of ["agent", "supervisor"] as const) {
      const response = await gateway.request(role, `/audio/task/${taskId}${rest}`, { method });
      const text = await response.text();
      expect({ status: response.status, code: (JSON.parse(text) as { code?: string }).code }).toEqual({ status: 404, code: "QUEUE_JOB_NOT_FOUND" });
      expect(text).not.toMatch(/Akinyi|Kisumu/);
    }
    expect((await gateway.request("agent", `/ner/task/${taskId}`)).status).toBe(200);
  });

  it.each(["whisper", "translate", "ner", "classifier", "summarizer", "qa"])("of %s does not know a task that never was", async (model) => {
    for (const id of ["0190c0de-0000-7000-8000-0000000000ff", "nonsense", "..%2f..%2fetc"])
      expect((await gateway.request("agent", `/${model}/task/${id}`)).status).toBe(404);
  });
});
