/** Tokens to words: a word begins where a token brings a blank; letters cut in two by the tokens are put together first. Pure. */
import type { TranscriptWord } from "../../../core/transcript.js";
import type { WhisperVocabulary } from "./whisper-vocabulary.js";

interface TokenWord {
  readonly text: string;
  /** Mean over the word's tokens. */
  readonly logProbability: number;
  /** Its tokens by their numbers, half-open. */
  readonly firstToken: number;
  readonly endToken: number;
}

interface TokenRun {
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
}

const UNFINISHED = "\u{FFFD}";

/** Marks and times are left out. */
export function groupWords(vocabulary: WhisperVocabulary, { tokens, logProbabilities }: TokenRun): readonly TokenWord[] {
  const words: { text: string; sum: number; count: number; firstToken: number; endToken: number }[] = [];
  let waiting: number[] = [];
  let waitingSum = 0;
  let firstToken = 0;
  for (const [index, token] of tokens.entries()) {
    if (!vocabulary.isText(token)) continue;
    if (waiting.length === 0) firstToken = index;
    waiting.push(token);
    waitingSum += logProbabilities[index] ?? 0;
    const text = vocabulary.decode(waiting);
    const isLast = !tokens.slice(index + 1).some((later) => vocabulary.isText(later));
    if (text.endsWith(UNFINISHED) && !isLast) continue;
    const last = words.at(-1);
    if (last === undefined || /^\s/u.test(text)) words.push({ text, sum: waitingSum, count: waiting.length, firstToken, endToken: index + 1 });
    else {
      last.text += text;
      last.sum += waitingSum;
      last.count += waiting.length;
      last.endToken = index + 1;
    }
    waiting = [];
    waitingSum = 0;
  }
  // Control characters are in the vocabulary, and in nobody's speech.
  return words
    .map(({ text, sum, count, ...place }) => ({ ...place, text: text.replace(/\p{Cc}/gu, "").trim(), logProbability: sum / count }))
    .filter(({ text }) => text !== "");
}

/** Over the time between, each word as long as it has letters: what is left when a model does not tell where it listened. */
export function spreadWords(words: readonly TokenWord[], { startMs, endMs }: { readonly startMs: number; readonly endMs: number }): readonly TranscriptWord[] {
  const total = words.reduce((sum, { text }) => sum + text.length + 1, 0);
  let passed = 0;
  const timeOf = (letters: number): number => Math.round(startMs + ((endMs - startMs) * letters) / total);
  return words.map(({ text, logProbability }) => {
    const from = passed;
    passed += text.length + 1;
    return { text, startMs: timeOf(from), endMs: timeOf(passed), score: Math.exp(logProbability) };
  });
}

/** By what the model listened to. @param tokenMs - when each token begins, and the last ends; call time */
export function placeWords(
  words: readonly TokenWord[],
  tokenMs: readonly number[],
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): readonly TranscriptWord[] {
  const within = (ms: number | undefined): number => Math.round(Math.min(endMs, Math.max(startMs, ms ?? endMs)));
  return words.map(({ text, logProbability, firstToken, endToken }) => ({
    ...{ text, score: Math.exp(logProbability) },
    ...{ startMs: within(tokenMs[firstToken]), endMs: within(tokenMs[endToken]) },
  }));
}
