/**
 * The parts of an analysis that feedback can be given on, by the names clients send: a segment's id, a head of the
 * classification, a kind of risk, an entity's place (`s3:10-16`), an item of the quality rubric (`opening/Use of ...`).
 */
import type { FeedbackTask } from "../core/agent-feedback.js";
import type { AnalysisResult, AnalysisStage } from "../core/analysis-result.js";
import { CONTACT_TYPES, PRIORITIES } from "../core/case-classification.js";
import { ENTITY_LABELS } from "../core/entity.js";
import type { ModelTask } from "../core/model-task.js";
import { QUALITY_MARKS } from "../core/quality-score.js";
import { RISK_KINDS } from "../core/risk.js";

/** What the model said of an item; null where it said nothing of that kind. */
export interface Prediction {
  readonly label: string | null;
  readonly text: string | null;
}

/** Labels that depend on the helpline. */
export interface TaxonomyLabels {
  readonly mainCategories: ReadonlySet<string>;
  readonly subCategories: ReadonlySet<string>;
  readonly interventions: ReadonlySet<string>;
}

/** Stage and model task behind each feedback task. */
export const FEEDBACK_SOURCES: Readonly<Record<FeedbackTask, { readonly stage: AnalysisStage; readonly modelTask: ModelTask }>> = {
  transcription: { stage: "transcript", modelTask: "speech" },
  translation: { stage: "translation", modelTask: "translation" },
  ner: { stage: "entities", modelTask: "entities" },
  classification: { stage: "classification", modelTask: "classification" },
  risk: { stage: "risk", modelTask: "risk" },
  summarization: { stage: "summary", modelTask: "summary" },
  qa: { stage: "quality", modelTask: "quality" },
};

/** Says that the model should have found nothing here. */
const NOTHING = "none";

const WHOLE: Prediction = { label: null, text: null };

/** @returns undefined when the analysis has no such item. Without an item: of the whole result. */
export function findPrediction(analysis: AnalysisResult, task: FeedbackTask, item: string | null): Prediction | undefined {
  switch (task) {
    case "transcription":
      return ofSegment(
        analysis.transcript?.segments.map(({ id, text }) => ({ id, text })),
        item,
      );
    case "translation":
      return ofSegment(
        analysis.translation?.segments.map(({ segmentId, text }) => ({ id: segmentId, text })),
        item,
      );
    case "ner":
      return item === null ? WHOLE : ofEntity(analysis, item);
    case "classification":
      return item === null ? WHOLE : ofHead(analysis, item);
    case "risk":
      return item === null ? WHOLE : ofRisk(analysis, item);
    case "summarization":
      return item === null && analysis.summary !== null ? { label: null, text: analysis.summary.text } : undefined;
    case "qa":
      return item === null ? WHOLE : ofQualityItem(analysis, item);
  }
}

/** Labels an item may be corrected to; undefined when it is corrected in words. */
export function correctionLabels(task: FeedbackTask, item: string | null, taxonomy: TaxonomyLabels): ReadonlySet<string> | undefined {
  if (item === null) return undefined;
  if (task === "ner") return new Set([...ENTITY_LABELS, NOTHING]);
  if (task === "risk") return new Set([...PRIORITIES, NOTHING]);
  if (task === "qa") return new Set(QUALITY_MARKS);
  if (task !== "classification") return undefined;
  const heads: Readonly<Record<string, ReadonlySet<string>>> = {
    main_category: taxonomy.mainCategories,
    sub_category: taxonomy.subCategories,
    intervention: taxonomy.interventions,
    priority: new Set(PRIORITIES),
    contact_type: new Set(CONTACT_TYPES),
  };
  return heads[item];
}

function ofSegment(segments: readonly { readonly id: string; readonly text: string }[] | undefined, item: string | null): Prediction | undefined {
  if (segments === undefined) return undefined;
  if (item === null) return WHOLE;
  const segment = segments.find(({ id }) => id === item);
  return segment === undefined ? undefined : { label: null, text: segment.text };
}

/** A place where the model found nothing can be given too: what it missed counts. */
function ofEntity({ entities, transcript }: AnalysisResult, item: string): Prediction | undefined {
  const place = /^([A-Za-z0-9-]{1,64}):(\d{1,6})-(\d{1,6})$/.exec(item);
  const segment = transcript?.segments.find(({ id }) => id === place?.[1]);
  const [start, end] = [Number(place?.[2]), Number(place?.[3])];
  if (segment === undefined || !(start < end && end <= segment.text.length)) return undefined;
  const found = entities?.find(({ mentions }) => mentions.some((at) => at.segmentId === segment.id && at.startOffset === start && at.endOffset === end));
  return { label: found?.label ?? NOTHING, text: segment.text.slice(start, end) };
}

function ofHead({ classification }: AnalysisResult, item: string): Prediction | undefined {
  if (classification === null) return undefined;
  const { mainCategory, subCategory, intervention, priority, contactType } = classification;
  const heads = { main_category: mainCategory, sub_category: subCategory, intervention, priority, contact_type: contactType };
  const decision = Object.entries(heads).find(([name]) => name === item)?.[1];
  return decision === undefined ? undefined : { label: decision.label, text: null };
}

function ofRisk({ risk }: AnalysisResult, item: string): Prediction | undefined {
  if (risk === null || !RISK_KINDS.some((kind) => kind === item)) return undefined;
  return { label: risk.find(({ kind }) => kind === item)?.level ?? NOTHING, text: null };
}

function ofQualityItem({ quality }: AnalysisResult, item: string): Prediction | undefined {
  const found = quality?.heads
    .flatMap(({ head, items }) => items.map((one) => ({ name: `${head}/${one.item}`, mark: one.mark })))
    .find(({ name }) => name === item);
  return found === undefined ? undefined : { label: found.mark, text: null };
}
