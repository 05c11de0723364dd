/**
 * The `classification` engine on an installed model of natural language inference: does the call entail "this is about X",
 * for each X of the taxonomy. First the main categories, then the sub-categories of the one that was chosen. The kind of
 * contact, the intervention and the priority are left to the rules.
 */
import { ABSTAINED, type LabelDecision } from "../../../core/case-classification.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import { joinReadable, type ReadableSegment, readableText } from "../../readable-text.js";
import { splitToFit } from "../../text-chunker.js";
import { EncoderModel } from "../onnx/encoder-model.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { carryingEvidence, evidenceCandidates } from "./carrying-segments.js";
import type { CaseTaxonomy } from "./case-decision.js";
import { softmax } from "./head-model.js";

export interface ZeroShotOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
  readonly languages: readonly LanguageTag[];
  readonly taxonomy: CaseTaxonomy;
  /** Says what the model does not. */
  readonly rules: ModelEngine<"classification">;
}

/** Columns of the model's answer. */
export interface InferenceLabels {
  readonly count: number;
  readonly entailment: number;
  readonly contradiction: number;
}

const HYPOTHESIS = (label: string): string => `This call is about ${label}.`;
const BATCH_PAIRS = 8;
/** Of the labels' scores, which add up to 1. */
const MAIN_THRESHOLD = 0.35;
const SUB_THRESHOLD = 0.3;

/** The columns that say so; undefined for a model of something else. @param labels - by id */
export function inferenceLabels(labels: readonly string[]): InferenceLabels | undefined {
  const names = labels.map((label) => label.toLowerCase());
  const [entailment, contradiction] = ["entail", "contra"].map((start) => names.findIndex((name) => name.startsWith(start)));
  if (entailment === undefined || contradiction === undefined || entailment < 0 || contradiction < 0) return undefined;
  return { count: labels.length, entailment, contradiction };
}

/** Reads the tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createZeroShotClassifier(options: ZeroShotOptions, labels: InferenceLabels): Promise<ModelEngine<"classification">> {
  const { id, revision, languages, taxonomy, rules } = options;
  const tokenizer = await TextTokenizer.read(options.directory);
  const lazy = new LazyModel(() => EntailmentModel.open(options, tokenizer, labels), options);
  return {
    description: {
      modelTask: "classification",
      engine: `zero-shot:${id}`,
      revision: `${revision}+${rules.description.revision}`,
      capabilities: { languages, lowQuality: false, isTooSlowForLive: true },
    },
    async run({ segments, translation }, { signal }) {
      const readable = readableText(segments, languages, translation);
      const ruled = await rules.run({ segments }, { signal });
      const text = joinReadable(readable);
      // A call that is no case has no category.
      if (text === "" || ruled.classification.contactType.label === "silent") return ruled;
      const { main, sub } = await lazy.use((model) => decide(model, { taxonomy, text, readable, signal }));
      return { classification: { ...ruled.classification, mainCategory: main, subCategory: sub } };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

interface ZeroShotCall {
  readonly taxonomy: CaseTaxonomy;
  readonly text: string;
  readonly readable: readonly ReadableSegment[];
  readonly signal: AbortSignal;
}

/** The main category, then a sub-category of its own. */
async function decide(
  model: EntailmentModel,
  { taxonomy, text, readable, signal }: ZeroShotCall,
): Promise<{ readonly main: LabelDecision; readonly sub: LabelDecision }> {
  const mains = taxonomy.mainCategories.map(({ label }) => label);
  const main = best(mains, await model.scores(text, mains, signal), MAIN_THRESHOLD);
  const branch = taxonomy.mainCategories.find(({ label }) => label === main?.label)?.subCategories ?? [];
  const sub = branch.length === 0 ? undefined : best(branch, await model.scores(text, branch, signal), SUB_THRESHOLD);
  const candidates = evidenceCandidates(readable);
  const show = async (found: typeof main): Promise<LabelDecision> => {
    if (found === undefined) return ABSTAINED;
    const pairs = candidates.map((candidate) => ({ premise: candidate.text, label: found.label }));
    return { ...found, evidence: carryingEvidence(candidates, await model.entailments(pairs, signal)) };
  };
  return { main: await show(main), sub: await show(sub) };
}

interface Pair {
  readonly premise: string;
  readonly label: string;
}

/** A loaded model of natural language inference. */
export class EntailmentModel {
  readonly #model: EncoderModel;
  readonly #tokenizer: TextTokenizer;
  readonly #labels: InferenceLabels;

  private constructor(model: EncoderModel, tokenizer: TextTokenizer, labels: InferenceLabels) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#labels = labels;
  }

  /** @throws AppError `MODEL_NOT_READY`, `MODEL_FILES_INVALID` */
  static async open(options: ModelFilesOptions, tokenizer: TextTokenizer, labels: InferenceLabels): Promise<EntailmentModel> {
    return new EntailmentModel(await EncoderModel.open(options), tokenizer, labels);
  }

  /** Of each label, 0..1, adding up to 1. A text that is too long is read in parts, whose answers are averaged. */
  async scores(text: string, labels: readonly string[], signal: AbortSignal): Promise<readonly number[]> {
    const parts = this.#split(text, labels);
    const logits = await this.#run(
      labels.flatMap((label) => parts.map((premise) => ({ premise, label }))),
      signal,
    );
    const means = labels.map((_, index) => {
      const own = logits.slice(index * parts.length, (index + 1) * parts.length);
      return own.reduce((sum, { entailment }) => sum + entailment, 0) / own.length;
    });
    return [...softmax(Float32Array.from(means))];
  }

  /** How far each premise entails its label rather than contradicting it, 0..1. */
  async entailments(pairs: readonly Pair[], signal: AbortSignal): Promise<readonly number[]> {
    const cut = pairs.map(({ premise, label }) => ({ label, premise: this.#split(premise, [label])[0] ?? "" }));
    return (await this.#run(cut, signal)).map(({ entailment, contradiction }) => 1 / (1 + Math.exp(contradiction - entailment)));
  }

  async close(): Promise<void> {
    await this.#model.close();
  }

  async #run(pairs: readonly Pair[], signal: AbortSignal): Promise<readonly { readonly entailment: number; readonly contradiction: number }[]> {
    const { count, entailment, contradiction } = this.#labels;
    const found: { entailment: number; contradiction: number }[] = [];
    for (let from = 0; from < pairs.length; from += BATCH_PAIRS) {
      signal.throwIfAborted();
      const batch = pairs.slice(from, from + BATCH_PAIRS).map(({ premise, label }) => this.#tokenizer.encodePair(premise, HYPOTHESIS(label)));
      const logits = await this.#model.runFor("logits", count, batch);
      for (const row of batch.keys())
        found.push({ entailment: logits[row * count + entailment] ?? 0, contradiction: logits[row * count + contradiction] ?? 0 });
    }
    return found;
  }

  /** So that each part fits with the longest of the labels. */
  #split(text: string, labels: readonly string[]): readonly string[] {
    const longest = labels.reduce((one, other) => (other.length > one.length ? other : one), "");
    return splitToFit(text, (part) => this.#tokenizer.encodePair(part, HYPOTHESIS(longest)).ids.length <= this.#tokenizer.maxTokens);
  }
}

function best(labels: readonly string[], scores: readonly number[], threshold: number): { readonly label: string; readonly score: number } | undefined {
  const score = Math.max(...scores);
  const label = labels[scores.indexOf(score)];
  return label === undefined || score < threshold ? undefined : { label, score };
}
