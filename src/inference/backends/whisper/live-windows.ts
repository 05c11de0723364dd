/**
 * Windows of calls that run, heard together: one run of the encoder for all of a similar length, and one run of the decoder for
 * each step of all of them.
 */
import type { LanguageTag } from "../../../core/language.js";
import type { SpeechInput, SpeechOutput } from "../../speech-recognizer.js";
import { decodeTogether, detectLanguages, isNoSpeech, timeTokens, type WindowRequest, type WindowText } from "./decode-window.js";
import { toUtterances } from "./heard-text.js";
import { SpokenLanguage } from "./spoken-language.js";
import { readUtterance, type UtteranceSound } from "./utterance-sound.js";
import { FRAMES_PER_POSITION, type WhisperModel } from "./whisper-model.js";
import { TIME_STEP_MS } from "./whisper-vocabulary.js";

/** A window that is shorter than this share of the longest is heard by itself: padding it up would cost more. */
const LEAST_SHARE = 0.6;
/**
 * AlignAtt: a token for which the decoder listened this close to the end of the sound may become another once more is heard.
 *
 * @see Papi et al. 2023, "AlignAtt: Using Attention-based Audio-Translation Alignments as a Guide for Simultaneous Speech Translation"
 */
const UNSURE_END_MS = 300;

/** One utterance of a call that runs. */
export interface LiveWindow {
  readonly sound: UtteranceSound;
  readonly allowed: readonly LanguageTag[];
  readonly signal: AbortSignal;
}

export interface LiveWindowOptions {
  /** Positions of silence after the longest: too few and words are said twice. */
  readonly margin: number;
  /** Tokens of words to expect. */
  readonly glossary: readonly number[];
}

export async function readLiveWindow(input: SpeechInput, allowed: readonly LanguageTag[], signal: AbortSignal): Promise<LiveWindow | undefined> {
  const [utterance, ...others] = input.utterances;
  if (!("samples" in input.audio) || utterance === undefined || others.length > 0) return undefined;
  const sound = await readUtterance(input.audio, utterance);
  return sound.isWindow ? { sound, allowed, signal } : undefined;
}

/** In order; each as it would be alone, but for the padding to a common length. @throws a signal's reason once all are aborted */
export async function hearLiveWindows(model: WhisperModel, windows: readonly LiveWindow[], options: LiveWindowOptions): Promise<readonly SpeechOutput[]> {
  const outputs = new Map<LiveWindow, SpeechOutput>();
  for (const group of groupByLength(windows)) {
    const heard = await hearGroup(model, group, options);
    for (const [index, window] of group.entries()) outputs.set(window, heard[index] ?? NOTHING);
  }
  return windows.map((window) => outputs.get(window) ?? NOTHING);
}

const NOTHING: SpeechOutput = { language: "und", utterances: [], lowQuality: false };

/** Longest first. */
export function groupByLength(windows: readonly LiveWindow[]): readonly (readonly LiveWindow[])[] {
  const groups: LiveWindow[][] = [];
  for (const window of [...windows].sort((one, other) => other.sound.positions - one.sound.positions)) {
    const last = groups.at(-1);
    const longest = last?.[0]?.sound.positions ?? 0;
    if (last !== undefined && window.sound.positions >= longest * LEAST_SHARE) last.push(window);
    else groups.push([window]);
  }
  return groups;
}

async function hearGroup(model: WhisperModel, group: readonly LiveWindow[], { margin, glossary }: LiveWindowOptions): Promise<readonly SpeechOutput[]> {
  const signal = abortedWithAll(group.map((window) => window.signal));
  signal.throwIfAborted();
  const positions = model.positionsFor(Math.max(...group.map(({ sound }) => sound.samples.length)), margin);
  const states = await model.encode(
    group.map(({ sound }) => model.features(sound.samples, FRAMES_PER_POSITION * positions)),
    positions,
  );
  const spoken = group.map(({ allowed }) => new SpokenLanguage(allowed));
  const likely = spoken.every(({ isSettled }) => isSettled)
    ? []
    : await detectLanguages(
        model,
        states,
        group.map(({ allowed }) => allowed),
      );
  const languages = group.map(({ sound }, row) => spoken[row]?.choose(likely[row] ?? new Map(), sound.lengthMs) ?? "und");
  const requests = group.map(
    ({ sound }, row): WindowRequest => ({
      ...{ language: languages[row] ?? "und", task: "transcribe", withTimes: false, beamCount: 1, prompt: glossary },
      ...{ maxTokens: sound.maxTokens, temperatures: [0], signal },
    }),
  );
  const texts = await decodeTogether(model, states, requests);
  const outputs: SpeechOutput[] = [];
  for (const [row, { sound }] of group.entries()) {
    const [text, language = "und"] = [texts[row], languages[row]];
    outputs.push({ language, lowQuality: false, utterances: text === undefined ? [] : await toHeard(model, states, { row, sound, text, language }) });
  }
  return outputs;
}

async function toHeard(
  model: WhisperModel,
  states: Parameters<typeof timeTokens>[1],
  { row, sound, text, language }: { readonly row: number; readonly sound: UtteranceSound; readonly text: WindowText; readonly language: LanguageTag },
): Promise<SpeechOutput["utterances"]> {
  if (isNoSpeech(text)) return [];
  const times = await timeTokens(model, states, text, { row, positions: sound.positions });
  if (times === undefined) return toUtterances(model.settings.vocabulary, [{ ...text, ...sound.utterance }], language);
  const unsureFromMs = sound.positions * TIME_STEP_MS - UNSURE_END_MS;
  const unsure = times.attendedMs.findIndex((ms) => ms >= unsureFromMs);
  const piece = {
    ...{ ...text, ...sound.utterance },
    tokenMs: times.startMs.map((ms) => sound.fromMs + ms),
    steadyTokens: unsure === -1 ? text.tokens.length : unsure,
  };
  return toUtterances(model.settings.vocabulary, [piece], language);
}

/** Aborted when nobody waits any more; with the first one's reason. */
function abortedWithAll(signals: readonly AbortSignal[]): AbortSignal {
  const [only] = signals;
  if (signals.length === 1 && only !== undefined) return only;
  const all = new AbortController();
  const look = (): void => {
    if (signals.every(({ aborted }) => aborted)) all.abort(only?.reason);
  };
  for (const signal of signals) signal.addEventListener("abort", look, { signal: all.signal });
  look();
  return all.signal;
}
