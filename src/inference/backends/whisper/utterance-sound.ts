/** The sound of an utterance as Whisper takes it, and how much text can be in it. */
import { MEL_HOP_SAMPLES, MEL_SAMPLE_RATE_HZ } from "../../../audio/features/log-mel.js";
import { readPcmRange } from "../../pcm-blocks.js";
import type { PcmSource, Utterance } from "../../speech-recognizer.js";
import { FRAMES_PER_POSITION } from "./whisper-model.js";

/** Sound around an utterance goes with it, so that no first sound is lost. */
const PADDING_MS = 100;
/** A window is 30 s; what is longer is gone through by its time marks. */
const MAX_WINDOW_MS = 30_000;
/** Nobody says more: a text that goes on and on is cut here. */
const MAX_TOKENS_PER_SECOND = 16;
const SPARE_TOKENS = 16;

export interface UtteranceSound {
  readonly utterance: Utterance;
  readonly lengthMs: number;
  /** Mono, 16 kHz, +-1; begins at `fromMs` of the source. */
  readonly samples: Float32Array;
  readonly fromMs: number;
  readonly maxTokens: number;
  /** It fits into one window. */
  readonly isWindow: boolean;
  /** Encoder positions that hold sound. */
  readonly positions: number;
}

export async function readUtterance(audio: PcmSource, utterance: Utterance): Promise<UtteranceSound> {
  const fromMs = Math.max(0, utterance.startMs - PADDING_MS);
  const pcm = await readPcmRange(audio, fromMs, utterance.endMs + PADDING_MS);
  const lengthMs = utterance.endMs - utterance.startMs;
  return {
    ...{ utterance, lengthMs, fromMs },
    samples: Float32Array.from(pcm, (sample) => sample / 32_768),
    maxTokens: Math.ceil((Math.min(lengthMs, MAX_WINDOW_MS) / 1000) * MAX_TOKENS_PER_SECOND) + SPARE_TOKENS,
    isWindow: (pcm.length * 1000) / MEL_SAMPLE_RATE_HZ <= MAX_WINDOW_MS,
    positions: Math.ceil(pcm.length / (MEL_HOP_SAMPLES * FRAMES_PER_POSITION)),
  };
}
