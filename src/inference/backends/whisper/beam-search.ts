/** Following several likely texts at once and taking the best by mean log probability, as Hugging Face's beam search does. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { SearchOptions, SequenceStart, WrittenTokens } from "../onnx/greedy-search.js";
import { applyTokenRules, logSumExp } from "../onnx/token-rules.js";

interface Beam {
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
  readonly sum: number;
}

interface Extension {
  readonly beam: number;
  readonly token: number;
  readonly logProbability: number;
  readonly sum: number;
}

interface Finished extends Beam {
  readonly mean: number;
  readonly hasEnded: boolean;
}

/** One sequence. @param beamCount - 2 or more */
export async function searchWithBeams(
  { decoder, logits: [first] }: SequenceStart,
  { rules, endId, maxTokens, signal }: SearchOptions,
  beamCount: number,
): Promise<WrittenTokens> {
  const finished: Finished[] = [];
  let beams: readonly Beam[] = [{ tokens: [], logProbabilities: [], sum: 0 }];
  let scores: readonly Float32Array[] = [first as Float32Array];
  for (let length = 1; length <= maxTokens; length++) {
    const extensions = bestExtensions(beams, scores, { rules, count: 2 * beamCount });
    const going: Extension[] = [];
    for (const [rank, extension] of extensions.entries()) {
      const beam = beams[extension.beam] as Beam;
      if (extension.token !== endId) going.push(extension);
      // An end that is not among the best is no end yet.
      else if (rank < beamCount) finished.push({ ...beam, sum: extension.sum, mean: extension.sum / length, hasEnded: true });
      if (going.length === beamCount) break;
    }
    finished.sort((one, other) => other.mean - one.mean).splice(beamCount);
    beams = going.map(({ beam, token, logProbability, sum }) => {
      const before = beams[beam] as Beam;
      return { tokens: [...before.tokens, token], logProbabilities: [...before.logProbabilities, logProbability], sum };
    });
    const bestOpen = (extensions[0]?.sum ?? Number.NEGATIVE_INFINITY) / length;
    if (finished.length === beamCount && (finished.at(-1)?.mean ?? 0) >= bestOpen) break;
    if (length === maxTokens) {
      finished.push(...beams.map((beam) => ({ ...beam, mean: beam.sum / length, hasEnded: false })));
      break;
    }
    decoder.keep(going.map(({ beam }) => beam));
    await nextTurn();
    signal.throwIfAborted();
    const output = await decoder.step(beams.map(({ tokens }) => [tokens.at(-1) ?? endId]));
    const width = output.logits.length / output.rows;
    scores = beams.map((_, row) => output.logits.subarray(row * width, (row + 1) * width));
  }
  const [best] = finished.sort((one, other) => other.mean - one.mean);
  if (best === undefined) return { tokens: [], logProbabilities: [], sumLogProbability: 0, hasEnded: false };
  return { tokens: best.tokens, logProbabilities: best.logProbabilities, sumLogProbability: best.sum, hasEnded: best.hasEnded };
}

function bestExtensions(
  beams: readonly Beam[],
  scores: readonly Float32Array[],
  { rules, count }: { readonly rules: SearchOptions["rules"]; readonly count: number },
): readonly Extension[] {
  const best: Extension[] = [];
  for (const [index, beam] of beams.entries()) {
    const row = scores[index] as Float32Array;
    const total = logSumExp(row);
    for (let id = 0; id < row.length; id++) row[id] = (row[id] ?? 0) - total;
    applyTokenRules(row, beam.tokens, rules);
    for (let token = 0; token < row.length; token++) {
      const logProbability = row[token] ?? Number.NEGATIVE_INFINITY;
      const sum = beam.sum + logProbability;
      if (sum === Number.NEGATIVE_INFINITY || (best.length === count && sum <= (best.at(-1)?.sum ?? 0))) continue;
      const place = best.findIndex((other) => other.sum < sum);
      best.splice(place === -1 ? best.length : place, 0, { beam: index, token, logProbability, sum });
      if (best.length > count) best.pop();
    }
  }
  return best;
}
