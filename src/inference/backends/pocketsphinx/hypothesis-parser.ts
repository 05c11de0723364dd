/**
 * Reads what `pocketsphinx_batch -hypseg` prints: one line an utterance, its words with start frame, acoustic score and
 * language-model score.
 *
 * Line: `<utterance id> S <int> T <int> A <int> L <int> (<start frame> <acoustic> <language> <word>)* <last frame>`.
 * Source: pocketsphinx 0.8+5prealpha, batch.c (write_hypseg), read from its output.
 */

/** Frames are 10 ms, counted from the start of the audio handed over for this utterance. */
export interface HypothesisWord {
  readonly word: string;
  readonly startFrame: number;
  readonly endFrame: number;
  /** Log likelihood in the decoder's units; more negative fits worse. */
  readonly acousticScore: number;
}

export interface Hypothesis {
  readonly utteranceId: string;
  readonly words: readonly HypothesisWord[];
}

/** @returns undefined for a line that is not of this form. */
export function parseHypothesis(line: string): Hypothesis | undefined {
  const fields = line.trim().split(/\s+/);
  const languageAt = fields.indexOf("L");
  const utteranceId = fields[0];
  if (utteranceId === undefined || languageAt === -1) return undefined;
  const entries = fields.slice(languageAt + 2);
  const lastFrame = Number(entries.at(-1));
  if (!Number.isFinite(lastFrame)) return undefined;
  const words: HypothesisWord[] = [];
  for (let index = 0; index + 3 < entries.length; index += 4) {
    const token = entries[index + 3] ?? "";
    const nextStart = index + 7 < entries.length ? Number(entries[index + 4]) : lastFrame;
    const word = toWord(token);
    if (word === undefined) continue;
    words.push({ word, startFrame: Number(entries[index]), endFrame: nextStart, acousticScore: Number(entries[index + 1]) });
  }
  return { utteranceId, words };
}

/** Drops pronunciation marks (`read(2)`) and what is not a word: silence, noise, sentence ends. */
function toWord(token: string): string | undefined {
  if (/^[<[+]/.test(token)) return undefined;
  return token.replace(/\(\d+\)$/, "");
}
