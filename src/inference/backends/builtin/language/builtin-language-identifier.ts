/** The builtin `language` engine: the language of each segment by its words; one of less than three words takes its neighbour's. */
import { type LanguageTag, UNDETERMINED_LANGUAGE } from "../../../../core/language.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";
import type { LanguageInput, LanguageOutput } from "../../../language-identifier.js";
import type { ModelEngine } from "../../../model-engine.js";
import { checkSegments, describeBuiltin } from "../builtin-engine.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { languageOf } from "./segment-language.js";
import { WordLanguages } from "./word-languages.js";

export class BuiltinLanguageIdentifier implements ModelEngine<"language"> {
  readonly description;
  readonly #lexicon: BuiltinAssets["languages"];
  readonly #words: WordLanguages;

  constructor({ languages, names, places }: BuiltinAssets, revision: string) {
    this.#lexicon = languages;
    const { countries, kenya, tanzania, uganda } = places;
    const proper = [...names.groups.flatMap((group) => group.names), ...countries, ...kenya, ...tanzania, ...uganda];
    const inLexicon = new Set(Object.values(languages.languages).flat());
    // Rose and Baraka are names, and words as well: as words they tell more.
    const silent = proper.flatMap((name) => name.toLowerCase().split(/\s+/)).filter((word) => !inLexicon.has(word));
    this.#words = new WordLanguages(languages, silent);
    this.description = describeBuiltin("language", revision, Object.keys(languages.languages));
  }

  async run({ segments }: LanguageInput, { signal }: { readonly signal: AbortSignal }): Promise<LanguageOutput> {
    checkSegments(segments);
    const read = segments.map((segment) => {
      signal.throwIfAborted();
      return segment.language === UNDETERMINED_LANGUAGE ? languageOf(segment.text, this.#words, this.#lexicon) : segment.language;
    });
    return {
      segments: segments.flatMap((segment, index) =>
        segment.language === UNDETERMINED_LANGUAGE ? [{ segmentId: segment.id, language: read[index] ?? inherited(segments, read, index) }] : [],
      ),
    };
  }
}

/** That of the nearest before on the same channel, else of the nearest after on it, else of the nearest before on any. */
function inherited(segments: readonly TranscriptSegment[], read: readonly (LanguageTag | undefined)[], index: number): LanguageTag {
  const { channel } = segments[index] ?? {};
  const isTold = (at: number): boolean => read[at] !== undefined && read[at] !== UNDETERMINED_LANGUAGE;
  const isSameChannel = (at: number): boolean => isTold(at) && segments[at]?.channel === channel;
  const nearest = (step: 1 | -1, accepts: (at: number) => boolean): number | undefined => {
    for (let at = index + step; at >= 0 && at < segments.length; at += step) if (accepts(at)) return at;
    return undefined;
  };
  const from = nearest(-1, isSameChannel) ?? nearest(1, isSameChannel) ?? nearest(-1, isTold) ?? nearest(1, isTold);
  return (from === undefined ? undefined : read[from]) ?? UNDETERMINED_LANGUAGE;
}
