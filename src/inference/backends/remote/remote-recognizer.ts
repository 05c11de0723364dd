/** The `speech` engine on a server with OpenAI's `/audio/transcriptions`: the way to a GPU elsewhere on the helpline's network. */
import { z } from "zod";
import { encodePcmWav } from "../../../audio/wav.js";
import { type LanguageTag, UNDETERMINED_LANGUAGE } from "../../../core/language.js";
import type { TranscriptWord } from "../../../core/transcript.js";
import type { ModelEngine } from "../../model-engine.js";
import { readPcmRange } from "../../pcm-blocks.js";
import type { RecognizedUtterance, SpeechInput, Utterance } from "../../speech-recognizer.js";
import { invalidAnswer, RemoteClient, type RemoteServer } from "./remote-client.js";

const SAMPLE_RATE_HZ = 16_000;
const PADDING_MS = 100;
/** Nobody says more in a second; a text beyond that is made up. */
const MAX_CHARACTERS_PER_SECOND = 60;
const SPARE_CHARACTERS = 60;

const seconds = z.number().finite();
const answerSchema = z.looseObject({
  text: z.string(),
  language: z.string().nullish(),
  words: z.array(z.looseObject({ word: z.string(), start: seconds, end: seconds })).nullish(),
  segments: z
    .array(z.looseObject({ avg_logprob: z.number().nullish(), words: z.array(z.looseObject({ word: z.string(), start: seconds, end: seconds })).nullish() }))
    .nullish(),
});
type Answer = z.infer<typeof answerSchema>;

/** Asks nothing before it is run. */
export function createRemoteRecognizer(server: RemoteServer): ModelEngine<"speech"> {
  const client = new RemoteClient(server);
  return {
    description: {
      modelTask: "speech",
      engine: "remote",
      revision: `remote-${server.model}`,
      capabilities: { languages: ["*"], lowQuality: false, sampleRatesHz: [SAMPLE_RATE_HZ] },
    },
    async run(input, { signal }) {
      signal.throwIfAborted();
      const utterances: RecognizedUtterance[] = [];
      for (const utterance of input.utterances) utterances.push(...(await recognize(client, server.model, input, { utterance, signal })));
      return { language: mainLanguage(utterances), utterances, lowQuality: false };
    },
  };
}

async function recognize(
  client: RemoteClient,
  model: string,
  { audio, language, allowedLanguages }: SpeechInput,
  { utterance, signal }: { readonly utterance: Utterance; readonly signal: AbortSignal },
): Promise<readonly RecognizedUtterance[]> {
  const fromMs = Math.max(0, utterance.startMs - PADDING_MS);
  const samples = await readPcmRange(audio, fromMs, utterance.endMs + PADDING_MS);
  const wav = encodePcmWav(samples, audio.sampleRateHz);
  const [only] = allowedLanguages;
  const asked = language === "auto" ? (allowedLanguages.length === 1 ? only : undefined) : language;
  const form = (): FormData => {
    const data = new FormData();
    // The name tells nothing of the call.
    data.set("file", new Blob([new Uint8Array(wav)], { type: "audio/wav" }), "speech.wav");
    data.set("model", model);
    data.set("response_format", "verbose_json");
    data.append("timestamp_granularities[]", "word");
    data.append("timestamp_granularities[]", "segment");
    data.set("temperature", "0");
    if (asked !== undefined) data.set("language", asked);
    return data;
  };
  const parsed = answerSchema.safeParse(await client.post("audio/transcriptions", form, signal));
  if (!parsed.success) throw invalidAnswer();
  return toUtterances(parsed.data, { utterance, fromMs, language: asked ?? heardLanguage(parsed.data.language, allowedLanguages) });
}

function toUtterances(
  { text, words, segments }: Answer,
  { utterance, fromMs, language }: { readonly utterance: Utterance; readonly fromMs: number; readonly language: LanguageTag },
): readonly RecognizedUtterance[] {
  const clean = text
    .replace(/\p{Cc}+/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
  if (clean === "") return [];
  if (clean.length > ((utterance.endMs - utterance.startMs) / 1000) * MAX_CHARACTERS_PER_SECOND + SPARE_CHARACTERS) throw invalidAnswer();
  const told = words ?? segments?.flatMap((segment) => segment.words ?? []) ?? [];
  const scores = (segments ?? []).flatMap(({ avg_logprob: mean }) => (typeof mean === "number" ? [Math.exp(Math.min(0, mean))] : []));
  const score = scores.length === 0 ? null : scores.reduce((sum, value) => sum + value, 0) / scores.length;
  return [{ ...utterance, text: clean, language, score, words: placeWords(told, clean, { utterance, fromMs }) }];
}

/** Words that stand in the text, in order, within the utterance; none when the server's do not fit. */
function placeWords(
  told: readonly { readonly word: string; readonly start: number; readonly end: number }[],
  text: string,
  { utterance, fromMs }: { readonly utterance: Utterance; readonly fromMs: number },
): readonly TranscriptWord[] {
  const within = (second: number): number => Math.round(Math.min(utterance.endMs, Math.max(utterance.startMs, fromMs + second * 1000)));
  const placed: TranscriptWord[] = [];
  let searchFrom = 0;
  let lastMs: number = utterance.startMs;
  for (const { word, start, end } of told) {
    const bare = word.trim();
    const at = bare === "" ? -1 : text.indexOf(bare, searchFrom);
    const [startMs, endMs] = [Math.max(lastMs, within(start)), within(end)];
    if (at === -1 || endMs < startMs) return [];
    placed.push({ text: bare, startMs, endMs, score: null });
    searchFrom = at + bare.length;
    lastMs = startMs;
  }
  return placed;
}

/** Servers say `sw`, or `swahili`; what is not among the allowed is not believed. */
function heardLanguage(told: string | null | undefined, allowed: readonly LanguageTag[]): LanguageTag {
  const name = (told ?? "").toLowerCase();
  const english = new Intl.DisplayNames(["en"], { type: "language" });
  return allowed.find((tag) => tag === name || english.of(tag)?.toLowerCase() === name) ?? UNDETERMINED_LANGUAGE;
}

function mainLanguage(utterances: readonly RecognizedUtterance[]): LanguageTag {
  const spokenMs = new Map<LanguageTag, number>();
  for (const { language, startMs, endMs } of utterances) spokenMs.set(language, (spokenMs.get(language) ?? 0) + endMs - startMs);
  return [...spokenMs].sort(([, one], [, other]) => other - one)[0]?.[0] ?? UNDETERMINED_LANGUAGE;
}
