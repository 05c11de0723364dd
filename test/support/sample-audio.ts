/** Sample recordings and short clips of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeAlawWav } from "../../src/audio/wav.js";
import { ROOT } from "./source-tree.js";

export const SAMPLE_IDS = [
  "child-labour",
  "child-violence-home",
  "custody-maintenance",
  "early-marriage",
  "neighbour-neglect",
  "school-bullying",
  "silent-prank",
  "swahili-mixed",
] as const;

export interface ScriptSegment {
  readonly channel: "caller" | "agent";
  readonly text: string;
  readonly start_ms: number;
  readonly end_ms: number;
}

export interface Script {
  readonly voices: Readonly<Record<"caller" | "agent", { readonly voice: string }>>;
  readonly languages: readonly string[];
  readonly segments: readonly ScriptSegment[];
  readonly duration_ms: number;
}

export function samplePath(id: string, file: "call-16k.flac" | "call-8k-alaw.wav" | "script.json"): string {
  return join(ROOT, "samples", id, file);
}

export function readScript(id: string): Script {
  return JSON.parse(readFileSync(samplePath(id, "script.json"), "utf8")) as Script;
}

/** Stereo A-law, cut from a sample: a real recording that is analysed in a second or two. */
export function shortClip(id: string, seconds: number): Buffer {
  const wav = readFileSync(samplePath(id, "call-8k-alaw.wav"));
  const dataAt = wav.indexOf("data") + 8;
  return encodeAlawWav(wav.subarray(dataAt, dataAt + seconds * 16_000), { channelCount: 2, sampleRateHz: 8_000 });
}
