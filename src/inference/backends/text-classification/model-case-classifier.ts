/**
 * The `classification` engine on an installed model of up to four heads. What the model does not say - the kind of contact,
 * and heads it has not - the rules say; and a priority is never lower than the rules' own.
 */
import { ABSTAINED, type CaseClassification, isMoreUrgent, type LabelDecision, type Priority } from "../../../core/case-classification.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import { joinReadable, readableText } from "../../readable-text.js";
import type { CaseHead } from "../../store/head-files.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { carryingEvidence, evidenceCandidates } from "./carrying-segments.js";
import { type CaseTaxonomy, type Decided, decideCategories, decideLabel, decidePriority, type HeadBelief } from "./case-decision.js";
import { type HeadLogits, HeadModel, meanLogits, softmax } from "./head-model.js";
import type { HeadsSettings } from "./head-settings.js";

export interface CaseClassifierOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
  readonly languages: readonly LanguageTag[];
  readonly taxonomy: CaseTaxonomy;
  /** Says what the model does not. */
  readonly rules: ModelEngine<"classification">;
}

/** Reads the tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createCaseClassifier(options: CaseClassifierOptions, settings: HeadsSettings): Promise<ModelEngine<"classification">> {
  const { id, revision, languages, rules } = options;
  const tokenizer = await TextTokenizer.read(options.directory);
  const lazy = new LazyModel(() => HeadModel.open(options, tokenizer, settings), options);
  return {
    description: {
      modelTask: "classification",
      engine: `text-classification:${id}`,
      revision: `${revision}+${rules.description.revision}`,
      capabilities: { languages, lowQuality: false },
    },
    async run({ segments, translation }, { signal }) {
      const readable = readableText(segments, languages, translation);
      const ruled = await rules.run({ segments }, { signal });
      if (readable.length === 0) return ruled;
      const candidates = evidenceCandidates(readable);
      const texts = [joinReadable(readable), ...candidates.map(({ text }) => text)];
      const [whole = [], ...alone] = (await lazy.use((model) => model.read(texts, signal))).map(meanLogits);
      const decided = decide(options.taxonomy, settings, whole);
      const show = (head: CaseHead, decision: Decided | undefined): LabelDecision => {
        if (decision === undefined) return ABSTAINED;
        const scores = alone.map((logits) => beliefIn(settings, logits, head, decision.ownLabel));
        return { label: decision.label, score: decision.score, evidence: carryingEvidence(candidates, scores) };
      };
      return { classification: complete(settings, ruled.classification, decided, show) };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

interface DecidedCase {
  readonly mainCategory: Decided | undefined;
  readonly subCategory: Decided | undefined;
  readonly intervention: Decided | undefined;
  readonly priority: Decided<Priority> | undefined;
}

function decide(taxonomy: CaseTaxonomy, settings: HeadsSettings, logits: HeadLogits): DecidedCase {
  const belief = (head: CaseHead): HeadBelief | undefined => beliefOf(settings, logits, head);
  const [intervention, priority] = [belief("intervention"), belief("priority")];
  return {
    ...decideCategories(taxonomy, belief("main_category"), belief("sub_category")),
    intervention: intervention === undefined ? undefined : decideLabel(taxonomy.interventions, intervention),
    priority: priority === undefined ? undefined : decidePriority(priority),
  };
}

function complete(
  settings: HeadsSettings,
  ruled: CaseClassification,
  decided: DecidedCase,
  show: (head: CaseHead, decision: Decided | undefined) => LabelDecision,
): CaseClassification {
  const has = (head: CaseHead): boolean => settings.heads.some((one) => one.head === head);
  const isCategorized = has("main_category") || has("sub_category");
  // A main category that only follows from its sub-category rests on the same words.
  const mainHead = has("main_category") ? "main_category" : "sub_category";
  return {
    contactType: ruled.contactType,
    mainCategory: isCategorized ? show(mainHead, decided.mainCategory) : ruled.mainCategory,
    subCategory: isCategorized ? show("sub_category", decided.subCategory) : ruled.subCategory,
    intervention: has("intervention") ? show("intervention", decided.intervention) : ruled.intervention,
    priority: moreUrgent(show("priority", decided.priority) as LabelDecision<Priority>, ruled.priority),
  };
}

function moreUrgent(one: LabelDecision<Priority>, other: LabelDecision<Priority>): LabelDecision<Priority> {
  return one.label === null || (other.label !== null && isMoreUrgent(other.label, one.label)) ? other : one;
}

function beliefOf(settings: HeadsSettings, logits: HeadLogits, head: CaseHead): HeadBelief | undefined {
  const index = settings.heads.findIndex((one) => one.head === head);
  const own = settings.heads[index];
  return own === undefined ? undefined : { settings: own, scores: softmax(logits[index] ?? new Float32Array(), own.temperature) };
}

/** How much a text says this label by itself. */
function beliefIn(settings: HeadsSettings, logits: HeadLogits, head: CaseHead, label: string): number {
  const belief = beliefOf(settings, logits, head);
  return belief?.scores[belief.settings.labels.indexOf(label)] ?? 0;
}
