/**
 * Does a hypothesis rest on English speech? A recognizer that knows only English writes English words for any sound.
 * When the language is not given, its words count only if they fit the audio well: speech in another language forces
 * the decoder into words whose acoustic score per frame is far worse. See docs/decisions/0005.
 */
import type { Hypothesis } from "./hypothesis-parser.js";

/**
 * Mean acoustic score per 10 ms frame under which words do not fit the audio. Measured: English by four flite voices,
 * wide band and telephone, and one real recording lie at -24,000 to -42,000; Swahili, French and Oromo by espeak-ng at
 * -48,000 to -57,000. (So does English by espeak-ng, which this engine can't make out either.)
 */
const MIN_SCORE_PER_FRAME = -45_000;
/** Fewer frames with words than this (0.5 s) decide nothing; such a call is not taken for English. */
const MIN_WORD_FRAMES = 50;

export function soundsEnglish(hypotheses: readonly Hypothesis[]): boolean {
  let frames = 0;
  let score = 0;
  for (const { words } of hypotheses) {
    for (const word of words) {
      frames += word.endFrame - word.startFrame;
      score += word.acousticScore;
    }
  }
  return frames >= MIN_WORD_FRAMES && score / frames >= MIN_SCORE_PER_FRAME;
}
