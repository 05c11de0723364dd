/** The `speech` engine on a Whisper model that is installed: each utterance is a window of its own. */
import { MEL_SAMPLE_RATE_HZ } from "../../../audio/features/log-mel.js";
import { AppError } from "../../../core/errors.js";
import type { LanguageTag } from "../../../core/language.js";
import type { ModelEngine } from "../../model-engine.js";
import type { RecognizedUtterance, SpeechInput, SpeechOutput } from "../../speech-recognizer.js";
import { LazyModel, type ModelFilesOptions } from "../onnx/lazy-model.js";
import { hearLiveWindows, type LiveWindow, readLiveWindow } from "./live-windows.js";
import { RecordingHearing } from "./recording-hearing.js";
import { WhisperModel } from "./whisper-model.js";
import { readWhisperSettings } from "./whisper-settings.js";

/** Windows of calls that run in one batch. */
const BATCH_WINDOWS = 8;
/** Of words to expect; the rest of the prompt is for what was said before. */
const MAX_GLOSSARY_TOKENS = 100;

export interface WhisperRecognizerOptions extends ModelFilesOptions {
  readonly id: string;
  /** Positions of silence, 20 ms each, after the speech of a live window: too few and words are said twice. */
  readonly windowMargin: number;
  /** Names the model and its weights in results. */
  readonly revision: string;
  /** Words and names to expect, such as places and organisations; the first ones count when they are too many. */
  readonly glossary?: readonly string[];
  /** Utterances of a recording are heard with what was said before them. Default true. */
  readonly withPreviousText?: boolean;
}

/** Reads the model's settings; its weights are loaded when first used. @throws AppError `MODEL_FILES_INVALID` */
export async function createWhisperRecognizer(options: WhisperRecognizerOptions): Promise<ModelEngine<"speech">> {
  const { vocabulary } = await readWhisperSettings(options.directory);
  const languages = vocabulary.languageIds.size === 0 ? ["en"] : [...vocabulary.languageIds.keys()];
  const { glossary: terms = [], withPreviousText = true, windowMargin: margin } = options;
  const glossary = terms.length === 0 ? [] : vocabulary.encode(` ${terms.join(", ")}.`).slice(0, MAX_GLOSSARY_TOKENS);
  const lazy = new LazyModel(() => WhisperModel.open(options), options);

  const hearRecording = (input: SpeechInput, allowed: readonly LanguageTag[], signal: AbortSignal): Promise<SpeechOutput> =>
    lazy.use(async (model) => {
      signal.throwIfAborted();
      const hearing = new RecordingHearing(model, input, allowed, { glossary, withPreviousText, signal });
      const utterances: RecognizedUtterance[] = [];
      for (const utterance of input.utterances) utterances.push(...(await hearing.hear(utterance)));
      return { language: hearing.language, utterances, lowQuality: false };
    });
  const hearLive = async (windows: readonly LiveWindow[]): Promise<readonly SpeechOutput[]> =>
    windows.length === 0 ? [] : lazy.use((model) => hearLiveWindows(model, windows, { margin, glossary }));
  const run = async (input: SpeechInput, signal: AbortSignal): Promise<SpeechOutput> => {
    signal.throwIfAborted();
    const allowed = allowedLanguages(input, languages);
    const window = await readLiveWindow(input, allowed, signal);
    const [heard] = window === undefined ? [] : await hearLive([window]);
    return heard ?? hearRecording(input, allowed, signal);
  };

  return {
    description: {
      modelTask: "speech",
      engine: `whisper:${options.id}`,
      revision: options.revision,
      capabilities: {
        languages,
        lowQuality: false,
        sampleRatesHz: [MEL_SAMPLE_RATE_HZ],
        batchSize: BATCH_WINDOWS,
        ...(options.kept === undefined ? {} : { weightBytes: options.kept.weightBytes }),
      },
    },
    run: (input, { signal }) => run(input, signal),
    async runTogether(inputs, { signals }) {
      const windows = await Promise.allSettled(
        inputs.map(async (input, index) => readLiveWindow(input, allowedLanguages(input, languages), signals[index] ?? new AbortController().signal)),
      );
      const together = windows.flatMap((window) => (window.status === "fulfilled" && window.value !== undefined ? [window.value] : []));
      const heard = await hearLive(together);
      return Promise.allSettled(
        windows.map(async (window, index) => {
          if (window.status === "rejected") throw window.reason;
          const output = window.value === undefined ? undefined : heard[together.indexOf(window.value)];
          return output ?? run(inputs[index] as SpeechInput, signals[index] ?? new AbortController().signal);
        }),
      );
    },
    load: () => lazy.use(async () => {}),
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
