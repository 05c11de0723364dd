/**
 * What those who may not read a call are shown of its texts: masked ones (`[NAME_1]`), or none. Labels, scores and times
 * stay. Every text of a result goes through the cover; a test searches results for every word of a call, so that a field
 * which is not named here is noticed.
 */
import type { AnalysisResult, Translation } from "../../core/analysis-result.js";
import type { CallEvent } from "../../core/call-event.js";
import type { CallSummary } from "../../core/call-summary.js";
import type { CaseAnswer } from "../../core/case/case-answer.js";
import type { CaseClassification, LabelDecision } from "../../core/case-classification.js";
import type { Entity } from "../../core/entity.js";
import type { Evidence } from "../../core/evidence.js";
import type { QualityScore } from "../../core/quality-score.js";
import type { RiskFinding } from "../../core/risk.js";
import type { TranscriptSegment } from "../../core/transcript.js";
import { type CallMasker, maskEvidence } from "./pii-masker.js";

/** What stands in place of a text. */
export const WITHHELD = "[withheld]";

/** How texts are shown. Nothing of it throws. */
export interface TextCover {
  /** Segments are told before what rests on them, so that what is found in one is hidden in all. */
  learn(segments: readonly TranscriptSegment[]): void;
  /** Words with times go: there is one for each that was spoken. */
  segment(segment: TranscriptSegment): TranscriptSegment;
  evidence(evidence: Evidence): Evidence;
  text(text: string): string;
}

/** Shows no word at all. */
export const WITHHOLDING: TextCover = {
  learn() {},
  segment: ({ words: _words, ...segment }) => ({ ...segment, text: WITHHELD }),
  evidence: (evidence) => ({ ...evidence, text: WITHHELD }),
  text: () => WITHHELD,
};

/** Shows what is said without the personal data; what the masker fails at is withheld. */
export function maskingCover(masker: CallMasker): TextCover {
  const orWithheld = <T>(show: () => T, withheld: () => T): T => {
    try {
      return show();
    } catch {
      return withheld();
    }
  };
  return {
    learn: (segments) =>
      orWithheld(
        () => masker.learn(segments),
        () => {},
      ),
    segment: (segment) => {
      const { words: _words, ...rest } = segment;
      return orWithheld(
        () => {
          masker.learn([segment]);
          return { ...rest, text: masker.mask(segment.text).text };
        },
        () => WITHHOLDING.segment(segment),
      );
    },
    evidence: (evidence) =>
      orWithheld(
        () => maskEvidence(masker, evidence),
        () => WITHHOLDING.evidence(evidence),
      ),
    text: (text) =>
      orWithheld(
        () => masker.mask(text).text,
        () => WITHHELD,
      ),
  };
}

/** @returns a copy in which every spoken or derived text is covered. */
export function coverAnalysis(result: AnalysisResult, cover: TextCover): AnalysisResult {
  cover.learn(result.transcript?.segments ?? []);
  return {
    ...result,
    transcript: result.transcript === null ? null : { ...result.transcript, segments: result.transcript.segments.map(cover.segment) },
    translation: result.translation === null ? null : hideTranslation(result.translation, cover),
    entities: result.entities?.map((entity) => hideEntity(entity, cover)) ?? null,
    classification: result.classification === null ? null : hideClassification(result.classification, cover),
    risk: result.risk?.map((finding) => hideFinding(finding, cover)) ?? null,
    summary: result.summary === null ? null : hideSummary(result.summary, cover),
    answers: result.answers?.map((answer) => hideAnswer(answer, cover)) ?? null,
    quality: result.quality === null ? null : hideQuality(result.quality, cover),
  };
}

/** @returns the event with every spoken or derived text covered; its number, type, labels and times stay. */
export function coverEvent(event: CallEvent, cover: TextCover): CallEvent {
  const { taskId } = event.payload;
  switch (event.type) {
    case "segment.interim":
      // How long a text is tells something of it.
      return { ...event, payload: { ...event.payload, text: event.payload.text === "" ? "" : cover.text(event.payload.text), stableLength: 0 } };
    case "segment.final":
      return { ...event, payload: { ...event.payload, segment: cover.segment(event.payload.segment) } };
    case "translation.added":
      return { ...event, payload: { taskId, translation: hideTranslation(event.payload.translation, cover) } };
    case "entities.updated":
      return { ...event, payload: { taskId, entities: event.payload.entities.map((entity) => hideEntity(entity, cover)) } };
    case "classification.updated":
      return { ...event, payload: { taskId, classification: hideClassification(event.payload.classification, cover) } };
    case "risk.raised":
      return { ...event, payload: { ...event.payload, finding: hideFinding(event.payload.finding, cover) } };
    case "summary.updated":
      return { ...event, payload: { taskId, summary: hideSummary(event.payload.summary, cover) } };
    case "answers.updated":
      return { ...event, payload: { taskId, answers: event.payload.answers.map((answer) => hideAnswer(answer, cover)) } };
    case "quality.updated":
      return { ...event, payload: { taskId, quality: hideQuality(event.payload.quality, cover) } };
    case "dtmf.received":
      // A caller may type a number of theirs.
      return { ...event, payload: { ...event.payload, digit: WITHHELD } };
    case "call.started":
    case "risk.acknowledged":
    case "call.paused":
    case "call.resumed":
    case "call.measured":
    case "call.ended":
    case "analysis.progressed":
    case "analysis.completed":
    case "call.failed":
      return event;
  }
}

function hideTranslation(translation: Translation, cover: TextCover): Translation {
  return { ...translation, segments: translation.segments.map((segment) => ({ ...segment, text: cover.text(segment.text) })) };
}

function hideEntity(entity: Entity, cover: TextCover): Entity {
  return { ...entity, text: cover.text(entity.text), mentions: entity.mentions.map(cover.evidence) };
}

function hideClassification(classification: CaseClassification, cover: TextCover): CaseClassification {
  const hide = <Label extends string>(decision: LabelDecision<Label>): LabelDecision<Label> => ({
    ...decision,
    evidence: decision.evidence.map(cover.evidence),
  });
  return {
    contactType: hide(classification.contactType),
    mainCategory: hide(classification.mainCategory),
    subCategory: hide(classification.subCategory),
    intervention: hide(classification.intervention),
    priority: hide(classification.priority),
  };
}

function hideFinding(finding: RiskFinding, cover: TextCover): RiskFinding {
  return { ...finding, evidence: finding.evidence.map(cover.evidence) };
}

function hideSummary({ text, sentences }: CallSummary, cover: TextCover): CallSummary {
  return {
    text: cover.text(text),
    sentences: sentences.map((sentence) => ({ text: cover.text(sentence.text), evidence: sentence.evidence.map(cover.evidence) })),
  };
}

/** The question is the form's and not the caller's. */
function hideAnswer(answer: CaseAnswer, cover: TextCover): CaseAnswer {
  return { ...answer, answer: answer.answer === null ? null : cover.text(answer.answer), evidence: answer.evidence.map(cover.evidence) };
}

function hideQuality({ heads }: QualityScore, cover: TextCover): QualityScore {
  return { heads: heads.map((head) => ({ ...head, items: head.items.map((item) => ({ ...item, evidence: item.evidence.map(cover.evidence) })) })) };
}
