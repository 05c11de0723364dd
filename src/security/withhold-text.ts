/**
 * Takes every personal text out of an analysis and leaves labels, scores, times and offsets. For roles that may know
 * what kind of call it was and not what was said. Fails closed: a text field not named here does not compile away, it
 * is covered by the test that searches the result for every word of a call.
 */
import type { AnalysisResult } from "../core/analysis-result.js";
import type { LabelDecision } from "../core/case-classification.js";
import type { Evidence } from "../core/evidence.js";

/** What stands in place of a text. */
export const WITHHELD = "[withheld]";

/** @returns a copy in which every spoken or derived text is `WITHHELD`; evidence keeps its place and time. */
export function withholdText(result: AnalysisResult): AnalysisResult {
  return {
    ...result,
    transcript:
      result.transcript === null
        ? null
        : { ...result.transcript, segments: result.transcript.segments.map(({ words: _words, ...segment }) => ({ ...segment, text: WITHHELD })) },
    translation:
      result.translation === null ? null : { ...result.translation, segments: result.translation.segments.map((segment) => ({ ...segment, text: WITHHELD })) },
    entities: result.entities?.map((entity) => ({ ...entity, text: WITHHELD, mentions: entity.mentions.map(hide) })) ?? null,
    classification:
      result.classification === null
        ? null
        : {
            contactType: hideEvidence(result.classification.contactType),
            mainCategory: hideEvidence(result.classification.mainCategory),
            subCategory: hideEvidence(result.classification.subCategory),
            intervention: hideEvidence(result.classification.intervention),
            priority: hideEvidence(result.classification.priority),
          },
    risk: result.risk?.map((finding) => ({ ...finding, evidence: finding.evidence.map(hide) })) ?? null,
    summary:
      result.summary === null
        ? null
        : { text: WITHHELD, sentences: result.summary.sentences.map(({ evidence }) => ({ text: WITHHELD, evidence: evidence.map(hide) })) },
    quality:
      result.quality === null
        ? null
        : { heads: result.quality.heads.map((head) => ({ ...head, items: head.items.map((item) => ({ ...item, evidence: item.evidence.map(hide) })) })) },
  };
}

function hide(evidence: Evidence): Evidence {
  return { ...evidence, text: WITHHELD };
}

function hideEvidence<Label extends string>(decision: LabelDecision<Label>): LabelDecision<Label> {
  return { ...decision, evidence: decision.evidence.map(hide) };
}
