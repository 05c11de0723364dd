/** The standing questions of the case form: where they come from, and how each analysis answers them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { analyseTranscript } from "../../../src/analysis/analyse-transcript.js";
import { loadCaseForm } from "../../../src/app/casework/case-form.js";
import { AppError } from "../../../src/core/errors.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import type { InferenceRunner } from "../../../src/inference/pool/inference-pool.js";
import { FakeClock } from "../../support/fake-clock.js";

const directory = mkdtempSync(join(tmpdir(), "openchs-form-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function formOf(...questions: readonly object[]): string {
  const path = join(directory, "form.json");
  writeFileSync(path, JSON.stringify({ id: "own", version: 1, questions }));
  return path;
}

const segment: TranscriptSegment = { id: "s1", channel: "caller", startMs: 0, endMs: 900, text: "Naitwa Zuhura.", language: "sw", score: null };
const evidence = { segmentId: "s1", startOffset: 7, endOffset: 13, text: "Zuhura", channel: "caller", startMs: 400, endMs: 900 };
const caseForm = [
  { id: "name", kind: "caller_name", text: { en: "Name?", sw: "Jina?" } },
  { id: "shoe_size", text: { en: "Shoe size?" } },
] as const;

/** Knows names and nothing else. */
function analyse(form: typeof caseForm | undefined) {
  const asked: unknown[] = [];
  const run = async (task: string, input: { readonly kind?: string; readonly question?: string }) => {
    if (task !== "question_answering") throw new AppError("MODEL_NOT_READY", "No engine is installed for this.");
    asked.push([input.question, input.kind]);
    const output = input.kind === "caller_name" ? { answer: "Zuhura", score: 0.9, evidence: [evidence] } : { answer: null, score: 0, evidence: [] };
    return { output, engine: "scripted", revision: "1" };
  };
  const transcript = { language: "sw", segments: [segment], lowQuality: false };
  const request = { callId: "c", taskId: "t", transcript, translateTo: null, signal: new AbortController().signal };
  const inference = { engines: () => [], run } as unknown as InferenceRunner;
  return { asked, result: analyseTranscript({ inference, clock: new FakeClock() }, { ...request, ...(form === undefined ? {} : { caseForm: form }) }) };
}

describe("the case form", () => {
  it("has the ten questions that come with the package, in English and Swahili", async () => {
    const questions = await loadCaseForm();
    expect(questions).toHaveLength(10);
    for (const { text } of questions) expect(Object.keys(text).sort()).toEqual(["en", "sw"]);
  });

  it("is a helpline's own when it names a file", async () => {
    const own = { id: "shoe_size", text: { en: "What is the shoe size?" } };
    expect(await loadCaseForm(formOf(own))).toEqual([own]);
    expect(await loadCaseForm(formOf())).toEqual([]);
  });

  it.each([
    ["questions.0.id: must be small letters, digits and underscores, 40 at most", [{ id: "Shoe size", text: { en: "x" } }]],
    ["questions.0.text: must have the question in en", [{ id: "a", text: { sw: "x" } }]],
    [
      "questions: must give every question an id of its own",
      [
        { id: "a", text: { en: "x" } },
        { id: "a", text: { en: "y" } },
      ],
    ],
  ])("is refused with the rule it breaks: %s", async (rule, questions) => {
    await expect(loadCaseForm(formOf(...questions))).rejects.toMatchObject({ code: "CONFIG_INVALID", details: { rule } });
  });

  it("says which setting to look at when there is no such file, or it is no JSON", async () => {
    await expect(loadCaseForm(join(directory, "missing.json"))).rejects.toThrow(/^CASE_FORM_FILE can't be read/);
    const path = join(directory, "broken.json");
    writeFileSync(path, "{");
    await expect(loadCaseForm(path)).rejects.toThrow(/^CASE_FORM_FILE is no case form/);
  });

  it("is asked in the language of the call, and what is not said is left open", async () => {
    const { asked, result } = analyse(caseForm);
    const { answers, stages, models } = await result;
    expect(answers).toEqual([
      { id: "name", question: "Jina?", answer: "Zuhura", score: 0.9, evidence: [evidence] },
      { id: "shoe_size", question: "Shoe size?", answer: null, score: 0, evidence: [] },
    ]);
    expect(asked).toEqual([
      ["Jina?", "caller_name"],
      ["Shoe size?", undefined],
    ]);
    expect(stages.find(({ stage }) => stage === "answers")).toMatchObject({ status: "completed" });
    expect(models).toContainEqual({ task: "question_answering", engine: "scripted", id: "scripted", revision: "1" });
  });

  it("is skipped where there is none", async () => {
    const { answers, stages } = await analyse(undefined).result;
    expect(answers).toBeNull();
    expect(stages.find(({ stage }) => stage === "answers")).toMatchObject({ status: "skipped" });
  });
});
