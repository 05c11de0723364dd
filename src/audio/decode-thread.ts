/** The decode thread: one decoding job per thread, so that its computing never delays the event loop. */
import { parentPort, workerData } from "node:worker_threads";
import { type ErrorCode, toAppError } from "../core/errors.js";
import { type SplitOptions, type SplitResult, splitChannels } from "./channel-splitter.js";
import { decodeWithoutFfmpeg, type FallbackOptions } from "./fallback-decoder.js";
import { type AudioFormat, diskFull } from "./ffmpeg.js";
import { type FloatWavJob, rewriteFloatWav } from "./float-wav.js";

/** `fallback` absent: the input was decoded already and only wants splitting. `split` absent: it is only rewritten. */
export interface DecodeThreadJob {
  readonly rewrite?: FloatWavJob;
  readonly fallback?: FallbackOptions;
  readonly split?: Omit<SplitOptions, "outputPath" | "channelCount"> & { readonly channelCount?: number; readonly outputPrefix: string };
  readonly maxChannels: number;
}

export type DecodeThreadAnswer =
  | { readonly format?: AudioFormat; readonly split: SplitResult | undefined; readonly failure?: undefined }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string; readonly retryable: boolean } };

async function work(job: DecodeThreadJob): Promise<DecodeThreadAnswer> {
  if (job.rewrite !== undefined) await rewriteFloatWav(job.rewrite);
  const format = job.fallback === undefined ? undefined : await decodeWithoutFfmpeg(job.fallback);
  const formatPart = format === undefined ? {} : { format };
  const { split: splitting } = job;
  if (splitting === undefined) return { ...formatPart, split: undefined };
  const channelCount = splitting.channelCount ?? format?.channelCount ?? 1;
  if (channelCount > job.maxChannels) return { ...formatPart, split: undefined };
  const split = await splitChannels({ ...splitting, channelCount, outputPath: (channel) => `${splitting.outputPrefix}${channel}.s16` });
  return { ...formatPart, split };
}

if (parentPort !== null) {
  const port = parentPort;
  work(workerData as DecodeThreadJob).then(
    (answer) => port.postMessage(answer),
    (error: unknown) => {
      const isDiskFull = (error as NodeJS.ErrnoException).code === "ENOSPC";
      const { code, safeMessage, retryable } = isDiskFull ? diskFull(error) : toAppError(error);
      port.postMessage({ failure: { code, message: safeMessage, retryable } } satisfies DecodeThreadAnswer);
    },
  );
}
