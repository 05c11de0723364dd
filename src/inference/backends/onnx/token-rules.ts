/**
 * What a decoder may write next: tokens that are never written, and the rules of Whisper's time marks
 * (they come in pairs, never go back, and stand at the beginning). The same rules as in OpenAI's and Hugging Face's implementations. Pure.
 */

export interface TimestampRules {
  /** Id of `<|0.00|>`; ids from here on are times, 20 ms each. */
  readonly firstId: number;
  readonly noTimestampsId: number;
  readonly endId: number;
  /** The first time is at most this many steps in; undefined: anywhere. */
  readonly maxInitialIndex: number | undefined;
}

export interface TokenRules {
  readonly suppressed: readonly number[];
  /** Not as the first token. */
  readonly suppressedAtBegin: readonly number[];
  /** No run of so many tokens is written twice; absent: any may be. */
  readonly noRepeatSize?: number;
  /** Absent: text without times. */
  readonly timestamps?: TimestampRules;
}

/** Forbids, by `-Infinity`, what may not follow `written` (the tokens after the prompt). @param scores - logits or log probabilities, changed in place */
export function applyTokenRules(scores: Float32Array, written: readonly number[], rules: TokenRules): void {
  const { suppressed, suppressedAtBegin, noRepeatSize, timestamps } = rules;
  if (written.length === 0) for (const id of suppressedAtBegin) scores[id] = Number.NEGATIVE_INFINITY;
  for (const id of suppressed) scores[id] = Number.NEGATIVE_INFINITY;
  if (noRepeatSize !== undefined) for (const id of repeating(written, noRepeatSize)) scores[id] = Number.NEGATIVE_INFINITY;
  if (timestamps !== undefined) applyTimestampRules(scores, written, timestamps);
}

/** Tokens that would end a run of `size` which stands in `written` already. */
function repeating(written: readonly number[], size: number): readonly number[] {
  const lead = written.length - size + 1;
  if (lead < 0) return [];
  return written.filter((_, at) => at >= size - 1 && written.slice(at - size + 1, at).every((id, offset) => id === written[lead + offset]));
}

function applyTimestampRules(scores: Float32Array, written: readonly number[], rules: TimestampRules): void {
  const { firstId, noTimestampsId, endId, maxInitialIndex } = rules;
  const isTime = (id: number | undefined): boolean => id !== undefined && id >= firstId;
  scores[noTimestampsId] = Number.NEGATIVE_INFINITY;
  const wasTime = isTime(written.at(-1));
  const wasPair = written.length < 2 || isTime(written.at(-2));
  if (wasTime && wasPair) forbid(scores, firstId, scores.length);
  else if (wasTime) forbid(scores, 0, endId);
  const lastTime = written.findLast(isTime);
  // A time may be said twice, as the end of one segment and the beginning of the next; otherwise time goes on.
  if (lastTime !== undefined) forbid(scores, firstId, wasTime && !wasPair ? lastTime : lastTime + 1);
  if (written.length === 0) {
    forbid(scores, 0, firstId);
    if (maxInitialIndex !== undefined) forbid(scores, firstId + maxInitialIndex + 1, scores.length);
  }
  if (isTimeLikelier(scores, firstId)) forbid(scores, 0, firstId);
}

function forbid(scores: Float32Array, from: number, to: number): void {
  if (from < to) scores.fill(Number.NEGATIVE_INFINITY, from, to);
}

/** All times together against the likeliest single word. */
function isTimeLikelier(scores: Float32Array, firstId: number): boolean {
  let text = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < firstId; id++) text = Math.max(text, scores[id] ?? text);
  return logSumExp(scores, firstId, scores.length) > text;
}

/** Steps of the table of powers for each unit of the exponent. */
const STEPS = 64;
/** Beyond this `exp` adds nothing that a double could hold beside 1. */
const SMALLEST_EXPONENT = -40;
const POWERS = Float64Array.from({ length: -SMALLEST_EXPONENT * STEPS + 1 }, (_, index) => Math.exp(-index / STEPS));

/**
 * `log(sum(exp))` of a range; `-Infinity` when all of it is forbidden. By a table and the first terms of the series after it, to a
 * millionth: a vocabulary of 50,000 is summed up for every token of every call.
 */
export function logSumExp(scores: Float32Array, from = 0, to = scores.length): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = from; id < to; id++) {
    const score = scores[id] as number;
    if (score > highest) highest = score;
  }
  if (highest === Number.NEGATIVE_INFINITY) return highest;
  let sum = 0;
  for (let id = from; id < to; id++) {
    const below = highest - (scores[id] as number);
    if (below >= -SMALLEST_EXPONENT) continue;
    const step = (below * STEPS) | 0;
    const rest = below - step / STEPS;
    sum += (POWERS[step] as number) * (1 - rest + (rest * rest) / 2);
  }
  return highest + Math.log(sum);
}

/** The likeliest; the first of equals. */
export function likeliest(scores: Float32Array): number {
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id] as number;
    if (score > highest) {
      highest = score;
      best = id;
    }
  }
  return best;
}
