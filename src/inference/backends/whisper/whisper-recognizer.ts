/** The `speech` engine on a Whisper model that is installed: each utterance is a window of its own. */
import { MEL_HOP_SAMPLES, MEL_SAMPLE_RATE_HZ } from "../../../audio/features/log-mel.js";
import { AppError } from "../../../core/errors.js";
import { type LanguageTag, UNDETERMINED_LANGUAGE } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import { readPcmRange } from "../../pcm-blocks.js";
import type { RecognizedUtterance, SpeechInput, Utterance } from "../../speech-recognizer.js";
import { LazyModel } from "../onnx/lazy-model.js";
import { decodeWindow, detectLanguage, isNoSpeech, timeTokens, type WindowRequest } from "./decode-window.js";
import { decodeLong } from "./long-form.js";
import { FRAMES_PER_POSITION, WhisperModel, type WhisperModelOptions } from "./whisper-model.js";
import { readWhisperSettings } from "./whisper-settings.js";
import { groupWords, placeWords, spreadWords } from "./word-grouping.js";

/** Sound around an utterance goes with it, so that no first sound is lost. */
const PADDING_MS = 100;
/** A window is 30 s; what is longer is gone through by its time marks. */
const MAX_WINDOW_MS = 30_000;
/** Nobody says more: a text that goes on and on is cut here. */
const MAX_TOKENS_PER_SECOND = 16;
const SPARE_TOKENS = 16;
/** Speech shorter than this does not tell its language alone: what the call spoke before counts as well. */
const TELLING_MS = 3_000;
/** For recordings. Live windows are heard once: their text is looked at again anyway. */
const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1] as const;

export interface WhisperRecognizerOptions extends WhisperModelOptions {
  readonly id: string;
  /** Positions of silence, 20 ms each, after the speech of a live window: too few and words are said twice. */
  readonly windowMargin: number;
  /** Names the model and its weights in results. */
  readonly revision: string;
}

/** Reads the model's settings; its weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createWhisperRecognizer(options: WhisperRecognizerOptions): Promise<ModelEngine<"speech">> {
  const { vocabulary } = await readWhisperSettings(options.directory);
  const languages = vocabulary.languageIds.size === 0 ? ["en"] : [...vocabulary.languageIds.keys()];
  const lazy = new LazyModel(() => WhisperModel.open(options));
  return {
    description: {
      modelTask: "speech",
      engine: `whisper:${options.id}`,
      revision: options.revision,
      capabilities: { languages, lowQuality: false, sampleRatesHz: [MEL_SAMPLE_RATE_HZ] },
    },
    async run(input, { signal }) {
      const allowed = allowedLanguages(input, languages);
      const model = await lazy.load();
      signal.throwIfAborted();
      const hearing = new Hearing({ model, margin: options.windowMargin }, input, allowed, signal);
      const utterances: RecognizedUtterance[] = [];
      for (const utterance of input.utterances) utterances.push(...(await hearing.hear(utterance)));
      return { language: hearing.language, utterances, lowQuality: false };
    },
    close: () => lazy.close(),
  };
}

/** @throws AppError `MODEL_NOT_READY` for a language this model does not know */
function allowedLanguages({ language, allowedLanguages: asked }: SpeechInput, known: readonly LanguageTag[]): readonly LanguageTag[] {
  const wanted = language === "auto" ? asked : [language];
  const allowed = wanted.filter((tag) => known.includes(tag));
  if (allowed.length > 0) return allowed;
  throw new AppError("MODEL_NOT_READY", `The installed Whisper model does not know ${wanted.join(", ")}; choose a language it knows, or another model.`);
}

/** Text of a stretch of the call. */
interface HeardPiece {
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
  /** When each token begins and the last ends; absent when the model does not tell. */
  readonly tokenMs?: readonly number[];
}

class Hearing {
  readonly #model: WhisperModel;
  readonly #margin: number;
  readonly #input: SpeechInput;
  readonly #allowed: readonly LanguageTag[];
  readonly #signal: AbortSignal;
  /** How likely each language is on this channel so far, by milliseconds of speech. */
  readonly #heardMs = new Map<LanguageTag, number>();

  constructor(
    { model, margin }: { readonly model: WhisperModel; readonly margin: number },
    input: SpeechInput,
    allowed: readonly LanguageTag[],
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#margin = margin;
    this.#input = input;
    this.#allowed = allowed;
    this.#signal = signal;
  }

  /** The one spoken longest. */
  get language(): LanguageTag {
    const [first] = [...this.#heardMs].sort(([, one], [, other]) => other - one);
    return first?.[0] ?? (this.#allowed.length === 1 ? (this.#allowed[0] ?? UNDETERMINED_LANGUAGE) : UNDETERMINED_LANGUAGE);
  }

  async hear(utterance: Utterance): Promise<readonly RecognizedUtterance[]> {
    const fromMs = Math.max(0, utterance.startMs - PADDING_MS);
    const pcm = await readPcmRange(this.#input.audio, fromMs, utterance.endMs + PADDING_MS);
    const samples = Float32Array.from(pcm, (sample) => sample / 32_768);
    const lengthMs = utterance.endMs - utterance.startMs;
    // A recording is heard as the model was trained; a call that runs is heard soon.
    const isLive = "samples" in this.#input.audio;
    const positions = isLive ? this.#model.positionsFor(samples.length, this.#margin) : this.#model.settings.sourcePositions;
    const states = await this.#model.encode([this.#model.features(samples, FRAMES_PER_POSITION * positions)], positions);
    const language = await this.#languageOf(states, lengthMs);
    const request: Omit<WindowRequest, "withTimes"> = {
      ...{ language, task: "transcribe", beamCount: 1, prompt: [], signal: this.#signal },
      maxTokens: Math.ceil((Math.min(lengthMs, MAX_WINDOW_MS) / 1000) * MAX_TOKENS_PER_SECOND) + SPARE_TOKENS,
      temperatures: isLive ? [0] : TEMPERATURES,
    };
    if ((samples.length * 1000) / MEL_SAMPLE_RATE_HZ <= MAX_WINDOW_MS) {
      const window = await decodeWindow(this.#model, states, { ...request, withTimes: false });
      if (isNoSpeech(window)) return [];
      const heard = Math.ceil(samples.length / (MEL_HOP_SAMPLES * FRAMES_PER_POSITION));
      const times = await timeTokens(this.#model, states, window, heard);
      const tokenMs = times?.map((ms) => fromMs + ms);
      return this.#toUtterances([{ ...window, ...utterance, ...(tokenMs === undefined ? {} : { tokenMs }) }], language);
    }
    const pieces = await decodeLong(this.#model, samples, request);
    return this.#toUtterances(
      // A model may set a mark beyond the sound, or two in the wrong order.
      pieces.flatMap((piece) => {
        const [startMs, endMs] = [fromMs + piece.startMs, Math.min(utterance.endMs, fromMs + piece.endMs)];
        return startMs < endMs ? [{ ...piece, startMs: Math.max(utterance.startMs, startMs), endMs }] : [{ ...piece, ...utterance }];
      }),
      language,
    );
  }

  #toUtterances(pieces: readonly HeardPiece[], language: LanguageTag): readonly RecognizedUtterance[] {
    return pieces.flatMap(({ startMs, endMs, tokenMs, ...run }) => {
      const words = groupWords(this.#model.settings.vocabulary, run);
      if (words.length === 0) return [];
      const mean = run.logProbabilities.reduce((sum, value) => sum + value, 0) / run.logProbabilities.length;
      const text = words.map((word) => word.text).join(" ");
      return [
        {
          startMs,
          endMs,
          text,
          language,
          score: Math.exp(mean),
          words: tokenMs === undefined ? spreadWords(words, { startMs, endMs }) : placeWords(words, tokenMs, { startMs, endMs }),
        },
      ];
    });
  }

  async #languageOf(states: Parameters<typeof detectLanguage>[1], lengthMs: number): Promise<LanguageTag> {
    const [only] = this.#allowed;
    if (this.#allowed.length === 1 && only !== undefined) return this.#note(only, lengthMs);
    const likely = await detectLanguage(this.#model, states, this.#allowed);
    const totalMs = [...this.#heardMs.values()].reduce((sum, ms) => sum + ms, 0);
    const ownWeight = totalMs === 0 ? 1 : Math.min(1, lengthMs / TELLING_MS);
    const belief = (tag: LanguageTag): number => ownWeight * (likely.get(tag) ?? 0) + (1 - ownWeight) * ((this.#heardMs.get(tag) ?? 0) / Math.max(1, totalMs));
    return this.#note([...this.#allowed].sort((one, other) => belief(other) - belief(one))[0] ?? UNDETERMINED_LANGUAGE, lengthMs);
  }

  #note(language: LanguageTag, lengthMs: number): LanguageTag {
    this.#heardMs.set(language, (this.#heardMs.get(language) ?? 0) + lengthMs);
    return language;
  }
}
