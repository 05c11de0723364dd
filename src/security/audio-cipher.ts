/**
 * Encrypted audio files: AES-256-GCM in blocks, so that a recording is encrypted as it lands and read in constant
 * memory, and a cut, reordered or changed file is noticed.
 *
 * Layout: magic `OCA1`, salt[16], then blocks: length (uint32 little-endian, top bit set on the last), ciphertext,
 * tag[16]. The key is HKDF(call key, salt); the nonce is the block's number; length and last-bit are authenticated.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { AppError } from "../core/errors.js";

const MAGIC = Buffer.from("OCA1", "latin1");
const SALT_BYTES = 16;
const TAG_BYTES = 16;
/** Plain bytes of every block but the last. */
export const AUDIO_BLOCK_BYTES = 64 * 1024;
const LAST_BLOCK = 0x80000000;

/** Encrypts a byte stream. */
export function createAudioEncryptor(callKey: Buffer): Transform {
  const salt = randomBytes(SALT_BYTES);
  const key = fileKey(callKey, salt);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let blockNumber = 0;
  let started = false;

  const emitBlock = (stream: Transform, plain: Buffer, isLast: boolean): void => {
    const header = Buffer.alloc(4);
    header.writeUInt32LE(((isLast ? LAST_BLOCK : 0) | plain.length) >>> 0);
    const cipher = createCipheriv("aes-256-gcm", key, blockNonce(blockNumber++));
    cipher.setAAD(header);
    stream.push(Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  };
  const start = (stream: Transform): void => {
    if (!started) stream.push(Buffer.concat([MAGIC, salt]));
    started = true;
  };

  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      start(this);
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes > AUDIO_BLOCK_BYTES) {
        const all = Buffer.concat(pending, pendingBytes);
        let offset = 0;
        // Strictly more: the last block must stay back for flush, which marks it.
        while (all.length - offset > AUDIO_BLOCK_BYTES) {
          emitBlock(this, all.subarray(offset, offset + AUDIO_BLOCK_BYTES), false);
          offset += AUDIO_BLOCK_BYTES;
        }
        pending = [all.subarray(offset)];
        pendingBytes = all.length - offset;
      }
      done();
    },
    flush(done) {
      start(this);
      emitBlock(this, Buffer.concat(pending, pendingBytes), true);
      done();
    },
  });
}

/** Bytes of the file before its first block. */
export const AUDIO_HEADER_BYTES = MAGIC.length + SALT_BYTES;

/** Where in the file the block with this byte of plain audio begins, and which block it is. */
export function locateAudioBlock(plainOffset: number): { readonly blockNumber: number; readonly fileOffset: number } {
  const blockNumber = Math.floor(plainOffset / AUDIO_BLOCK_BYTES);
  return { blockNumber, fileOffset: AUDIO_HEADER_BYTES + blockNumber * (4 + AUDIO_BLOCK_BYTES + TAG_BYTES) };
}

/** Bytes of plain audio in a whole file of `fileBytes`. */
export function plainAudioBytes(fileBytes: number): number {
  const sealedBytes = Math.max(0, fileBytes - AUDIO_HEADER_BYTES);
  const overhead = 4 + TAG_BYTES;
  return Math.max(0, sealedBytes - Math.ceil(sealedBytes / (AUDIO_BLOCK_BYTES + overhead)) * overhead);
}

/** Decrypts what `createAudioEncryptor` wrote; fails the stream with `SECURITY_DECRYPTION_FAILED`. */
export function createAudioDecryptor(callKey: Buffer): Transform {
  let head: Buffer = Buffer.alloc(0);
  let blocks: BlockDecryptor | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      guarded(done, () => {
        if (blocks !== undefined) return blocks.take(this, chunk);
        head = Buffer.concat([head, chunk]);
        if (head.length < AUDIO_HEADER_BYTES) return;
        blocks = new BlockDecryptor(callKey, head, 0);
        blocks.take(this, head.subarray(AUDIO_HEADER_BYTES));
      });
    },
    flush(done) {
      done(blocks?.isComplete() === true ? null : unreadable(new RangeError("file ends early")));
    },
  });
}

/**
 * Decrypts a run of whole blocks from the middle of a file, and gives only the bytes asked for.
 *
 * @param header - the file's first `AUDIO_HEADER_BYTES`.
 * @param range - half-open, in bytes of plain audio; the input begins with block `blockNumber`, that of the
 * range's first byte unless given.
 */
export function createAudioRangeDecryptor(
  callKey: Buffer,
  header: Buffer,
  range: { readonly start: number; readonly end: number; readonly blockNumber?: number },
): Transform {
  const { blockNumber = locateAudioBlock(range.start).blockNumber } = range;
  let blocks: BlockDecryptor | undefined;
  let position = blockNumber * AUDIO_BLOCK_BYTES;
  const cut = {
    push(plain: Buffer): void {
      const from = Math.max(0, range.start - position);
      const until = Math.min(plain.length, range.end - position);
      position += plain.length;
      if (until > from) stream.push(plain.subarray(from, until));
    },
  };
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      guarded(done, () => {
        blocks ??= new BlockDecryptor(callKey, header, blockNumber);
        blocks.take(cut, chunk);
      });
    },
    flush(done) {
      // The file may go on after the range; it must not end within it.
      done(position >= range.end || blocks?.isComplete() === true ? null : unreadable(new RangeError("file ends early")));
    },
  });
  return stream;
}

function guarded(done: TransformCallback, work: () => void): void {
  try {
    work();
    done();
  } catch (cause) {
    done(unreadable(cause));
  }
}

/** Opens block after block, from a given one on. */
class BlockDecryptor {
  readonly #key: Buffer;
  #blockNumber: number;
  #buffered: Buffer = Buffer.alloc(0);
  #isLastSeen = false;

  constructor(callKey: Buffer, header: Buffer, firstBlock: number) {
    if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError("bad magic");
    this.#key = fileKey(callKey, header.subarray(MAGIC.length, AUDIO_HEADER_BYTES));
    this.#blockNumber = firstBlock;
  }

  take(output: { push(plain: Buffer): unknown }, chunk: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    for (let plain = this.#open(); plain !== undefined; plain = this.#open()) output.push(plain);
  }

  /** The last block was opened and nothing follows it. */
  isComplete(): boolean {
    return this.#isLastSeen && this.#buffered.length === 0;
  }

  #open(): Buffer | undefined {
    const buffered = this.#buffered;
    if (buffered.length < 4) return undefined;
    const word = buffered.readUInt32LE(0);
    const length = word & 0x7fffffff;
    if (length > AUDIO_BLOCK_BYTES || this.#isLastSeen) throw new RangeError("bad block header");
    if (buffered.length < 4 + length + TAG_BYTES) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, blockNonce(this.#blockNumber++), { authTagLength: TAG_BYTES });
    decipher.setAAD(buffered.subarray(0, 4));
    decipher.setAuthTag(buffered.subarray(4 + length, 4 + length + TAG_BYTES));
    const plain = Buffer.concat([decipher.update(buffered.subarray(4, 4 + length)), decipher.final()]);
    this.#isLastSeen = (word & LAST_BLOCK) !== 0;
    this.#buffered = buffered.subarray(4 + length + TAG_BYTES);
    return plain;
  }
}

function fileKey(callKey: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", callKey, salt, "openchs-ai/audio-file", 32));
}

function blockNonce(blockNumber: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(blockNumber, 8);
  return nonce;
}

function unreadable(cause: unknown): AppError {
  return new AppError("SECURITY_DECRYPTION_FAILED", "A stored recording can't be opened: its key is another one, or the file was cut or changed.", {
    cause,
  });
}
