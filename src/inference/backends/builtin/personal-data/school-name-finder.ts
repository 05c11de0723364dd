/** Schools by their names: "Enkorika Primary", "shule ya msingi Kiloleni". */
import type { PiiKind } from "../../../../security/masking/pii-detector.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import type { TokenRange } from "../text/tokenizer.js";

const LONGEST_NAME = 3;
const OF_WORDS = new Set(["ya", "la"]);

export class SchoolNameFinder {
  /** "School", "primary", "msingi". */
  readonly #kindWords: ReadonlySet<string>;
  /** Words that name kinds of places and none of them. */
  readonly #generic: ReadonlySet<string>;

  constructor({ schools }: BuiltinAssets["personalData"], landmarks: BuiltinAssets["landmarks"], common: ReadonlySet<string>) {
    this.#kindWords = new Set([...schools.words, ...schools.levels]);
    const nouns = allPhrases(landmarks.landmark_nouns).flatMap((phrase) => phrase.split(/[\s|]+/));
    this.#generic = new Set([...common, ...nouns, ...landmarks.school_levels]);
  }

  find(reading: SegmentReading): readonly TokenRange[] {
    return reading.tokens.flatMap(({ norm }, at) => (this.#kindWords.has(norm) ? this.#nameAround(reading, at) : []));
  }

  /** Undefined for "the mosque", which has no name. */
  kindOfLandmark({ tokens }: SegmentReading, { firstToken, endToken }: TokenRange): PiiKind | undefined {
    const words = tokens.slice(firstToken, endToken).map(({ norm }) => norm);
    if (!words.some((word) => word.length > 2 && !this.#generic.has(word))) return undefined;
    return words.some((word) => this.#kindWords.has(word)) ? "SCHOOL" : "PLACE";
  }

  /** @param at - of the word for a school */
  #nameAround({ tokens, isCased }: SegmentReading, at: number): readonly TokenRange[] {
    const clause = tokens[at]?.clause;
    const isName = (index: number): boolean => {
      const token = tokens[index];
      if (token === undefined || token.clause !== clause || this.#generic.has(token.norm)) return false;
      return (token.capitalised || !isCased) && !/\d/.test(token.norm);
    };
    const isKind = (index: number): boolean => {
      const word = tokens[index]?.clause === clause ? (tokens[index]?.norm ?? "") : "";
      return this.#kindWords.has(word) || OF_WORDS.has(word);
    };
    let firstToken = at;
    while (at - firstToken < LONGEST_NAME && isName(firstToken - 1)) firstToken -= 1;
    let endToken = at + 1;
    while (isKind(endToken)) endToken += 1;
    const lastKind = endToken;
    while (firstToken === at && endToken - lastKind < LONGEST_NAME && isName(endToken)) endToken += 1;
    return firstToken < at || endToken > lastKind ? [{ firstToken, endToken }] : [];
  }
}
