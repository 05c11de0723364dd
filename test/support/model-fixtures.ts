/** Tiny models with random weights, and what Python's transformers made of them (tools/model-fixtures). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface WhisperParityRun {
  readonly language: string;
  readonly task: "transcribe" | "translate";
  readonly return_timestamps?: boolean;
  readonly num_beams?: number;
  readonly prompt?: string;
  readonly tokens: readonly number[];
  readonly text: string;
}

export interface WhisperParity {
  readonly sound: { readonly seconds: number; readonly seed: number };
  readonly newTokens: number;
  readonly mel: readonly (readonly [number, number])[];
  readonly encoder: readonly (readonly [number, number])[];
  readonly prompt: readonly number[];
  readonly logits: readonly number[];
  readonly languages: Readonly<Record<string, number>>;
  readonly runs: readonly WhisperParityRun[];
  readonly shortWindow: { readonly positions: number; readonly encoder: readonly (readonly [number, number])[]; readonly tokens: readonly number[] };
  /** Seconds; of the tokens of the first run, and of the end. */
  readonly tokenTimes: readonly number[];
  readonly longForm: {
    readonly seconds: number;
    readonly seed: number;
    readonly segments: readonly { readonly start: number; readonly end: number; readonly tokens: readonly number[] }[];
  };
}

export const TRANSLATION_FIXTURES = ["translation-marian", "translation-m2m100", "translation-t5"] as const;
export const LABEL_FIXTURES = ["labels-wordpiece", "labels-unigram"] as const;
export const WHISPER_FIXTURES = ["whisper-merged", "whisper-attentions"] as const;

/** `MODEL_FIXTURES` names another directory, with weights of another seed: see tools/model-fixtures/README.md. */
export function modelFixture(name: string): string {
  return join(process.env["MODEL_FIXTURES"] ?? fileURLToPath(new URL("../fixtures/models", import.meta.url)), name);
}

export function whisperParity(name: string): WhisperParity {
  return JSON.parse(readFileSync(modelFixture(`${name}.parity.json`), "utf8")) as WhisperParity;
}

/** The sound of `sound()` in make_whisper_parity.py, sample for sample: 16 kHz, +-1. */
export function fixtureSound({ seconds, seed }: { readonly seconds: number; readonly seed: number }): Float32Array {
  let state = seed;
  let phase = 0;
  return Float32Array.from({ length: seconds * 16_000 }, (_, index) => {
    const block = Math.floor(index / 4_000);
    const period = 40 + ((block * 37 + seed * 11) % 160);
    phase = (phase + 1) % period;
    const triangle = Math.abs(2 * phase - period) * 2 - period;
    state = (Math.imul(1_103_515_245, state) + 12_345) & 0x7fffffff;
    const noise = ((state >> 16) % 2_001) - 1_000;
    const loudness = (block * 53 + seed) % 7;
    return (triangle * loudness * 10 + Math.floor((noise * (loudness + 1)) / 4)) / 32_768;
  });
}
