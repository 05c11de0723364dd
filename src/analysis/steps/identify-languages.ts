/** Gives a language to segments that came without one, and to mixed ones a language that a translator knows. */
import { type LanguageTag, MIXED_LANGUAGE, UNDETERMINED_LANGUAGE } from "../../core/language.js";
import type { ModelRevision } from "../../core/model-task.js";
import type { Transcript, TranscriptSegment } from "../../core/transcript.js";
import type { InferenceRunner } from "../../inference/pool/inference-pool.js";

export interface IdentifiedSegments {
  readonly segments: readonly TranscriptSegment[];
  /** Null when every segment had a language, or none could be asked for. */
  readonly model: ModelRevision | null;
}

export interface IdentifyOptions {
  /** Others stay `und`; absent: any. */
  readonly allowedLanguages?: readonly LanguageTag[];
  /** Of a call that runs. */
  readonly isLive?: boolean;
  readonly signal: AbortSignal;
}

const DEADLINE_MS = 60_000;

/** Swahili is read as it is and not through a translation, so each segment needs its own language. A failure leaves `und`, and hinders nothing. */
export async function identifyLanguages(
  inference: InferenceRunner,
  segments: readonly TranscriptSegment[],
  { allowedLanguages, isLive = false, signal }: IdentifyOptions,
): Promise<IdentifiedSegments> {
  if (segments.every(({ language }) => language !== UNDETERMINED_LANGUAGE)) return { segments, model: null };
  try {
    const { output, engine, revision } = await inference.run("language", { segments }, { signal, deadlineMs: DEADLINE_MS, isLive });
    const isAllowed = (language: LanguageTag): boolean =>
      allowedLanguages === undefined || allowedLanguages.includes(language) || (language === MIXED_LANGUAGE && allowedLanguages.length > 1);
    const found = new Map(output.segments.filter(({ language }) => isAllowed(language)).map(({ segmentId, language }) => [segmentId, language]));
    return {
      segments: segments.map((segment) => ({ ...segment, language: found.get(segment.id) ?? segment.language })),
      model: { task: "language", engine, id: engine, revision },
    };
  } catch {
    signal.throwIfAborted();
    return { segments, model: null };
  }
}

/** The language most of the text is in, by its letters: a supplied transcript may have no times. */
export function writtenLanguage(segments: readonly TranscriptSegment[]): LanguageTag {
  const letters = new Map<LanguageTag, number>();
  for (const { language, text } of segments) letters.set(language, (letters.get(language) ?? 0) + text.length);
  return [...letters].sort((one, other) => other[1] - one[1])[0]?.[0] ?? UNDETERMINED_LANGUAGE;
}

/** A transcript with the languages found, its own among them. */
export function withLanguages(transcript: Transcript, segments: readonly TranscriptSegment[]): Transcript {
  const language = transcript.language === UNDETERMINED_LANGUAGE ? writtenLanguage(segments) : transcript.language;
  return { ...transcript, language, segments };
}

/** Translators are told one language: a mixed segment is told as the one besides the target that most of the call is in. */
export function asTranslated(segments: readonly TranscriptSegment[], targetLanguage: LanguageTag): readonly TranscriptSegment[] {
  const plain = segments.filter(({ language }) => ![MIXED_LANGUAGE, UNDETERMINED_LANGUAGE, targetLanguage].includes(language));
  const usual = targetLanguage === "sw" ? "en" : "sw";
  const language = plain.length === 0 ? usual : writtenLanguage(plain);
  return segments.map((segment) => (segment.language === MIXED_LANGUAGE ? { ...segment, language } : segment));
}
