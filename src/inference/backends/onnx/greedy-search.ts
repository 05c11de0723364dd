/** Writing one token after the other: the likeliest, or one drawn at a temperature. Several sequences as one batch. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { DecoderSteps } from "./cached-decoder.js";
import { applyTokenRules, likeliest, logSumExp, type TokenRules } from "./token-rules.js";

export interface SearchOptions {
  readonly rules: TokenRules;
  readonly endId: number;
  readonly maxTokens: number;
  readonly signal: AbortSignal;
}

/** What was written after the prompt, without the end mark. */
export interface WrittenTokens {
  readonly tokens: readonly number[];
  /** Natural logarithm of each token's probability, under the rules. */
  readonly logProbabilities: readonly number[];
  /** Sum over the tokens and the end mark. */
  readonly sumLogProbability: number;
  /** False: cut off at `maxTokens`. */
  readonly hasEnded: boolean;
}

export interface SequenceStart {
  readonly decoder: DecoderSteps;
  /** Logits of the position after the prompt, one row a sequence. */
  readonly logits: readonly Float32Array[];
}

interface OpenSequence {
  readonly index: number;
  readonly tokens: number[];
  readonly logProbabilities: number[];
  sum: number;
}

/**
 * @param temperature - 0: the likeliest token; above: drawn, by `random`
 * @returns one entry per sequence, in order
 * @throws the signal's reason between two tokens
 */
export async function searchGreedily(
  { decoder, logits }: SequenceStart,
  { rules, endId, maxTokens, signal }: SearchOptions,
  { temperature, random }: { readonly temperature: number; readonly random: () => number },
): Promise<readonly WrittenTokens[]> {
  const written: WrittenTokens[] = [];
  let open: OpenSequence[] = logits.map((_, index) => ({ index, tokens: [], logProbabilities: [], sum: 0 }));
  let scores = logits;
  for (let step = 0; step < maxTokens; step++) {
    const going: number[] = [];
    for (const [row, sequence] of open.entries()) {
      const rowScores = scores[row] as Float32Array;
      applyTokenRules(rowScores, sequence.tokens, rules);
      const token = temperature === 0 ? likeliest(rowScores) : draw(rowScores, temperature, random);
      const logProbability = (rowScores[token] ?? Number.NEGATIVE_INFINITY) - logSumExp(rowScores);
      sequence.sum += logProbability;
      if (token === endId) {
        written[sequence.index] = finish(sequence, true);
        continue;
      }
      sequence.tokens.push(token);
      sequence.logProbabilities.push(logProbability);
      going.push(row);
    }
    open = going.map((row) => open[row] as OpenSequence);
    if (open.length === 0 || step + 1 === maxTokens) break;
    decoder.keep(going);
    // Between two tokens others have their turn: an abort is heard, a message is read.
    await nextTurn();
    signal.throwIfAborted();
    const output = await decoder.step(open.map(({ tokens }) => [tokens.at(-1) ?? endId]));
    const width = output.logits.length / output.rows;
    scores = open.map((_, row) => output.logits.subarray(row * width, (row + 1) * width));
  }
  for (const sequence of open) written[sequence.index] = finish(sequence, false);
  return written;
}

function finish({ tokens, logProbabilities, sum }: OpenSequence, hasEnded: boolean): WrittenTokens {
  return { tokens, logProbabilities, sumLogProbability: sum, hasEnded };
}

function draw(scores: Float32Array, temperature: number, random: () => number): number {
  const cooled = scores.map((score) => score / temperature);
  let left = random() * Math.exp(logSumExp(cooled) - Math.max(...[cooled[likeliest(cooled)] ?? 0]));
  const highest = cooled[likeliest(cooled)] ?? 0;
  for (let id = 0; id < cooled.length; id++) {
    left -= Math.exp((cooled[id] ?? Number.NEGATIVE_INFINITY) - highest);
    if (left < 0) return id;
  }
  return likeliest(cooled);
}
