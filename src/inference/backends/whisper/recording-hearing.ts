/** The utterances of one channel of a recording, one after the other: heard as the model was trained, each with what was said before. */
import type { LanguageTag } from "../../../core/language.js";
import type { RecognizedUtterance, SpeechInput, Utterance } from "../../speech-recognizer.js";
import { decodeWindow, detectLanguages, isDoubtful, isNoSpeech, timeTokens, type WindowRequest } from "./decode-window.js";
import { toUtterances } from "./heard-text.js";
import { decodeLong } from "./long-form.js";
import { SpokenLanguage } from "./spoken-language.js";
import { readUtterance, type UtteranceSound } from "./utterance-sound.js";
import { FRAMES_PER_POSITION, type WhisperModel } from "./whisper-model.js";

const TEMPERATURES = [0, 0.2, 0.4, 0.6, 0.8, 1] as const;
/** Tokens of what was said before that go with an utterance. */
const MAX_PREVIOUS_TOKENS = 64;
/** Longer ago it was about something else. */
const MAX_PREVIOUS_GAP_MS = 30_000;

export interface RecordingHearingOptions {
  /** Tokens of words to expect. */
  readonly glossary: readonly number[];
  readonly withPreviousText: boolean;
}

export class RecordingHearing {
  readonly #model: WhisperModel;
  readonly #input: SpeechInput;
  readonly #spoken: SpokenLanguage;
  readonly #options: RecordingHearingOptions;
  readonly #signal: AbortSignal;
  #previous: { readonly tokens: readonly number[]; readonly endMs: number } | undefined;

  constructor(model: WhisperModel, input: SpeechInput, allowed: readonly LanguageTag[], options: RecordingHearingOptions & { readonly signal: AbortSignal }) {
    this.#model = model;
    this.#input = input;
    this.#spoken = new SpokenLanguage(allowed);
    this.#options = options;
    this.#signal = options.signal;
  }

  get language(): LanguageTag {
    return this.#spoken.mostSpoken;
  }

  async hear(utterance: Utterance): Promise<readonly RecognizedUtterance[]> {
    const sound = await readUtterance(this.#input.audio, utterance);
    const positions = this.#model.settings.sourcePositions;
    const states = await this.#model.encode([this.#model.features(sound.samples, FRAMES_PER_POSITION * positions)], positions);
    const likely = this.#spoken.isSettled ? [] : await detectLanguages(this.#model, states, [this.#spoken.allowed]);
    const language = this.#spoken.choose(likely[0] ?? new Map(), sound.lengthMs);
    const request: Omit<WindowRequest, "withTimes"> = {
      ...{ language, task: "transcribe", beamCount: 1, prompt: this.#prompt(utterance.startMs), signal: this.#signal },
      ...{ maxTokens: sound.maxTokens, temperatures: TEMPERATURES },
    };
    return sound.isWindow ? this.#hearWindow(sound, states, { ...request, withTimes: false }) : this.#hearLong(sound, request);
  }

  async #hearWindow(sound: UtteranceSound, states: Parameters<typeof timeTokens>[1], request: WindowRequest): Promise<readonly RecognizedUtterance[]> {
    const window = await decodeWindow(this.#model, states, request);
    if (isNoSpeech(window)) return [];
    // What is doubtful itself, or goes round and round, must not lead the next one on.
    this.#previous = isDoubtful(window) ? undefined : { tokens: window.tokens, endMs: sound.utterance.endMs };
    const times = await timeTokens(this.#model, states, window, { row: 0, positions: sound.positions });
    const placed = times === undefined ? {} : { tokenMs: times.startMs.map((ms) => sound.fromMs + ms) };
    return toUtterances(this.#model.settings.vocabulary, [{ ...window, ...sound.utterance, ...placed }], request.language);
  }

  async #hearLong({ utterance, samples, fromMs }: UtteranceSound, request: Omit<WindowRequest, "withTimes">): Promise<readonly RecognizedUtterance[]> {
    const pieces = await decodeLong(this.#model, samples, request);
    this.#previous = undefined;
    // A model may set a mark beyond the sound, or two in the wrong order.
    const placed = pieces.map((piece) => {
      const [startMs, endMs] = [fromMs + piece.startMs, Math.min(utterance.endMs, fromMs + piece.endMs)];
      return startMs < endMs ? { ...piece, startMs: Math.max(utterance.startMs, startMs), endMs } : { ...piece, ...utterance };
    });
    return toUtterances(this.#model.settings.vocabulary, placed, request.language);
  }

  /** Words to expect, then what was said last. */
  #prompt(startMs: number): readonly number[] {
    const { glossary, withPreviousText } = this.#options;
    const previous = this.#previous;
    if (!withPreviousText || previous === undefined || startMs - previous.endMs > MAX_PREVIOUS_GAP_MS) return glossary;
    return [...glossary, ...previous.tokens.slice(-MAX_PREVIOUS_TOKENS)];
  }
}
