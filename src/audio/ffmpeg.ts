/** Decoding by the system's ffmpeg: told what the file is by us, kept from networks, playlists and other files. */
import { AppError } from "../core/errors.js";
import { type Container, isRawFormat, RAW_SAMPLE_RATES_HZ } from "./container.js";
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
  gsm: "gsm",
  slin: "s16le",
  slin16: "s16le",
  ulaw: "mulaw",
  alaw: "alaw",
};

/** Outside of these a file was not made by anything that records speech. */
export const MIN_SAMPLE_RATE_HZ = 1_000;
export const MAX_SAMPLE_RATE_HZ = 768_000;

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

/** Address space of one decoder; it works in constant memory, and a file that makes it want more is not a recording. */
const MEMORY_BYTES = 2 * 1024 ** 3;
/** A recording is analysed in 16-bit samples at 16 kHz; ffmpeg gets some room on top. */
const OUTPUT_BYTES_PER_MS = 32;
const OUTPUT_MARGIN_BYTES = 16 * 1024 ** 2;

function inputArguments({ container, path }: FfmpegSource): string[] {
  const rate = isRawFormat(container) && container !== "gsm" ? ["-sample_rate", String(RAW_SAMPLE_RATES_HZ[container])] : [];
  return ["-protocol_whitelist", "file,pipe", "-f", DEMUXERS[container], ...rate, "-i", `file:${path}`];
}

function limited(source: FfmpegSource, outputBytes: number) {
  return { signal: source.signal, timeoutMs: source.timeoutMs, limits: { memoryBytes: MEMORY_BYTES, fileBytes: outputBytes + OUTPUT_MARGIN_BYTES } };
}

/** @throws AppError `AUDIO_CORRUPT` when no audio stream can be found. */
export async function probeWithFfmpeg(source: FfmpegSource): Promise<AudioFormat> {
  const fields = "stream=channels,sample_rate,duration:format=duration";
  const result = await runProgram(
    "ffprobe",
    ["-v", "error", "-select_streams", "a:0", "-show_entries", fields, "-of", "json", ...inputArguments(source)],
    limited(source, 0),
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
  output: { readonly path: string; readonly sampleRateHz: number; readonly channelCount: number; readonly maxDurationMs: number },
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
    limited(source, (output.maxDurationMs + 1_000) * OUTPUT_BYTES_PER_MS * output.channelCount),
  );
  if (result.isTimedOut) throw unreadable(true);
  if (result.stderr.includes("No space left on device")) throw diskFull();
  if (result.exitCode !== 0) throw unreadable(false, new Error(result.stderr));
  return { isDamaged: result.stderr !== "" };
}

/** Bits a second of each channel: speech is clear at this, and an hour is 11 MB. */
const PLAYBACK_BITRATE = 24_000;

/**
 * Encodes for playing in a browser: Opus in Ogg, channels kept apart.
 *
 * @throws AppError `AUDIO_DECODE_TIMEOUT`, `AUDIO_CORRUPT`, `STORAGE_FULL`
 */
export async function encodeOpus(
  source: FfmpegSource,
  output: { readonly path: string; readonly channelCount: number; readonly maxDurationMs: number },
): Promise<void> {
  const bitrate = String(PLAYBACK_BITRATE * output.channelCount);
  const result = await runProgram(
    "ffmpeg",
    [
      ...["-nostdin", "-hide_banner", "-v", "error", "-threads", "1"],
      ...inputArguments(source),
      ...["-map", "0:a:0", "-vn", "-map_metadata", "-1", "-fflags", "+bitexact", "-t", String(output.maxDurationMs / 1000)],
      ...["-c:a", "libopus", "-b:a", bitrate, "-application", "voip", "-f", "ogg", "-y", `file:${output.path}`],
    ],
    limited(source, output.maxDurationMs * OUTPUT_BYTES_PER_MS),
  );
  if (result.isTimedOut) throw unreadable(true);
  if (result.stderr.includes("No space left on device")) throw diskFull();
  if (result.exitCode !== 0) throw unreadable(false, new Error(result.stderr));
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
