/**
 * The builtin `question_answering` engine: the kind of answer a question wants (a person, an age, a place, ...) chooses
 * among the entities of the call, the words it shares with a passage choose between them; a question of no known kind is
 * answered by the best sentence, or not at all.
 */
import type { Entity, EntityLabel } from "../../../core/entity.js";
import { AppError } from "../../../core/errors.js";
import { type Evidence, toEvidence } from "../../../core/evidence.js";
import type { TranscriptSegment } from "../../../core/transcript.js";
import type { ModelEngine } from "../../model-engine.js";
import type { QuestionInput, QuestionOutput } from "../../question-answerer.js";
import { chunkSegments, type TextChunk, toSegmentSpans } from "../../text-chunker.js";
import { checkSegments, describeBuiltin, ruleScore } from "./builtin-engine.js";
import type { BuiltinEntityRecognizer } from "./entities/builtin-entity-recognizer.js";
import type { BuiltinAssets } from "./load-builtin-assets.js";
import { allPhrases } from "./text/lexicon-phrases.js";
import { contentTerms, rankPassages } from "./text/passage-ranker.js";
import { PhraseMatcher } from "./text/phrase-matcher.js";
import { tokenize } from "./text/tokenizer.js";

const PASSAGES = { maxCharacters: 320, overlapCharacters: 100 } as const;
const MAX_QUESTION_CHARACTERS = 500;
const NO_ANSWER: QuestionOutput = { answer: null, score: 0, evidence: [] };
/** A typed answer without any shared word is a guess from the kind of question alone. */
const TYPED_SCORE = 0.4;
const SHARED_WORDS_SCORE = 0.4;
const SENTENCE_SCORE = 0.5;
/** Each later label of the wanted kinds is a poorer fit than the one before. */
const LABEL_STEP = 0.15;

interface AnswerKind {
  readonly labels: readonly EntityLabel[];
}

interface Passages {
  readonly segments: readonly TranscriptSegment[];
  readonly chunks: readonly TextChunk[];
  /** 0..1 per chunk, 1 the best. */
  readonly relevance: readonly number[];
}

export class BuiltinQuestionAnswerer implements ModelEngine<"question_answering"> {
  readonly description;
  readonly #recognizer: BuiltinEntityRecognizer;
  readonly #kinds: PhraseMatcher<AnswerKind>;
  readonly #stopWords: ReadonlySet<string>;
  readonly #minOverlap: number;

  constructor({ questions }: BuiltinAssets, recognizer: BuiltinEntityRecognizer, revision: string) {
    this.description = describeBuiltin("question_answering", revision);
    this.#recognizer = recognizer;
    this.#kinds = new PhraseMatcher(
      questions.types.flatMap(({ answers, phrases }) => {
        const payload = { labels: answers };
        return allPhrases(phrases).map((phrase) => ({ phrase, payload }));
      }),
    );
    this.#stopWords = new Set(allPhrases(questions.stop_words));
    this.#minOverlap = questions.min_overlap;
  }

  async run(input: QuestionInput, options: { readonly signal: AbortSignal }): Promise<QuestionOutput> {
    const { segments, question } = input;
    if (question.trim().length === 0 || question.length > MAX_QUESTION_CHARACTERS) {
      throw new AppError("MODEL_INPUT_INVALID", "A question must have 1 to 500 characters.");
    }
    checkSegments(segments);
    options.signal.throwIfAborted();
    const chunks = chunkSegments(segments, PASSAGES);
    const terms = contentTerms(question, this.#stopWords);
    const scores = rankPassages(
      terms,
      chunks.map(({ text }) => contentTerms(text, this.#stopWords)),
    );
    const best = Math.max(0, ...scores);
    const relevance = scores.map((score) => (best === 0 ? 0 : score / best));
    const passages = { segments, chunks, relevance };
    const labels = this.#wantedLabels(question);
    if (labels.length > 0) {
      const { entities } = await this.#recognizer.run({ segments }, options);
      return bestEntity(entities, labels, passages) ?? NO_ANSWER;
    }
    return this.#bestSentence(terms, passages) ?? NO_ANSWER;
  }

  /** The kind named by the longest phrase; of equal ones the first in the lexicon. */
  #wantedLabels(question: string): readonly EntityLabel[] {
    const text = tokenize(question);
    const matches = this.#kinds.findAll({ ...text, numberEnds: new Int32Array(text.tokens.length) });
    const longest = Math.max(0, ...matches.map(({ firstToken, endToken }) => endToken - firstToken));
    const match = matches.find(({ firstToken, endToken }) => endToken - firstToken === longest);
    return match?.payload.labels ?? [];
  }

  #bestSentence(terms: readonly string[], { segments, chunks, relevance }: Passages): QuestionOutput | null {
    const wanted = new Set(terms);
    let best: { readonly evidence: Evidence; readonly shared: number; readonly rank: number } | null = null;
    for (const segment of segments) {
      const { tokens, sentences } = tokenize(segment.text);
      for (const { firstToken, endToken, terminator } of sentences) {
        const start = tokens[firstToken]?.startOffset ?? 0;
        const end = tokens[endToken - 1]?.endOffset ?? start;
        if (segment.channel === "agent" && terminator === "?") continue;
        const words = new Set(contentTerms(segment.text.slice(start, end), this.#stopWords));
        const shared = [...wanted].filter((term) => words.has(term)).length;
        if (shared < this.#minOverlap || (best !== null && shared < best.shared)) continue;
        const evidence = toEvidence(segment, start, end);
        const rank = passageRelevance(evidence, { segments, chunks, relevance });
        if (best === null || shared > best.shared || rank > best.rank) best = { evidence, shared, rank };
      }
    }
    if (best === null) return null;
    const score = ruleScore((SENTENCE_SCORE * best.shared) / Math.max(1, wanted.size));
    return { answer: best.evidence.text, score, evidence: [best.evidence] };
  }
}

/** The mention whose label fits best and whose passage shares most with the question; the first of equals. */
function bestEntity(entities: readonly Entity[], labels: readonly EntityLabel[], passages: Passages): QuestionOutput | null {
  let best: { readonly evidence: Evidence; readonly score: number } | null = null;
  for (const { label, mentions } of entities) {
    const fit = labels.indexOf(label);
    if (fit < 0) continue;
    for (const evidence of mentions) {
      const shared = passageRelevance(evidence, passages);
      const score = TYPED_SCORE + SHARED_WORDS_SCORE * shared - LABEL_STEP * fit;
      if (best === null || score > best.score) best = { evidence, score };
    }
  }
  if (best === null) return null;
  return { answer: best.evidence.text, score: ruleScore(best.score), evidence: [best.evidence] };
}

function passageRelevance({ segmentId, startOffset, endOffset }: Evidence, { chunks, relevance }: Passages): number {
  let best = 0;
  chunks.forEach((chunk, index) => {
    const score = relevance[index] ?? 0;
    if (score <= best) return;
    const covered = toSegmentSpans(chunk, 0, chunk.text.length).some(
      (span) => span.segmentId === segmentId && span.startOffset <= startOffset && span.endOffset >= endOffset,
    );
    if (covered) best = score;
  });
  return best;
}
