/** Audio that streams in: what it is, told from its first bytes, and how much of it there may be. */
import { PassThrough, Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError } from "../core/errors.js";
import { type Container, type RawFormat, SNIFF_BYTES, sniffContainer } from "./container.js";

export interface IdentifiedStream {
  readonly container: Container;
  /** All of it, from the first byte; fails with `AUDIO_TOO_LARGE` where it gets too long. */
  readonly content: Readable;
}

export interface IdentifyOptions {
  readonly maxBytes: number;
  /** What it is when nothing in the file says so; what the file says goes first. */
  readonly rawFormat?: RawFormat;
}

/**
 * Reads the first bytes and gives back the whole, with its size watched.
 *
 * @throws AppError `AUDIO_EMPTY`, `AUDIO_UNSUPPORTED_FORMAT`, `GATEWAY_BAD_REQUEST` when the source ends early
 */
export async function identifyStream(source: Readable, { maxBytes, rawFormat }: IdentifyOptions): Promise<IdentifiedStream> {
  let byteCount = 0;
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      byteCount += chunk.length;
      if (byteCount > maxBytes) done(tooLarge(maxBytes));
      else done(null, chunk);
    },
  });
  const content = new PassThrough();
  // Errors reach the reader through `content`, which the pipeline destroys with them.
  void pipeline(source, limiter, content).catch(() => {});
  const head = await readHead(content);
  const container = sniffContainer(head) ?? (head.length > 0 ? rawFormat : undefined);
  // A file shorter than the head has ended by now, and an ended stream takes nothing back.
  if (container !== undefined && content.readableEnded) return { container, content: Readable.from([head]) };
  if (container !== undefined) {
    content.unshift(head);
    return { container, content };
  }
  content.destroy();
  if (head.length === 0) throw new AppError("AUDIO_EMPTY", "The file is empty: it has no bytes.");
  throw new AppError("AUDIO_UNSUPPORTED_FORMAT", "The file is not audio that can be read here: send WAV, FLAC, MP3, OGG/Opus, M4A, WebM or AMR.");
}

async function readHead(content: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < SNIFF_BYTES) {
    const chunk = content.read() as Buffer | null;
    if (chunk !== null) {
      chunks.push(chunk);
      length += chunk.length;
      continue;
    }
    if (content.readableEnded || !(await waitForMore(content))) break;
  }
  return Buffer.concat(chunks);
}

/** @returns false when the stream ended. */
function waitForMore(content: Readable): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onReadable = (): void => settle(() => resolve(true));
    const onEnd = (): void => settle(() => resolve(false));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new AppError("GATEWAY_BAD_REQUEST", "The upload ended before it was complete.")));
    const settle = (finish: () => void): void => {
      content.off("readable", onReadable).off("end", onEnd).off("error", onError).off("close", onClose);
      finish();
    };
    content.on("readable", onReadable).on("end", onEnd).on("error", onError).on("close", onClose);
  });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError("AUDIO_TOO_LARGE", `The file is larger than the ${Math.round(maxBytes / 1_048_576)} MB allowed; send a shorter or compressed recording.`);
}
