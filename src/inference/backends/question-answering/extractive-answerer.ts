/** The `question_answering` engine on an installed extractive model: the place of the call that answers, or that none does. */
import { toEvidence } from "../../../core/evidence.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import type { QuestionInput, QuestionOutput } from "../../question-answerer.js";
import { refuseOtherLanguages } from "../../readable-text.js";
import { chunkSegments, type TextChunk, toSegmentSpans } from "../../text-chunker.js";
import { EncoderModel } from "../onnx/encoder-model.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { TextTokenizer } from "../onnx/text-tokenizer.js";
import { type AnswerSpan, bestAnswerSpan } from "./answer-span.js";

export interface ExtractiveAnswererOptions extends ModelFilesOptions {
  readonly id: string;
  readonly revision: string;
  readonly languages: readonly LanguageTag[];
}

/** What a model reads at once beside the question; what lies at an edge is read twice. */
const CHUNK = { maxCharacters: 900, overlapCharacters: 200 } as const;
const SMALLEST_CHUNK = 100;
/** Below this an answer is a guess. */
const MIN_SCORE = 0.1;
const NO_ANSWER: QuestionOutput = { answer: null, score: 0, evidence: [] };

/** Reads the tokenizer; the weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createExtractiveAnswerer(options: ExtractiveAnswererOptions): Promise<ModelEngine<"question_answering">> {
  const { id, revision, languages } = options;
  const tokenizer = await TextTokenizer.read(options.directory);
  const lazy = new LazyModel(() => AnswerModel.open(options, tokenizer), options);
  return {
    description: {
      modelTask: "question_answering",
      engine: `question-answering:${id}`,
      revision,
      capabilities: { languages, lowQuality: false },
    },
    async run({ segments, question }, { signal }) {
      signal.throwIfAborted();
      refuseOtherLanguages(segments, languages);
      const best = await lazy.use((model) => findBest(model, segments, question, signal));
      const [place] = best === undefined ? [] : toSegmentSpans(best.chunk, best.span.start, best.span.end);
      const segment = segments.find((one) => one.id === place?.segmentId);
      if (best === undefined || place === undefined || segment === undefined) return NO_ANSWER;
      const evidence = toEvidence(segment, place.startOffset, place.endOffset);
      return { answer: evidence.text, score: best.span.score, evidence: [evidence] };
    },
    load: () => lazy.use(async () => {}),
    close: () => lazy.close(),
  };
}

interface FoundAnswer {
  readonly chunk: TextChunk;
  readonly span: AnswerSpan;
}

async function findBest(model: AnswerModel, segments: QuestionInput["segments"], question: string, signal: AbortSignal): Promise<FoundAnswer | undefined> {
  let best: FoundAnswer | undefined;
  for (const chunk of model.chunksFor(question, (size) => chunkSegments(segments, size))) {
    signal.throwIfAborted();
    const span = await model.find(question, chunk);
    if (span !== undefined && span.score > (best?.span.score ?? MIN_SCORE)) best = { chunk, span };
  }
  return best;
}

/** A loaded extractive model. */
export class AnswerModel {
  readonly #model: EncoderModel;
  readonly #tokenizer: TextTokenizer;

  private constructor(model: EncoderModel, tokenizer: TextTokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
  }

  /** @throws AppError `MODEL_NOT_READY`, `MODEL_FILES_INVALID` */
  static async open(options: ModelFilesOptions, tokenizer: TextTokenizer): Promise<AnswerModel> {
    return new AnswerModel(await EncoderModel.open(options), tokenizer);
  }

  /** Chunks of which each fits beside the question. */
  chunksFor(question: string, cut: (size: typeof CHUNK) => readonly TextChunk[]): readonly TextChunk[] {
    for (let share = 1; ; share /= 2) {
      const maxCharacters = Math.floor(CHUNK.maxCharacters * share);
      const size = { maxCharacters, overlapCharacters: Math.floor(CHUNK.overlapCharacters * share) } as typeof CHUNK;
      const chunks = cut(size);
      const fits = chunks.every(({ text }) => this.#tokenizer.encodePair(question, text).ids.length <= this.#tokenizer.maxTokens);
      if (fits || maxCharacters < SMALLEST_CHUNK) return chunks;
    }
  }

  /** Offsets are those of the chunk's text; within one segment. Undefined when the model finds that nothing answers. */
  async find(question: string, chunk: Pick<TextChunk, "text" | "spans">): Promise<AnswerSpan | undefined> {
    const encoded = this.#tokenizer.encodePair(question, chunk.text);
    const length = encoded.ids.length;
    const outputs = await this.#model.run([encoded]);
    const [start, end] = ["start_logits", "end_logits"].map((name) => outputs[name]?.values ?? new Float32Array());
    if (start === undefined || end === undefined || start.length !== length || end.length !== length) return undefined;
    return bestAnswerSpan({ start, end, spans: encoded.spans }, (at) =>
      chunk.spans.findIndex((span) => at >= span.chunkStart && at < span.chunkStart + span.length),
    );
  }

  async close(): Promise<void> {
    await this.#model.close();
  }
}
