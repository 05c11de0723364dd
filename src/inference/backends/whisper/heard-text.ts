/** What a decoder wrote, as text of the call with words and their times. Pure. */
import type { LanguageTag } from "../../../core/language.js";
import type { RecognizedUtterance } from "../../speech-recognizer.js";
import type { WhisperVocabulary } from "./whisper-vocabulary.js";
import { groupWords, placeWords, spreadWords } from "./word-grouping.js";

/** Text of a stretch of the call. */
export interface HeardPiece {
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
  /** When each token begins and the last ends; absent when the model does not tell. */
  readonly tokenMs?: readonly number[];
  /** Tokens at the beginning that more sound would not change; absent when the model does not tell. */
  readonly steadyTokens?: number;
}

/** One utterance for each piece that has words. */
export function toUtterances(vocabulary: WhisperVocabulary, pieces: readonly HeardPiece[], language: LanguageTag): readonly RecognizedUtterance[] {
  return pieces.flatMap(({ startMs, endMs, tokenMs, steadyTokens, ...run }) => {
    const words = groupWords(vocabulary, run);
    if (words.length === 0) return [];
    const mean = run.logProbabilities.reduce((sum, value) => sum + value, 0) / run.logProbabilities.length;
    const textOf = (some: typeof words): string => some.map(({ text }) => text).join(" ");
    return [
      {
        ...{ startMs, endMs, text: textOf(words), language, score: Math.exp(mean) },
        words: tokenMs === undefined ? spreadWords(words, { startMs, endMs }) : placeWords(words, tokenMs, { startMs, endMs }),
        ...(steadyTokens === undefined ? {} : { stableLength: textOf(words.filter(({ endToken }) => endToken <= steadyTokens)).length }),
      },
    ];
  });
}
