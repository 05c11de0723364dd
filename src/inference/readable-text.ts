/** The words of a call in a language that a model reads: as spoken, or as translated; or that it reads none of them. Pure. */
import { AppError } from "../core/errors.js";
import { type LanguageTag, MIXED_LANGUAGE, UNDETERMINED_LANGUAGE } from "../core/language.js";
import type { TranscriptSegment } from "../core/transcript.js";
import type { TranslationOutput } from "./translator.js";

/** What a model reads of a segment. */
export interface ReadableSegment {
  readonly segment: TranscriptSegment;
  readonly text: string;
}

/** @throws AppError `MODEL_NOT_READY` when most of the call is in no language that the model reads */
export function readableText(
  segments: readonly TranscriptSegment[],
  languages: readonly LanguageTag[],
  translation: TranslationOutput | undefined,
): readonly ReadableSegment[] {
  const reads = (language: LanguageTag): boolean => isReadable(language, languages);
  const translated = new Map(
    translation !== undefined && reads(translation.language) ? translation.segments.map(({ segmentId, text }) => [segmentId, text] as const) : [],
  );
  const readable = segments.map((segment) => {
    const text = reads(segment.language) ? segment.text : translated.get(segment.id);
    return { segment, text: text ?? "", language: text === undefined ? segment.language : (languages[0] ?? segment.language) };
  });
  if (
    readableShare(
      readable.map(({ segment, language }) => ({ text: segment.text, language })),
      languages,
    ) < 0.5
  ) {
    throw new AppError("MODEL_NOT_READY", `The model reads ${languages.join(", ")} and most of this call is in another language, untranslated.`);
  }
  return readable.filter(({ text }) => text.trim() !== "").map(({ segment, text }) => ({ segment, text }));
}

/** The whole call as one text, a line for each segment. */
export function joinReadable(readable: readonly ReadableSegment[]): string {
  return readable.map(({ text }) => text).join("\n");
}

/** What is mixed needs a model for both languages callers mix. */
function isReadable(language: LanguageTag, languages: readonly LanguageTag[]): boolean {
  if (languages.includes("*") || language === UNDETERMINED_LANGUAGE) return true;
  return language === MIXED_LANGUAGE ? languages.includes("en") && languages.includes("sw") : languages.includes(language);
}

type Spoken = Pick<TranscriptSegment, "language" | "text">;

/** Share of the text, 0..1, in languages among `languages`; text of no known language counts as readable. */
function readableShare(segments: readonly Spoken[], languages: readonly LanguageTag[]): number {
  if (languages.includes("*")) return 1;
  let all = 0;
  let readable = 0;
  for (const { language, text } of segments) {
    all += text.length;
    if (isReadable(language, languages)) readable += text.length;
  }
  return all === 0 ? 1 : readable / all;
}

/** @throws AppError `MODEL_NOT_READY` when most of the text is in other languages: another engine shall read it */
export function refuseOtherLanguages(segments: readonly Spoken[], languages: readonly LanguageTag[]): void {
  if (readableShare(segments, languages) >= 0.5) return;
  throw new AppError("MODEL_NOT_READY", `The model reads ${languages.join(", ")} and most of this call is in another language.`);
}
