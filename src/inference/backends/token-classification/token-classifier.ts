/** The `entities` engine on an installed token-classification model: every entity with the exact place of each mention. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Entity, EntityLabel } from "../../../core/entity.js";
import { AppError } from "../../../core/errors.js";
import { type Evidence, toEvidence } from "../../../core/evidence.js";
import type { LanguageTag } from "../../../core/language.js";
import type { TranscriptSegment } from "../../../core/transcript.js";
import type { ModelEngine } from "../../model-engine.js";
import { refuseOtherLanguages } from "../../readable-text.js";
import { chunkSegments, toSegmentSpans } from "../../text-chunker.js";
import { EncoderModel } from "../onnx/encoder-model.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { groupLabels, type LabelledSpan, type LabelledToken, toEntityLabel } from "./label-groups.js";

export interface TokenClassifierOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
  /** Of the texts it was taught with; `["*"]` when that is not known. */
  readonly languages: readonly LanguageTag[];
}

/** A piece of text that a model reads at once, about 200 words; what lies at an edge is read twice. */
const CHUNK = { maxCharacters: 1_000, overlapCharacters: 150 } as const;
/** Below this the model rather guesses. */
const MIN_SCORE = 0.5;
/** Roles say more than names. */
const ROLES: readonly EntityLabel[] = ["VICTIM", "PERPETRATOR"];

const configSchema = z.looseObject({ id2label: z.record(z.string(), z.string()) });

/** Reads settings and tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createTokenClassifier(options: TokenClassifierOptions): Promise<ModelEngine<"entities">> {
  const tokenizer = await TextTokenizer.read(options.directory);
  const labels = await readLabels(options.directory);
  const lazy = new LazyModel(() => LabelModel.open(options, tokenizer, labels), options);
  return {
    description: {
      modelTask: "entities",
      engine: `token-classification:${options.id}`,
      revision: options.revision,
      capabilities: { languages: options.languages, lowQuality: false },
    },
    async run({ segments }, { signal }) {
      refuseOtherLanguages(segments, options.languages);
      const found: FoundMention[] = [];
      const byId = new Map(segments.map((segment) => [segment.id, segment]));
      await lazy.use(async (model) => {
        for (const chunk of chunkSegments(segments, CHUNK)) {
          signal.throwIfAborted();
          for (const span of await model.read(chunk.text)) found.push(...toMentions(span, toSegmentSpans(chunk, span.start, span.end), byId));
        }
      });
      return { entities: mergeMentions(found) };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

/** A loaded model: spans of a text with the labels it gives them. */
export class LabelModel {
  readonly #model: EncoderModel;
  readonly #tokenizer: TextTokenizer;
  readonly #labels: readonly string[];

  private constructor(model: EncoderModel, tokenizer: TextTokenizer, labels: readonly string[]) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#labels = labels;
  }

  /** @throws AppError `MODEL_NOT_READY`, `MODEL_FILES_INVALID` */
  static async open(options: ModelFilesOptions, tokenizer: TextTokenizer, labels: readonly string[]): Promise<LabelModel> {
    return new LabelModel(await EncoderModel.open(options), tokenizer, labels);
  }

  /** Offsets are those of `text`; a text that is too long for the model is read in two. */
  async read(text: string): Promise<readonly LabelledSpan[]> {
    const { ids, spans } = this.#tokenizer.encode(text);
    if (ids.length > this.#tokenizer.maxTokens && text.length > 1) {
      const middle = blankNear(text, Math.floor(text.length / 2));
      const later = (await this.read(text.slice(middle))).map((span) => ({ ...span, start: span.start + middle, end: span.end + middle }));
      return [...(await this.read(text.slice(0, middle))), ...later];
    }
    const width = this.#labels.length;
    const logits = await this.#model.runFor("logits", width, [{ ids }]);
    return groupLabels(spans.map((span, index): LabelledToken => ({ span, ...best(logits.subarray(index * width, (index + 1) * width), this.#labels) })));
  }

  async close(): Promise<void> {
    await this.#model.close();
  }
}

/** By id. @throws AppError `MODEL_FILES_INVALID` */
export async function readLabels(directory: string): Promise<readonly string[]> {
  try {
    const { id2label } = configSchema.parse(JSON.parse(await readFile(join(directory, "config.json"), "utf8")));
    const labels = Object.entries(id2label).sort(([one], [other]) => Number(one) - Number(other));
    return labels.map(([, label]) => label);
  } catch {
    throw new AppError("MODEL_FILES_INVALID", "The model's config.json does not name its labels (id2label); import the model again from a whole copy.");
  }
}

function best(logits: Float32Array, labels: readonly string[]): { readonly label: string; readonly score: number } {
  const highest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
  return { label: labels[logits.indexOf(highest)] ?? "O", score: 1 / total };
}

function blankNear(text: string, middle: number): number {
  const at = text.lastIndexOf(" ", middle);
  return at > 0 ? at : middle;
}

interface FoundMention {
  readonly label: EntityLabel;
  readonly score: number;
  readonly evidence: Evidence;
}

function toMentions(
  { label: name, score }: LabelledSpan,
  places: ReturnType<typeof toSegmentSpans>,
  segments: ReadonlyMap<string, TranscriptSegment>,
): readonly FoundMention[] {
  const label = toEntityLabel(name);
  if (label === undefined || score < MIN_SCORE) return [];
  return places.flatMap(({ segmentId, startOffset, endOffset }) => {
    const segment = segments.get(segmentId);
    return segment === undefined || segment.text.slice(startOffset, endOffset).trim() === ""
      ? []
      : [{ label, score, evidence: toEvidence(segment, startOffset, endOffset) }];
  });
}

/** One entity per string, whatever its case; the label is a role where there is one, else the most believed. */
function mergeMentions(found: readonly FoundMention[]): readonly Entity[] {
  const byText = new Map<string, FoundMention[]>();
  for (const mention of found) {
    const key = mention.evidence.text.toLowerCase().replace(/\s+/gu, " ").trim();
    const known = byText.get(key) ?? [];
    const { segmentId, startOffset } = mention.evidence;
    // What lies where two chunks overlap is found twice.
    if (!known.some(({ evidence }) => evidence.segmentId === segmentId && evidence.startOffset === startOffset)) known.push(mention);
    byText.set(key, known);
  }
  return [...byText.values()].flatMap((mentions) => {
    const [strongest] = [...mentions].sort((one, other) => Number(ROLES.includes(other.label)) - Number(ROLES.includes(one.label)) || other.score - one.score);
    const [first] = mentions;
    if (strongest === undefined || first === undefined) return [];
    return [{ label: strongest.label, text: first.evidence.text, score: strongest.score, mentions: mentions.map(({ evidence }) => evidence) }];
  });
}
