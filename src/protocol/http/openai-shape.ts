/** `POST /v1/audio/transcriptions` as OpenAI's clients send and read it. What an engine does not know is left out. */
import { z } from "zod";
import { isLanguageTag } from "../../core/language.js";
import type { ModelAnswers } from "../../core/model-answer.js";
import { type TranscriptSegment, transcriptText } from "../../core/transcript.js";

const RESPONSE_FORMATS = ["json", "text", "srt", "verbose_json", "vtt"] as const;
export type OpenAiResponseFormat = (typeof RESPONSE_FORMATS)[number];

/** Fields that other implementations know and that change nothing here are taken and left. */
export const openAiFormSchema = z.object({
  model: z.string().max(200).optional().describe("an installed engine, or anything: then the best installed one is used"),
  language: z
    .string()
    .refine((value) => value === "" || isLanguageTag(value), "must be a language tag such as sw or en")
    .transform((value) => (value === "" ? "auto" : value))
    .default("auto"),
  response_format: z.enum(RESPONSE_FORMATS).default("json"),
});

const segmentSchema = z.object({ id: z.int(), start: z.number(), end: z.number(), text: z.string() });
const wordSchema = z.object({ word: z.string(), start: z.number(), end: z.number() });

export const openAiTranscriptionSchema = z.union([
  z.object({
    task: z.literal("transcribe"),
    language: z.string(),
    duration: z.number(),
    text: z.string(),
    segments: z.array(segmentSchema),
    words: z.array(wordSchema).optional(),
  }),
  z.object({ text: z.string() }),
  z.string(),
]);

export const openAiErrorSchema = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.null(), code: z.string() }),
});

type Spoken = ModelAnswers["speech"];

/** The text formats: `text`, `srt`, `vtt`. Times are of the recording. */
export function toOpenAiText({ transcript }: Spoken, format: "text" | "srt" | "vtt"): string {
  if (format === "text") return `${transcriptText(transcript.segments)}\n`;
  const mark = format === "srt" ? "," : ".";
  const cues = transcript.segments.map(({ startMs, endMs, text }, index) => {
    const number = format === "srt" ? `${index + 1}\n` : "";
    return `${number}${timestamp(startMs, mark)} --> ${timestamp(endMs, mark)}\n${text}\n`;
  });
  return (format === "vtt" ? ["WEBVTT\n", ...cues] : cues).join("\n");
}

/** `00:01:02,345` */
function timestamp(ms: number, mark: string): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const seconds = ms / 1000;
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}${mark}${String(ms % 1000).padStart(3, "0")}`;
}

/** The JSON formats: `json`, `verbose_json`. */
export function toOpenAiJson({ transcript, durationMs }: Spoken, format: "json" | "verbose_json"): z.infer<typeof openAiTranscriptionSchema> {
  const text = transcriptText(transcript.segments);
  if (format === "json") return { text };
  const words = transcript.segments.flatMap((segment) => segment.words ?? []);
  return {
    ...{ task: "transcribe", language: languageName(transcript.language), duration: durationMs / 1000, text },
    segments: transcript.segments.map(toOpenAiSegment),
    ...(words.length === 0 ? {} : { words: words.map((word) => ({ word: word.text, start: word.startMs / 1000, end: word.endMs / 1000 })) }),
  };
}

function toOpenAiSegment({ startMs, endMs, text }: TranscriptSegment, id: number) {
  return { id, start: startMs / 1000, end: endMs / 1000, text };
}

/** `swahili`, as OpenAI's service says it, and not `sw`. */
function languageName(language: string): string {
  return language === "und" ? "unknown" : (new Intl.DisplayNames("en", { type: "language" }).of(language) ?? language).toLowerCase();
}
