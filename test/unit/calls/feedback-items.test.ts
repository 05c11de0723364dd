/** The parts of an analysis that feedback is given on, by the names of docs/feedback.md. */
import { describe, expect, it } from "vitest";
import { correctionLabels, FEEDBACK_SOURCES, findPrediction, type TaxonomyLabels } from "../../../src/calls/feedback-items.js";
import { agreesWithModel, FEEDBACK_TASKS, type FeedbackTask } from "../../../src/core/agent-feedback.js";
import type { AnalysisResult } from "../../../src/core/analysis-result.js";
import { ENTITY_LABELS } from "../../../src/core/entity.js";
import { type Evidence, toEvidence } from "../../../src/core/evidence.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { fullAnalysis } from "../../support/full-analysis.js";

const TEXT = "Naitwa Zuhura, niko Dodoma 👧🏾 leo.";
const segment: TranscriptSegment = { id: "s1", channel: "caller", startMs: 0, endMs: 4_000, text: TEXT, language: "sw", score: null };
const second: TranscriptSegment = { ...segment, id: "s12", startMs: 4_500, endMs: 6_000, text: "Nina miaka kumi." };

function placeOf(word: string): Evidence {
  const start = TEXT.indexOf(word);
  return toEvidence(segment, start, start + word.length);
}

const itemOf = ({ segmentId, startOffset, endOffset }: Evidence): string => `${segmentId}:${startOffset}-${endOffset}`;

const { result: full } = fullAnalysis({ callId: "c1", taskId: "t1" });
const analysis: AnalysisResult = {
  ...full,
  transcript: { language: "sw", segments: [segment, second], lowQuality: false },
  translation: { language: "en", segments: [{ segmentId: "s12", text: "I am ten years old." }] },
  entities: [
    { label: "VICTIM", text: "Zuhura", score: 0.9, mentions: [placeOf("Zuhura")] },
    { label: "LOCATION", text: "Dodoma", score: 0.8, mentions: [placeOf("Dodoma")] },
  ],
  quality: {
    heads: [
      { head: "opening", items: [{ item: "Use of call opening phrase", mark: "not_enough_evidence", score: 0, evidence: [] }] },
      { head: "closing", items: [{ item: "Says goodbye/kwaheri", mark: "met", score: 0.7, evidence: [placeOf("leo")] }] },
    ],
  },
};

const taxonomy: TaxonomyLabels = {
  mainCategories: new Set(["VANE", "GBV"]),
  subCategories: new Set(["Child Neglect", "Physical Violence"]),
  interventions: new Set(["Referral", "Counselling"]),
};

const sortedLabels = (task: FeedbackTask, item: string | null): readonly string[] | undefined => {
  const labels = correctionLabels(task, item, taxonomy);
  return labels === undefined ? undefined : [...labels].sort();
};

describe("what the model said of an item", () => {
  it.each([
    ["transcription", "s1", TEXT],
    ["transcription", "s12", second.text],
    ["translation", "s12", "I am ten years old."],
  ] as const)("of %s is the text of the segment %s", (task, item, text) => {
    expect(findPrediction(analysis, task, item)).toEqual({ label: null, text });
  });

  it("of a summary is its text, for the summary has no items", () => {
    expect(findPrediction(analysis, "summarization", null)).toEqual({ label: null, text: analysis.summary?.text });
    expect(findPrediction(analysis, "summarization", "s1")).toBeUndefined();
  });

  it.each([
    ["Zuhura", "VICTIM"],
    ["Dodoma", "LOCATION"],
  ])("of the place where %s is said is the entity's label and words", (word, label) => {
    expect(findPrediction(analysis, "ner", itemOf(placeOf(word)))).toEqual({ label, text: word });
  });

  it.each([
    ["an entity", "ner", itemOf(placeOf("leo")), analysis, "VICTIM"],
    ["any entity", "ner", itemOf(placeOf("Zuhura")), { ...analysis, entities: [] }, "VICTIM"],
    ["a risk", "risk", "sexual_violence", analysis, "critical"],
    ["any risk", "risk", "threats", { ...analysis, risk: [] }, "low"],
  ] as const)("where it did not find %s can be told to be a miss, or to be right", (_what, task, item, ofCall, missed) => {
    const said = findPrediction(ofCall, task, item);
    if (said === undefined) throw new Error("a miss must have a place in the analysis");
    const judged = (label: string) => agreesWithModel({ rating: null, correction: { label }, predictedLabel: said.label, predictedText: said.text });
    expect([judged(missed), judged("none")]).toEqual([false, true]);
  });

  it("of a place that runs to the end of its segment is there, and of one that runs beyond it is not", () => {
    expect(findPrediction(analysis, "ner", `s1:0-${TEXT.length}`)).toBeDefined();
    expect(findPrediction(analysis, "ner", `s1:0-${TEXT.length + 1}`)).toBeUndefined();
  });

  it.each(["main_category", "sub_category", "intervention", "priority", "contact_type"])("of the classification's %s is its label", (item) => {
    const expected: Readonly<Record<string, string>> = {
      main_category: "main",
      sub_category: "sub",
      intervention: "referral",
      priority: "high",
      contact_type: "counselling",
    };
    expect(findPrediction(analysis, "classification", item)).toMatchObject({ label: expected[item] });
  });

  it("of a head of the classification with too little evidence has no label, and is there", () => {
    const nothing = { label: null, score: 0, evidence: [] };
    const classification = { contactType: nothing, mainCategory: nothing, subCategory: nothing, intervention: nothing, priority: nothing };
    expect(findPrediction({ ...analysis, classification }, "classification", "priority")).toMatchObject({ label: null });
  });

  it("of a kind of risk is its level", () => {
    expect(findPrediction(analysis, "risk", "threats")).toMatchObject({ label: "high" });
  });

  it.each([
    ["opening/Use of call opening phrase", "not_enough_evidence"],
    ["closing/Says goodbye/kwaheri", "met"],
  ])("of the rubric's %s is its mark", (item, label) => {
    expect(findPrediction(analysis, "qa", item)).toMatchObject({ label });
  });

  it.each(FEEDBACK_TASKS)("of the whole result of %s is there", (task) => {
    expect(findPrediction(analysis, task, null)).toBeDefined();
  });

  it.each(FEEDBACK_TASKS)("of an item of %s is not there when the stage gave nothing", (task) => {
    const nothing = { transcript: null, translation: null, entities: null, classification: null, risk: null, summary: null, quality: null };
    const items: Readonly<Record<FeedbackTask, string | null>> = {
      ...{ transcription: "s1", translation: "s12", ner: "s1:0-3", classification: "priority", risk: "threats", summarization: null },
      qa: "opening/Use of call opening phrase",
    };
    expect(findPrediction({ ...analysis, ...nothing }, task, items[task])).toBeUndefined();
  });
});

describe("an item that the analysis does not have", () => {
  const tricks = ["constructor", "__proto__", "toString", "length", "", " ", "null", "0"];

  it.each([
    ["transcription", ["s2", "S1", "s1 ", "s1:0-3", ...tricks]],
    ["translation", ["s1", "s2", ...tricks]],
    ["ner", ["s1", "s1:", "s1:0", "s1:0-", "s1:-3", "s1:3-3", "s1:5-3", "s2:0-3", "s1:a-b", "s1:0-1.5", "s1:-1-3", "s1:1e0-3", "s1:0x0-3", ...tricks]],
    ["classification", ["mainCategory", "main_categories", "sub_category_2", "Priority", ...tricks]],
    ["risk", ["Threats", "violence", "at_ms", ...tricks]],
    ["summarization", ["s1", "text", ...tricks]],
    ["qa", ["opening", "opening/", "/Use of call opening phrase", "opening/Says goodbye/kwaheri", "closing/Says goodbye", ...tricks]],
  ] as const)("of %s is told from those it has", (task, items) => {
    expect(items.filter((item) => findPrediction(analysis, task, item) !== undefined)).toEqual([]);
  });
});

describe("labels an item may be corrected to", () => {
  it.each([
    ["transcription", "s1"],
    ["translation", "s12"],
    ["summarization", null],
  ] as const)("are none for %s, which is corrected in words", (task, item) => {
    expect(correctionLabels(task, item, taxonomy)).toBeUndefined();
  });

  it.each([
    ["ner", "s1:0-3", [...ENTITY_LABELS, "none"]],
    ["classification", "main_category", ["VANE", "GBV"]],
    ["classification", "sub_category", ["Child Neglect", "Physical Violence"]],
    ["classification", "intervention", ["Referral", "Counselling"]],
    ["classification", "priority", ["low", "medium", "high", "critical"]],
    ["classification", "contact_type", ["counselling", "information", "silent", "prank", "wrong_number"]],
    ["risk", "threats", ["low", "medium", "high", "critical", "none"]],
    ["qa", "opening/Use of call opening phrase", ["met", "not_met", "not_enough_evidence"]],
  ] as const)("of %s, %s are those of its closed list", (task, item, labels) => {
    expect(sortedLabels(task, item)).toEqual([...labels].sort());
  });
});

describe("the sources of feedback tasks", () => {
  it("are the stage whose result is judged and the model task that made it", () => {
    expect(FEEDBACK_SOURCES).toEqual({
      transcription: { stage: "transcript", modelTask: "speech" },
      translation: { stage: "translation", modelTask: "translation" },
      ner: { stage: "entities", modelTask: "entities" },
      classification: { stage: "classification", modelTask: "classification" },
      risk: { stage: "risk", modelTask: "risk" },
      summarization: { stage: "summary", modelTask: "summary" },
      qa: { stage: "quality", modelTask: "quality" },
    });
  });
});
