/** From what a model believes of each token to the likeliest answer. Pure. */
import type { TokenSpan } from "../onnx/token-alignment.js";

/** Half-open, in the text that was read. */
export interface AnswerSpan extends TokenSpan {
  /** 0..1: of its beginning and its end, among all and no answer. */
  readonly score: number;
}

export interface AnswerLogits {
  readonly start: Float32Array;
  readonly end: Float32Array;
  /** Of each token in the text; null for the question and for marks. */
  readonly spans: readonly (TokenSpan | null)[];
}

/** Longer answers are quotations. */
const MAX_TOKENS = 30;
/** The first token is the model's mark for "no answer". */
const NO_ANSWER_AT = 0;

/**
 * @param segmentAt - number of the segment that holds an offset: an answer lies within one
 * @returns undefined when "no answer" is likelier than any
 */
export function bestAnswerSpan({ start, end, spans }: AnswerLogits, segmentAt: (offset: number) => number): AnswerSpan | undefined {
  const isChoice = (index: number): boolean => index === NO_ANSWER_AT || (spans[index] ?? null) !== null;
  const [starts, ends] = [shares(start, isChoice), shares(end, isChoice)];
  let best: AnswerSpan | undefined;
  for (const [first, from] of spans.entries()) {
    if (from === null || first === NO_ANSWER_AT) continue;
    const segment = segmentAt(from.start);
    for (let last = first; last < Math.min(spans.length, first + MAX_TOKENS); last++) {
      const to = spans[last] ?? null;
      if (to === null || segmentAt(to.end - 1) !== segment) break;
      const score = (starts[first] ?? 0) * (ends[last] ?? 0);
      if (score > (best?.score ?? 0) && to.end > from.start) best = { start: from.start, end: to.end, score };
    }
  }
  const nothing = (starts[NO_ANSWER_AT] ?? 0) * (ends[NO_ANSWER_AT] ?? 0);
  return best === undefined || best.score <= nothing ? undefined : best;
}

/** Softmax over the tokens that may be chosen. */
function shares(logits: Float32Array, isChoice: (index: number) => boolean): Float32Array {
  const highest = logits.reduce((most, logit, index) => (isChoice(index) ? Math.max(most, logit) : most), Number.NEGATIVE_INFINITY);
  const raised = logits.map((logit, index) => (isChoice(index) ? Math.exp(logit - highest) : 0));
  const total = raised.reduce((sum, value) => sum + value, 0);
  return raised.map((value) => value / total);
}
