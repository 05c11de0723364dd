/** Decoding by the system's ffmpeg: told what the file is by us, kept from networks, playlists and other files. */
import { AppError } from "../core/errors.js";
import type { Container } from "./container.js";
import { runProgram } from "./program.js";

/** What ffmpeg calls each container; forcing it keeps its own guessing (playlists, concat scripts) out. */
const DEMUXERS: Readonly<Record<Container, string>> = {
  wav: "wav",
  flac: "flac",
  mp3: "mp3",
  ogg: "ogg",
  mp4: "mov",
  webm: "matroska",
  amr: "amr",
  aac: "aac",
};

/** In float: with 16-bit samples inside, soxr adds noise that differs from run to run, and so would the words. */
const RESAMPLER = "aresample=resampler=soxr:internal_sample_fmt=fltp";

export interface FfmpegSource {
  readonly path: string;
  readonly container: Container;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export interface AudioFormat {
  readonly channelCount: number;
  readonly sampleRateHz: number;
  /** As the container says; null when it does not. */
  readonly declaredDurationMs: number | null;
}

const inputArguments = (source: FfmpegSource): string[] => ["-protocol_whitelist", "file,pipe", "-f", DEMUXERS[source.container], "-i", `file:${source.path}`];

/** @throws AppError `AUDIO_CORRUPT` when no audio stream can be found. */
export async function probeWithFfmpeg(source: FfmpegSource): Promise<AudioFormat> {
  const fields = "stream=channels,sample_rate,duration:format=duration";
  const result = await runProgram(
    "ffprobe",
    ["-v", "error", "-select_streams", "a:0", "-show_entries", fields, "-of", "json", ...inputArguments(source)],
    source,
  );
  const stream = parseProbe(result.stdout);
  if (stream === undefined) throw unreadable(result.isTimedOut);
  return stream;
}

function parseProbe(json: string): AudioFormat | undefined {
  try {
    const probe = JSON.parse(json) as { streams?: { channels?: number; sample_rate?: string; duration?: string }[]; format?: { duration?: string } };
    const stream = probe.streams?.[0];
    const sampleRateHz = Number(stream?.sample_rate);
    if (stream?.channels === undefined || !(sampleRateHz > 0)) return undefined;
    const seconds = Number(stream.duration ?? probe.format?.duration);
    return { channelCount: stream.channels, sampleRateHz, declaredDurationMs: Number.isFinite(seconds) ? Math.round(seconds * 1000) : null };
  } catch {
    return undefined;
  }
}

/**
 * Decodes to interleaved s16le at 16 kHz in `outputPath`, all channels kept.
 *
 * @returns how many warnings the decoder printed: more than none means damaged audio.
 * @throws AppError `AUDIO_DECODE_TIMEOUT`, `AUDIO_CORRUPT`
 */
export async function decodeWithFfmpeg(
  source: FfmpegSource,
  output: { readonly path: string; readonly sampleRateHz: number; readonly maxDurationMs: number },
): Promise<{ readonly isDamaged: boolean }> {
  const result = await runProgram(
    "ffmpeg",
    [
      ...["-nostdin", "-hide_banner", "-v", "error", "-threads", "1"],
      ...inputArguments(source),
      ...["-map", "0:a:0", "-vn", "-af", RESAMPLER, "-ar", String(output.sampleRateHz)],
      // One second over the limit, so that the caller can tell "too long" from "just fits".
      ...["-t", String(output.maxDurationMs / 1000 + 1), "-c:a", "pcm_s16le", "-f", "s16le", "-y", `file:${output.path}`],
    ],
    source,
  );
  if (result.isTimedOut) throw unreadable(true);
  if (result.stderr.includes("No space left on device")) throw diskFull();
  if (result.exitCode !== 0) throw unreadable(false, new Error(result.stderr));
  return { isDamaged: result.stderr !== "" };
}

/** Of a recording that can't be decoded, or took too long. */
export function unreadable(isTimedOut: boolean, cause?: unknown): AppError {
  return isTimedOut
    ? new AppError("AUDIO_DECODE_TIMEOUT", "Decoding the recording took too long and was stopped; it may be damaged. Export it again and retry.")
    : new AppError("AUDIO_CORRUPT", "The recording can't be decoded: it holds no readable audio. Export it again and retry.", { cause });
}

/** There was no room to decode: nothing is wrong with the recording. */
export function diskFull(cause?: unknown): AppError {
  return new AppError("STORAGE_FULL", "The disk is full: free space in the data directory; the work is tried again.", { retryable: true, cause });
}
