/**
 * Takes every personal text out of an analysis and leaves labels, scores, times and offsets. For roles that may know
 * what kind of call it was and not what was said. Fails closed: a text field not named here does not compile away, it
 * is covered by the test that searches the result for every word of a call.
 */
import type { AnalysisResult, Translation } from "../core/analysis-result.js";
import type { CallEvent } from "../core/call-event.js";
import type { CallSummary } from "../core/call-summary.js";
import type { CaseClassification, LabelDecision } from "../core/case-classification.js";
import type { Entity } from "../core/entity.js";
import type { Evidence } from "../core/evidence.js";
import type { QualityScore } from "../core/quality-score.js";
import type { RiskFinding } from "../core/risk.js";
import type { TranscriptSegment } from "../core/transcript.js";

/** What stands in place of a text. */
export const WITHHELD = "[withheld]";

/** @returns a copy in which every spoken or derived text is `WITHHELD`; evidence keeps its place and time. */
export function withholdText(result: AnalysisResult): AnalysisResult {
  return {
    ...result,
    transcript: result.transcript === null ? null : { ...result.transcript, segments: result.transcript.segments.map(hideSegment) },
    translation: result.translation === null ? null : hideTranslation(result.translation),
    entities: result.entities?.map(hideEntity) ?? null,
    classification: result.classification === null ? null : hideClassification(result.classification),
    risk: result.risk?.map(hideFinding) ?? null,
    summary: result.summary === null ? null : hideSummary(result.summary),
    quality: result.quality === null ? null : hideQuality(result.quality),
  };
}

/** @returns the event with every spoken or derived text `WITHHELD`; its number, type, labels and times stay. */
export function withholdEventText(event: CallEvent): CallEvent {
  const { taskId } = event.payload;
  switch (event.type) {
    case "segment.interim":
      // How long a text is tells something of it.
      return { ...event, payload: { ...event.payload, text: event.payload.text === "" ? "" : WITHHELD, stableLength: 0 } };
    case "segment.final":
      return { ...event, payload: { ...event.payload, segment: hideSegment(event.payload.segment) } };
    case "translation.added":
      return { ...event, payload: { taskId, translation: hideTranslation(event.payload.translation) } };
    case "entities.updated":
      return { ...event, payload: { taskId, entities: event.payload.entities.map(hideEntity) } };
    case "classification.updated":
      return { ...event, payload: { taskId, classification: hideClassification(event.payload.classification) } };
    case "risk.raised":
      return { ...event, payload: { ...event.payload, finding: hideFinding(event.payload.finding) } };
    case "summary.updated":
      return { ...event, payload: { taskId, summary: hideSummary(event.payload.summary) } };
    case "quality.updated":
      return { ...event, payload: { taskId, quality: hideQuality(event.payload.quality) } };
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

/** Without words: there is one for each that was spoken. */
function hideSegment({ words: _words, ...segment }: TranscriptSegment): TranscriptSegment {
  return { ...segment, text: WITHHELD };
}

function hideTranslation(translation: Translation): Translation {
  return { ...translation, segments: translation.segments.map((segment) => ({ ...segment, text: WITHHELD })) };
}

function hideEntity(entity: Entity): Entity {
  return { ...entity, text: WITHHELD, mentions: entity.mentions.map(hide) };
}

function hideClassification(classification: CaseClassification): CaseClassification {
  return {
    contactType: hideEvidence(classification.contactType),
    mainCategory: hideEvidence(classification.mainCategory),
    subCategory: hideEvidence(classification.subCategory),
    intervention: hideEvidence(classification.intervention),
    priority: hideEvidence(classification.priority),
  };
}

function hideFinding(finding: RiskFinding): RiskFinding {
  return { ...finding, evidence: finding.evidence.map(hide) };
}

function hideSummary({ sentences }: CallSummary): CallSummary {
  return { text: WITHHELD, sentences: sentences.map(({ evidence }) => ({ text: WITHHELD, evidence: evidence.map(hide) })) };
}

function hideQuality({ heads }: QualityScore): QualityScore {
  return { heads: heads.map((head) => ({ ...head, items: head.items.map((item) => ({ ...item, evidence: item.evidence.map(hide) })) })) };
}

function hide(evidence: Evidence): Evidence {
  return { ...evidence, text: WITHHELD };
}

function hideEvidence<Label extends string>(decision: LabelDecision<Label>): LabelDecision<Label> {
  return { ...decision, evidence: decision.evidence.map(hide) };
}
