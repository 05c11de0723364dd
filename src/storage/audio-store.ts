/** Contract of the audio store: where recordings lie, encrypted, under keys of ours. */
import type { Readable } from "node:stream";

/** Half-open, in bytes of plain audio. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface AudioStore {
  /**
   * Stores a stream, encrypted, and resolves once it is durable. Leaves nothing behind when the stream fails.
   *
   * @returns the bytes of plain audio stored.
   */
  write(audioKey: string, content: Readable, callKey: Buffer): Promise<{ readonly byteCount: number }>;
  /**
   * Plain audio, the whole or a range of it; a range past the end gives what there is. Fails with
   * `AUDIO_FILE_NOT_FOUND` or `SECURITY_DECRYPTION_FAILED`.
   */
  read(audioKey: string, callKey: Buffer, range?: ByteRange): Promise<Readable>;
  /** As it lies there, encrypted; for copies. Fails with `AUDIO_FILE_NOT_FOUND`. */
  readSealed(audioKey: string): Promise<Readable>;
  /** Stores what `readSealed` gave, in the place of what was there; durable when it resolves. */
  writeSealed(audioKey: string, content: Readable): Promise<void>;
  /** Removing what is not there is fine. */
  remove(audioKey: string): Promise<void>;
  list(): Promise<readonly string[]>;
}
