/** Classification, risk and quality by a chat server: every label with words of the call, or none; never milder than the rules. */
import { z } from "zod";
import {
  ABSTAINED,
  type CaseClassification,
  CONTACT_TYPES,
  isMoreUrgent,
  type LabelDecision,
  PRIORITIES,
  type Priority,
} from "../../../../core/case-classification.js";
import type { QualityItem, QualityScore } from "../../../../core/quality-score.js";
import { RISK_KINDS, type RiskFinding } from "../../../../core/risk.js";
import type { CaseTaxonomy } from "../../text-classification/case-decision.js";
import type { ChatQuestion } from "./chat-client.js";
import type { Quotation, QuoteFinder } from "./quote-finder.js";

const score = z.number().min(0).max(1);
export const quotation = z.strictObject({ segment_id: z.string(), quote: z.string() });
const labelled = <Label extends z.ZodType>(label: Label) => z.strictObject({ label, confidence: score, quotes: z.array(quotation) });
type RawQuotes = readonly z.infer<typeof quotation>[];

export const toQuotations = (quotes: RawQuotes): readonly Quotation[] => quotes.map(({ segment_id: segmentId, quote: text }) => ({ segmentId, text }));

const caseSchema = z.strictObject({
  contact_type: labelled(z.enum(CONTACT_TYPES).nullable()),
  main_category: labelled(z.string().nullable()),
  sub_category: labelled(z.string().nullable()),
  intervention: labelled(z.string().nullable()),
  priority: labelled(z.enum(PRIORITIES).nullable()),
});

export function classificationQuestion({ mainCategories, interventions }: CaseTaxonomy): ChatQuestion<z.infer<typeof caseSchema>> {
  const categories = mainCategories.map(({ label, subCategories }) => `${label}: ${subCategories.join("; ")}`).join("\n");
  return {
    name: "case_classification",
    schema: caseSchema,
    instruction: `Classify the case. Use only these labels, spelled so.\nMain categories and their sub-categories:\n${categories}\nInterventions: ${interventions.join("; ")}\nA denial, a question of the counsellor and a thing of the past are not the case. Give each label one or two quotes that carry it.`,
  };
}

/** @param ruled - what the rules say: for what the server does not, and as the least priority */
export function toClassification(
  answer: z.infer<typeof caseSchema>,
  taxonomy: CaseTaxonomy,
  ruled: CaseClassification,
  quotes: QuoteFinder,
): CaseClassification {
  const decide = <Label extends string>(
    raw: { label: Label | null; confidence: number; quotes: RawQuotes },
    allowed: readonly string[],
  ): LabelDecision<Label> => {
    const evidence = quotes.findAll(toQuotations(raw.quotes));
    // A label without words of the call, or one that does not exist, is not shown.
    return raw.label === null || !allowed.includes(raw.label) || evidence.length === 0 ? ABSTAINED : { label: raw.label, score: raw.confidence, evidence };
  };
  const sub = decide(
    answer.sub_category,
    taxonomy.mainCategories.flatMap(({ subCategories }) => subCategories),
  );
  const main = decide(
    answer.main_category,
    taxonomy.mainCategories.map(({ label }) => label),
  );
  const implied = taxonomy.mainCategories.find(({ subCategories }) => sub.label !== null && subCategories.includes(sub.label))?.label;
  const priority = decide(answer.priority, PRIORITIES);
  const contactType = decide(answer.contact_type, CONTACT_TYPES);
  return {
    contactType: contactType.label === null ? ruled.contactType : contactType,
    mainCategory: implied === undefined || implied === main.label ? main : { ...sub, label: implied },
    subCategory: sub,
    intervention: decide(answer.intervention, taxonomy.interventions),
    priority: priority.label === null || isRulesHigher(ruled.priority, priority.label) ? ruled.priority : priority,
  };
}

function isRulesHigher({ label }: LabelDecision<Priority>, than: Priority): boolean {
  return label !== null && isMoreUrgent(label, than);
}

const riskSchema = z.strictObject({
  risks: z.array(z.strictObject({ kind: z.enum(RISK_KINDS), level: z.enum(PRIORITIES), confidence: score, quotes: z.array(quotation) })).max(50),
});

export const RISK_QUESTION: ChatQuestion<z.infer<typeof riskSchema>> = {
  name: "risks",
  schema: riskSchema,
  instruction: `Find signs of danger to a child in what the caller says: ${RISK_KINDS.join(", ")}. Give each its level (${PRIORITIES.join(", ")}) and quotes. What is denied is none.`,
};

/** At most one of a kind; what the rules found is never lost or made milder. */
export function toRisks(answer: z.infer<typeof riskSchema>, ruled: readonly RiskFinding[], quotes: QuoteFinder): readonly RiskFinding[] {
  const found = answer.risks.flatMap(({ kind, level, confidence, quotes: raw }): readonly RiskFinding[] => {
    const evidence = quotes.findAll(toQuotations(raw));
    return evidence.length === 0 ? [] : [{ kind, level, score: confidence, evidence, atMs: Math.min(...evidence.map(({ startMs }) => startMs)) }];
  });
  const byKind = new Map<RiskFinding["kind"], RiskFinding>();
  for (const finding of [...ruled, ...found]) if (isMoreUrgent(finding.level, byKind.get(finding.kind)?.level)) byKind.set(finding.kind, finding);
  return [...byKind.values()].sort((one, other) => PRIORITIES.indexOf(other.level) - PRIORITIES.indexOf(one.level) || one.atMs - other.atMs);
}

const qualitySchema = z.strictObject({
  items: z.array(z.strictObject({ item: z.string(), mark: z.enum(["met", "not_met", "not_enough_evidence"]), confidence: score, quotes: z.array(quotation) })),
});

/** @param rubric - in force */
export function qualityQuestion(rubric: QualityScore): ChatQuestion<z.infer<typeof qualitySchema>> {
  const items = rubric.heads.flatMap(({ head, items: named }) => named.map(({ item }) => `${head}: ${item}`)).join("\n");
  return {
    name: "call_quality",
    schema: qualitySchema,
    instruction: `Judge the counsellor, not the caller, by each of these items (head: item); name the item alone.\n${items}\nmet and not_met need a quote of the counsellor; without one say not_enough_evidence.`,
  };
}

/** @param ruled - the rubric with the rules' marks; they stand for items that the server left out */
export function toQuality(answer: z.infer<typeof qualitySchema>, ruled: QualityScore, quotes: QuoteFinder): QualityScore {
  const judged = new Map(answer.items.map((item) => [item.item, item]));
  const judge = (rule: QualityItem): QualityItem => {
    const own = judged.get(rule.item);
    if (own === undefined) return rule;
    const evidence = quotes.findAll(toQuotations(own.quotes)).filter(({ channel }) => channel !== "caller");
    if (own.mark === "not_enough_evidence" || evidence.length === 0) return { item: rule.item, mark: "not_enough_evidence", score: 0, evidence: [] };
    return { item: rule.item, mark: own.mark, score: own.confidence, evidence };
  };
  return { heads: ruled.heads.map(({ head, items }) => ({ head, items: items.map(judge) })) };
}
