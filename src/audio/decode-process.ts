/**
 * The decode process: one decoding job, then it ends. A process and not a thread, because what decoders of foreign files
 * take of memory, or do to it, must end with them; see docs/decisions/0012.
 */
import { type ErrorCode, toAppError } from "../core/errors.js";
import { type SplitOptions, type SplitResult, splitChannels } from "./channel-splitter.js";
import { decodeWithoutFfmpeg, type FallbackOptions } from "./fallback-decoder.js";
import { type AudioFormat, diskFull } from "./ffmpeg.js";
import { type FloatWavJob, rewriteFloatWav } from "./float-wav.js";

/** `fallback` absent: the input was decoded already and only wants splitting. `split` absent: it is only rewritten. */
export interface DecodeProcessJob {
  readonly rewrite?: FloatWavJob;
  readonly fallback?: FallbackOptions;
  readonly split?: Omit<SplitOptions, "outputPath" | "channelCount"> & { readonly channelCount?: number; readonly outputPrefix: string };
  readonly maxChannels: number;
}

export type DecodeProcessAnswer =
  | { readonly format?: AudioFormat; readonly split: SplitResult | undefined; readonly failure?: undefined }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string; readonly retryable: boolean } };

async function work(job: DecodeProcessJob): Promise<DecodeProcessAnswer> {
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

process.once("message", (job: DecodeProcessJob) => {
  const answer = (message: DecodeProcessAnswer): void => void process.send?.(message, () => process.exit(0));
  work(job).then(answer, (error: unknown) => {
    const isDiskFull = (error as NodeJS.ErrnoException).code === "ENOSPC";
    const { code, safeMessage, retryable } = isDiskFull ? diskFull(error) : toAppError(error);
    answer({ failure: { code, message: safeMessage, retryable } });
  });
});
// Whoever started it is gone.
process.once("disconnect", () => process.exit(0));
