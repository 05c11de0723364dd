/**
 * The builtin `question_answering` engine. A question of a case form is answered by what such facts are told with (`facts/`). For
 * others the kind of answer they want (a person, an age, a place, ...) chooses among the entities of the call, the words shared with
 * a passage choose between them; a question of no known kind is answered by a sentence that has half of its words, or not at all.
 */
import type { AnswerKind } from "../../../core/case/case-answer.js";
import type { Entity, EntityLabel } from "../../../core/entity.js";
import { AppError } from "../../../core/errors.js";
import { type Evidence, toEvidence } from "../../../core/evidence.js";
import type { TranscriptSegment } from "../../../core/transcript.js";
import type { ModelEngine } from "../../model-engine.js";
import type { QuestionInput, QuestionOutput } from "../../question-answerer.js";
import { chunkSegments, type TextChunk, toSegmentSpans } from "../../text-chunker.js";
import { checkSegments, describeBuiltin, ruleScore } from "./builtin-engine.js";
import type { BuiltinEntityRecognizer } from "./entities/builtin-entity-recognizer.js";
import type { CaseFacts } from "./facts/case-facts.js";
import type { BuiltinAssets } from "./load-builtin-assets.js";
import { readCall } from "./text/call-reading.js";
import { allPhrases } from "./text/lexicon-phrases.js";
import { contentTerms, rankPassages } from "./text/passage-ranker.js";
import { PhraseMatcher } from "./text/phrase-matcher.js";
import { ScopeReader } from "./text/scope-reader.js";
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

/** What a phrase of a question asks for: a fact of a case form, or one of some kinds of entities. */
interface Wanted {
  readonly kind?: AnswerKind;
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
  readonly #facts: CaseFacts;
  readonly #scopes: ScopeReader;
  readonly #numbers: BuiltinAssets["numbers"];
  readonly #kinds: PhraseMatcher<Wanted>;
  readonly #stopWords: ReadonlySet<string>;
  readonly #minOverlap: number;
  readonly #minShare: number;

  constructor(assets: BuiltinAssets, { recognizer, facts }: { readonly recognizer: BuiltinEntityRecognizer; readonly facts: CaseFacts }, revision: string) {
    this.description = describeBuiltin("question_answering", revision);
    this.#recognizer = recognizer;
    const { questions } = assets;
    this.#numbers = assets.numbers;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#facts = facts;
    this.#kinds = new PhraseMatcher(
      questions.types.flatMap(({ answers: labels, kind, phrases }) => {
        const payload = { labels, ...(kind === undefined ? {} : { kind }) };
        return allPhrases(phrases).map((phrase) => ({ phrase, payload }));
      }),
    );
    this.#stopWords = new Set(allPhrases(questions.stop_words));
    this.#minOverlap = questions.min_overlap;
    this.#minShare = questions.min_share;
  }

  async run(input: QuestionInput, options: { readonly signal: AbortSignal }): Promise<QuestionOutput> {
    const { segments, question } = input;
    if (question.trim().length === 0 || question.length > MAX_QUESTION_CHARACTERS) {
      throw new AppError("MODEL_INPUT_INVALID", "A question must have 1 to 500 characters.");
    }
    checkSegments(segments);
    options.signal.throwIfAborted();
    const wanted = input.kind === undefined ? this.#wanted(question) : { kind: input.kind, labels: [] };
    const { kind, labels } = wanted;
    const entities = (): Promise<readonly Entity[]> | readonly Entity[] => input.entities ?? this.#entities(segments, options);
    if (kind !== undefined) return this.#fact(kind, { segments, entities: await entities(), signal: options.signal });
    const chunks = chunkSegments(segments, PASSAGES);
    const terms = contentTerms(question, this.#stopWords);
    const scores = rankPassages(
      terms,
      chunks.map(({ text }) => contentTerms(text, this.#stopWords)),
    );
    const best = Math.max(0, ...scores);
    const relevance = scores.map((score) => (best === 0 ? 0 : score / best));
    const passages = { segments, chunks, relevance };
    if (labels.length > 0) return bestEntity(await entities(), labels, passages) ?? NO_ANSWER;
    return this.#bestSentence(terms, passages) ?? NO_ANSWER;
  }

  /** The kind named by the longest phrase; of equal ones the first in the lexicon. */
  #wanted(question: string): Wanted {
    const text = tokenize(question);
    const matches = this.#kinds.findAll({ ...text, numberEnds: new Int32Array(text.tokens.length) });
    const longest = Math.max(0, ...matches.map(({ firstToken, endToken }) => endToken - firstToken));
    const match = matches.find(({ firstToken, endToken }) => endToken - firstToken === longest);
    return match?.payload ?? { labels: [] };
  }

  async #entities(segments: QuestionInput["segments"], options: { readonly signal: AbortSignal }): Promise<readonly Entity[]> {
    return (await this.#recognizer.run({ segments }, options)).entities;
  }

  #fact(
    kind: AnswerKind,
    { segments, entities, signal }: Pick<QuestionInput, "segments"> & { readonly entities: readonly Entity[]; readonly signal: AbortSignal },
  ) {
    const call = readCall(segments, { numbers: this.#numbers, scopes: this.#scopes }, signal);
    const fact = this.#facts.find(kind, { call, entities, signal });
    return fact === null ? NO_ANSWER : { answer: fact.evidence.text, score: ruleScore(fact.score), evidence: [fact.evidence] };
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
        if (shared < this.#minOverlap || shared < this.#minShare * wanted.size || (best !== null && shared < best.shared)) continue;
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
