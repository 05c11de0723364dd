/**
 * Speech longer than a window: window after window, each from the last time mark of the one before, so that no word is
 * cut at an edge. The same walk as Hugging Face's `generate` with times.
 */
import { MEL_HOP_SAMPLES, MEL_SAMPLE_RATE_HZ } from "../../../audio/features/log-mel.js";
import { decodeWindow, isNoSpeech, type WindowRequest, type WindowText } from "./decode-window.js";
import type { WhisperModel } from "./whisper-model.js";
import { TIME_STEP_MS } from "./whisper-vocabulary.js";

const FRAME_MS = (MEL_HOP_SAMPLES * 1000) / MEL_SAMPLE_RATE_HZ;
const FRAMES_PER_STEP = TIME_STEP_MS / FRAME_MS;

/** A piece of text between two time marks; milliseconds from the beginning of the speech. */
export interface TimedTokens {
  readonly startMs: number;
  readonly endMs: number;
  /** With its time marks. */
  readonly tokens: readonly number[];
  readonly logProbabilities: readonly number[];
}

/** @param samples - mono, 16 kHz, +-1, of any length */
export async function decodeLong(model: WhisperModel, samples: Float32Array, request: Omit<WindowRequest, "withTimes">): Promise<readonly TimedTokens[]> {
  const frameCount = Math.floor(samples.length / MEL_HOP_SAMPLES);
  const features = model.features(samples, frameCount);
  const found: TimedTokens[] = [];
  for (let frame = 0; frame < frameCount; ) {
    const length = Math.min(model.windowFrames, frameCount - frame);
    const states = await model.encode([cutFeatures(features, { frame, length, frameCount, windowFrames: model.windowFrames })]);
    const window = await decodeWindow(model, states, { ...request, withTimes: true });
    const { pieces, advance } = splitAtTimes(model, window, { startMs: frame * FRAME_MS, length });
    if (!isNoSpeech(window)) found.push(...pieces);
    frame += advance;
  }
  return found;
}

function cutFeatures(
  features: Float32Array,
  { frame, length, frameCount, windowFrames }: { readonly frame: number; readonly length: number; readonly frameCount: number; readonly windowFrames: number },
): Float32Array {
  const bands = features.length / frameCount;
  const window = new Float32Array(bands * windowFrames);
  for (let band = 0; band < bands; band++) {
    window.set(features.subarray(band * frameCount + frame, band * frameCount + frame + length), band * windowFrames);
  }
  return window;
}

/** Pieces between pairs of marks; what stands after the last pair is heard again in the next window. */
function splitAtTimes(
  { settings: { vocabulary } }: WhisperModel,
  { tokens, logProbabilities }: WindowText,
  { startMs, length }: { readonly startMs: number; readonly length: number },
): { readonly pieces: readonly TimedTokens[]; readonly advance: number } {
  const isTime = (index: number): boolean => vocabulary.isTime(tokens[index] ?? -1);
  const timeMs = (index: number): number => vocabulary.timeMs(tokens[index] ?? 0);
  const piece = (from: number, to: number, fromMs: number, toMs: number): TimedTokens => ({
    ...{ startMs: startMs + fromMs, endMs: startMs + toMs },
    ...{ tokens: tokens.slice(from, to), logProbabilities: logProbabilities.slice(from, to) },
  });
  const cuts = tokens.flatMap((_, index) => (index > 0 && isTime(index) && isTime(index - 1) ? [index] : []));
  const endsWithTime = tokens.length > 1 && isTime(tokens.length - 1) && !isTime(tokens.length - 2);
  if (cuts.length === 0) {
    const lastTime = tokens.findLastIndex((_, index) => isTime(index));
    const endMs = lastTime !== -1 && timeMs(lastTime) > 0 ? timeMs(lastTime) : (length / FRAMES_PER_STEP) * TIME_STEP_MS;
    return { pieces: tokens.length === 0 ? [] : [piece(0, tokens.length, 0, endMs)], advance: length };
  }
  if (endsWithTime) cuts.push(tokens.length);
  const pieces = cuts.map((cut, index) => {
    const from = cuts[index - 1] ?? 0;
    return piece(from, cut, timeMs(from), timeMs(cut - 1));
  });
  const lastMs = timeMs((cuts.at(-1) ?? 1) - 1);
  return { pieces, advance: endsWithTime ? length : Math.max(FRAMES_PER_STEP, lastMs / FRAME_MS) };
}
