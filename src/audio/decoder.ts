/**
 * A recording to analysable audio: one s16le file at 16 kHz per channel, levelled, in a work directory of the caller's.
 * ffmpeg does it when it is installed, our fallback decoders otherwise.
 */
import { fork } from "node:child_process";
import { open, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError } from "../core/errors.js";
import { processEntry } from "../core/module-entry.js";
import type { Channel } from "../core/transcript.js";
import type { Container } from "./container.js";
import type { DecodeProcessAnswer, DecodeProcessJob } from "./decode-process.js";
import { type AudioFormat, decodeWithFfmpeg, encodeOpus, MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ, probeWithFfmpeg, unreadable } from "./ffmpeg.js";
import { isProgramPresent } from "./program.js";
import type { WavEncoding } from "./wav.js";
import { compareWithSize, readWavHeader } from "./wav-file.js";

/** Every engine is fed this rate. */
export const ANALYSIS_SAMPLE_RATE_HZ = 16_000;
const MAX_CHANNELS = 2;
/** Of JavaScript values; samples lie beside it and are limited by the duration a decoder may hold. */
const MAX_HEAP_MB = 1_024;
/** Two frames of AAC at 8 kHz. */
const MAX_PADDING_MS = 260;
/** ffmpeg drops the frames of silence that telephones send in AMR: everything after them would be heard too early. */
const BETTER_HERE: readonly Container[] = ["amr"];
const PROBE_LIFE_MS = 30_000;

export interface DecodedChannel {
  readonly channel: Channel;
  readonly path: string;
  readonly sampleCount: number;
  readonly gainDb: number;
}

export interface DecodedRecording {
  readonly durationMs: number;
  readonly sourceSampleRateHz: number;
  /** One `mixed`, or `caller` (left) and `agent` (right). */
  readonly channels: readonly DecodedChannel[];
  readonly warnings: readonly string[];
}

export interface DecodeRequest {
  readonly path: string;
  readonly container: Container;
  /** Existing, private, removed by the caller. */
  readonly workDirectory: string;
  /** Who is on which channel, where that is known: channels that sound the same are then kept apart all the same. */
  readonly channels?: readonly Channel[];
  readonly signal: AbortSignal;
}

export interface RecordingDecoder {
  /** @throws AppError with an `AUDIO_` code, or the signal's reason. */
  decode(request: DecodeRequest): Promise<DecodedRecording>;
  /**
   * Writes Opus in Ogg to `outputPath`, for playing in a browser, channels kept apart.
   *
   * @throws AppError `AUDIO_DECODER_MISSING` without ffmpeg, and what `decode` throws.
   */
  encodePlayback(request: DecodeRequest, outputPath: string): Promise<void>;
  /** What decodes here, for `doctor` and health. */
  describe(): Promise<"ffmpeg" | "fallback">;
}

export interface RecordingDecoderOptions {
  readonly timeoutMs: number;
  readonly maxDurationMs: number;
  /** `auto` looks for ffmpeg; `fallback` never does. */
  readonly prefer: "auto" | "fallback";
}

/** Looks for ffmpeg anew every half minute, so that installing it takes effect without a restart. */
export function createRecordingDecoder(options: RecordingDecoderOptions): RecordingDecoder {
  let probe: { readonly atMs: number; readonly answer: Promise<"ffmpeg" | "fallback"> } | undefined;
  const describe = (): Promise<"ffmpeg" | "fallback"> => {
    // Asked by every health check: one look serves them all for a while.
    if (probe === undefined || performance.now() - probe.atMs > PROBE_LIFE_MS) probe = { atMs: performance.now(), answer: findDecoder(options.prefer) };
    return probe.answer;
  };
  return {
    describe,
    async decode(request) {
      const isOurs = (await describe()) === "fallback" || BETTER_HERE.includes(request.container);
      const decoded = isOurs ? await decodeInProcess(request, options) : await decodeBySystem(request, options);
      return checkDecoded(decoded, { ...options, ...(request.channels === undefined ? {} : { channels: request.channels }) });
    },
    async encodePlayback(request, outputPath) {
      if ((await describe()) !== "ffmpeg") {
        throw new AppError(
          "AUDIO_DECODER_MISSING",
          "Making a playable version needs ffmpeg, which is not installed; ask for format=original, or run: apt-get install ffmpeg",
        );
      }
      const source = { ...request, ...(await playbackSource(request, options)), timeoutMs: options.timeoutMs };
      const { channelCount } = await probeWithFfmpeg(source);
      await encodeOpus(source, { path: outputPath, channelCount, maxDurationMs: options.maxDurationMs });
    },
  };
}

/** Both programs must be there and work: a broken ffmpeg would call every sound recording corrupt. */
async function findDecoder(prefer: RecordingDecoderOptions["prefer"]): Promise<"ffmpeg" | "fallback"> {
  if (prefer === "fallback") return "fallback";
  const found = await Promise.all([isProgramPresent("ffmpeg"), isProgramPresent("ffprobe")]);
  return found.every(Boolean) ? "ffmpeg" : "fallback";
}

interface RawDecoded {
  readonly format: AudioFormat;
  readonly split: NonNullable<Extract<DecodeProcessAnswer, { failure?: undefined }>["split"]> | undefined;
  readonly isDamaged: boolean;
  readonly unreadMs?: number;
}

async function decodeBySystem(request: DecodeRequest, { timeoutMs, maxDurationMs }: RecordingDecoderOptions): Promise<RawDecoded> {
  const wav = request.container === "wav" ? await readWav(request.path) : undefined;
  const source = { ...request, ...(await withoutFloats(request, wav?.encoding)), timeoutMs };
  const format = { ...(await probeWithFfmpeg(source)), ...(wav === undefined ? {} : { declaredDurationMs: wav.declaredDurationMs }) };
  refuseImpossibleRate(format);
  if (format.channelCount > MAX_CHANNELS) return { format, split: undefined, isDamaged: false };
  const { channelCount } = format;
  const interleavedPath = join(request.workDirectory, "interleaved.s16");
  const { isDamaged } = await decodeWithFfmpeg(source, { path: interleavedPath, sampleRateHz: ANALYSIS_SAMPLE_RATE_HZ, channelCount, maxDurationMs });
  await cutPadding(interleavedPath, request.container, format);
  refuseTooLong(await durationOf(interleavedPath, channelCount), maxDurationMs);
  const answer = await runProcess({ split: splitJob(request, interleavedPath, channelCount), maxChannels: MAX_CHANNELS }, request.signal);
  await rm(interleavedPath, { force: true });
  return { format, split: answer.split, isDamaged, unreadMs: wav?.unreadMs ?? 0 };
}

/** A WAV of floats is rewritten first; see float-wav.ts. */
async function withoutFloats(
  { path, container, workDirectory, signal }: DecodeRequest,
  encoding: string | undefined,
): Promise<Pick<DecodeRequest, "path" | "container">> {
  if (encoding !== "float") return { path, container };
  const outputPath = join(workDirectory, "rewritten.wav");
  await runProcess({ rewrite: { path, outputPath }, maxChannels: MAX_CHANNELS }, signal);
  return { path: outputPath, container };
}

/** What ffmpeg is to encode: the recording itself, or our reading of it where ours is the right one. */
async function playbackSource(request: DecodeRequest, options: RecordingDecoderOptions): Promise<Pick<DecodeRequest, "path" | "container">> {
  const { container, path, workDirectory, signal } = request;
  if (container === "wav") return withoutFloats(request, (await readWav(path)).encoding);
  if (!BETTER_HERE.includes(container)) return { path, container };
  const outputPath = join(workDirectory, "decoded.s16");
  const { maxDurationMs } = options;
  await runProcess({ fallback: { path, container, outputPath, sampleRateHz: ANALYSIS_SAMPLE_RATE_HZ, maxDurationMs }, maxChannels: MAX_CHANNELS }, signal);
  return { path: outputPath, container: "slin16" };
}

/** AAC in MP4 ends in padding that ffmpeg hands out as sound; the container says where the sound ends. */
async function cutPadding(interleavedPath: string, container: Container, { declaredDurationMs, channelCount }: AudioFormat): Promise<void> {
  if (container !== "mp4" || declaredDurationMs === null) return;
  const { size } = await stat(interleavedPath);
  const frameBytes = 2 * channelCount;
  const declaredBytes = Math.round((declaredDurationMs * ANALYSIS_SAMPLE_RATE_HZ) / 1000) * frameBytes;
  const isPadding = size > declaredBytes && size - declaredBytes < (MAX_PADDING_MS * ANALYSIS_SAMPLE_RATE_HZ * frameBytes) / 1000;
  if (isPadding) await truncate(interleavedPath, declaredBytes);
}

interface WavOnDisk {
  readonly encoding: WavEncoding;
  readonly declaredDurationMs: number | null;
  /** Sound after the end that the header declares. */
  readonly unreadMs: number;
}

/** ffmpeg calls a WAV without samples unreadable; it is only empty, which is another thing to tell a person. */
async function readWav(path: string): Promise<WavOnDisk> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const header = await readWavHeader(file);
    if (header.dataOffset >= size) throw emptyRecording();
    return { encoding: header.encoding, ...(await compareWithSize(file, header, size)) };
  } finally {
    await file.close();
  }
}

async function decodeInProcess(request: DecodeRequest, { timeoutMs, maxDurationMs }: RecordingDecoderOptions): Promise<RawDecoded> {
  const interleavedPath = join(request.workDirectory, "interleaved.s16");
  const { container, path } = request;
  const answer = await runProcess(
    {
      fallback: { path, container, outputPath: interleavedPath, sampleRateHz: ANALYSIS_SAMPLE_RATE_HZ, maxDurationMs },
      split: splitJob(request, interleavedPath),
      maxChannels: MAX_CHANNELS,
    },
    AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]),
  ).catch((error: unknown) => {
    throw error instanceof DOMException && error.name === "TimeoutError" ? unreadable(true) : error;
  });
  await rm(interleavedPath, { force: true });
  if (answer.format === undefined) throw new AppError("AUDIO_CORRUPT", "The recording holds no readable audio.");
  return { format: answer.format, split: answer.split, isDamaged: false, unreadMs: container === "wav" ? (await readWav(path)).unreadMs : 0 };
}

function splitJob(request: DecodeRequest, inputPath: string, channelCount?: number): NonNullable<DecodeProcessJob["split"]> {
  return {
    inputPath,
    sampleRateHz: ANALYSIS_SAMPLE_RATE_HZ,
    outputPrefix: join(request.workDirectory, "channel-"),
    keepsSameChannels: request.channels !== undefined,
    ...(channelCount === undefined ? {} : { channelCount }),
  };
}

async function runProcess(job: DecodeProcessJob, signal: AbortSignal): Promise<Extract<DecodeProcessAnswer, { failure?: undefined }>> {
  signal.throwIfAborted();
  const { url, execArgv } = processEntry(import.meta.url, "./decode-process");
  const child = fork(fileURLToPath(url), [], {
    serialization: "advanced",
    execArgv: [...execArgv, `--max-old-space-size=${MAX_HEAP_MB}`],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const answer = await new Promise<DecodeProcessAnswer>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    child.once("message", (message) => resolve(message as DecodeProcessAnswer));
    child.once("error", reject);
    // Not `exit`: that may come while the answer is still on its way.
    child.once("close", () => reject(crashed()));
    child.send(job);
  }).finally(() => child.kill("SIGKILL"));
  if (answer.failure !== undefined) throw new AppError(answer.failure.code, answer.failure.message, { retryable: answer.failure.retryable });
  return answer;
}

/** It may have been the file, or the machine: worth another try. */
function crashed(): AppError {
  return new AppError("AUDIO_CORRUPT", "The decoder crashed on the recording; it may be damaged. Export it again and retry.", { retryable: true });
}

async function durationOf(interleavedPath: string, channelCount: number): Promise<number> {
  const { size } = await stat(interleavedPath);
  return Math.round((size * 1000) / (2 * channelCount * ANALYSIS_SAMPLE_RATE_HZ));
}

function refuseTooLong(durationMs: number, maxDurationMs: number): void {
  if (durationMs <= maxDurationMs) return;
  throw new AppError(
    "AUDIO_TOO_LARGE",
    `The recording is longer than the ${Math.round(maxDurationMs / 60_000)} minutes allowed; split it, or raise AUDIO_MAX_DURATION_MS.`,
  );
}

function refuseImpossibleRate({ sampleRateHz }: AudioFormat): void {
  if (sampleRateHz >= MIN_SAMPLE_RATE_HZ && sampleRateHz <= MAX_SAMPLE_RATE_HZ) return;
  throw new AppError("AUDIO_UNSUPPORTED_FORMAT", `A sample rate of ${sampleRateHz} Hz is not that of a recording of speech; send it at 8000 to 48000 Hz.`);
}

function checkDecoded(
  { format, split, isDamaged, unreadMs = 0 }: RawDecoded,
  { maxDurationMs, channels }: RecordingDecoderOptions & Pick<DecodeRequest, "channels">,
): DecodedRecording {
  if (split === undefined) {
    throw new AppError(
      "AUDIO_UNSUPPORTED_FORMAT",
      `The recording has ${format.channelCount} channels; one (mixed) or two (caller left, counsellor right) can be analysed.`,
    );
  }
  const [first] = split.channels;
  if (first === undefined) throw emptyRecording();
  const durationMs = Math.round((first.sampleCount * 1000) / ANALYSIS_SAMPLE_RATE_HZ);
  refuseTooLong(durationMs, maxDurationMs);
  const warnings: string[] = [];
  if (isDamaged) warnings.push("The recording is damaged; what could be decoded was analysed.");
  if (split.isDualMono) warnings.push("Both channels carry the same sound; they were analysed as one mixed channel.");
  const lostMs = (format.declaredDurationMs ?? 0) - durationMs;
  if (lostMs > 1_000) warnings.push(`The recording says it is ${lostMs} ms longer than what it holds; it was cut.`);
  if (unreadMs > 1_000) warnings.push(`The recording goes on for ${unreadMs} ms after the end its header declares; that part was not analysed.`);
  const names: readonly Channel[] = channels ?? (split.channels.length === 1 ? ["mixed"] : ["caller", "agent"]);
  return {
    durationMs,
    sourceSampleRateHz: format.sampleRateHz,
    channels: split.channels.map((channel, index) => ({ ...channel, channel: names[index] ?? "mixed" })),
    warnings,
  };
}

function emptyRecording(): AppError {
  return new AppError("AUDIO_EMPTY", "The recording holds no sound: it has no samples.");
}
