/** An analysis with every part filled in, and a word of its own in every text that comes from a call. */
import type { AnalysisResult, StageReport } from "../../src/core/analysis-result.js";
import { ANALYSIS_STAGES } from "../../src/core/analysis-result.js";
import type { LabelDecision } from "../../src/core/case-classification.js";
import type { Evidence } from "../../src/core/evidence.js";
import type { TranscriptSegment } from "../../src/core/transcript.js";

export interface FullAnalysis {
  readonly result: AnalysisResult;
  /** Every word that was put in, in the order it was. */
  readonly words: readonly string[];
}

/** No two calls of this give the same words, so that what is found of them was put there by this analysis. */
export function fullAnalysis(ids: { readonly callId: string; readonly taskId: string }, prefix = "Wumbazo"): FullAnalysis {
  const words: string[] = [];
  const text = (): string => {
    const word = `${prefix}${String(words.length).padStart(3, "0")}qx`;
    words.push(word);
    return word;
  };
  const evidence = (): Evidence => ({ segmentId: "s1", startOffset: 0, endOffset: 12, text: text(), channel: "caller", startMs: 100, endMs: 900 });
  const decision = <Label extends string>(label: Label): LabelDecision<Label> => ({ label, score: 0.8, evidence: [evidence(), evidence()] });
  const segment = (id: string): TranscriptSegment => ({
    ...{ id, channel: "caller", startMs: 0, endMs: 1_000, text: text(), language: "sw", score: 0.7 },
    words: [
      { text: text(), startMs: 0, endMs: 400, score: 0.6 },
      { text: text(), startMs: 500, endMs: 900, score: null },
    ],
  });
  const ledger = { speechMs: 1_000, silenceMs: 500, pausedMs: 0, failedMs: 0, gapMs: 0 };
  const result: AnalysisResult = {
    ...ids,
    status: "completed",
    audio: { durationMs: 1_500, sampleRateHz: 8_000, channels: [{ channel: "caller", gainDb: 3.5, ledger }], ledger },
    transcript: { language: "sw", segments: [segment("s1"), segment("s2")], lowQuality: true },
    translation: {
      language: "en",
      segments: [
        { segmentId: "s1", text: text() },
        { segmentId: "s2", text: text() },
      ],
    },
    entities: [
      { label: "NAME", text: text(), score: 0.9, mentions: [evidence(), evidence()] },
      { label: "LOCATION", text: text(), score: 0.5, mentions: [evidence()] },
    ],
    classification: {
      contactType: decision("counselling"),
      mainCategory: decision("main"),
      subCategory: decision("sub"),
      intervention: decision("referral"),
      priority: decision("high"),
    },
    risk: [{ kind: "threats", level: "high", score: 0.9, evidence: [evidence(), evidence()], atMs: 100 }],
    summary: {
      text: text(),
      sentences: [
        { text: text(), evidence: [evidence()] },
        { text: text(), evidence: [evidence()] },
      ],
    },
    answers: [
      { id: "child_name", question: "What is the child's name?", answer: text(), score: 0.8, evidence: [evidence()] },
      { id: "phone", question: "What is the phone number?", answer: null, score: 0, evidence: [] },
    ],
    quality: { heads: [{ head: "opening", items: [{ item: "greeting", mark: "met", score: 0.9, evidence: [evidence(), evidence()] }] }] },
    conversation: {
      ...{ talkMs: { caller: 1_000 }, silenceMs: 500, longestSilenceMs: 500 },
      ...{ overlaps: null, overlapMs: null, interruptions: null, interruptionsBy: {}, responseDelayMs: {} },
    },
    models: [{ task: "speech", engine: "builtin", id: "builtin", revision: "1" }],
    stages: ANALYSIS_STAGES.map((stage): StageReport => ({ stage, status: "completed", durationMs: 5 })),
    warnings: ["low_quality"],
  };
  return { result, words };
}
