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
const BLOCK_BYTES = 64 * 1024;
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
      if (pendingBytes > BLOCK_BYTES) {
        const all = Buffer.concat(pending, pendingBytes);
        let offset = 0;
        // Strictly more: the last block must stay back for flush, which marks it.
        while (all.length - offset > BLOCK_BYTES) {
          emitBlock(this, all.subarray(offset, offset + BLOCK_BYTES), false);
          offset += BLOCK_BYTES;
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

/** Decrypts what `createAudioEncryptor` wrote; fails the stream with `SECURITY_DECRYPTION_FAILED`. */
export function createAudioDecryptor(callKey: Buffer): Transform {
  let buffered: Buffer = Buffer.alloc(0);
  let key: Buffer | undefined;
  let blockNumber = 0;
  let isFinished = false;

  const takeBlock = (stream: Transform): boolean => {
    if (buffered.length < 4 || key === undefined) return false;
    const word = buffered.readUInt32LE(0);
    const length = word & 0x7fffffff;
    if (length > BLOCK_BYTES || isFinished) throw new RangeError("bad block header");
    if (buffered.length < 4 + length + TAG_BYTES) return false;
    const decipher = createDecipheriv("aes-256-gcm", key, blockNonce(blockNumber++), { authTagLength: TAG_BYTES });
    decipher.setAAD(buffered.subarray(0, 4));
    decipher.setAuthTag(buffered.subarray(4 + length, 4 + length + TAG_BYTES));
    const plain = Buffer.concat([decipher.update(buffered.subarray(4, 4 + length)), decipher.final()]);
    isFinished = (word & LAST_BLOCK) !== 0;
    buffered = buffered.subarray(4 + length + TAG_BYTES);
    stream.push(plain);
    return true;
  };

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
        if (key === undefined && buffered.length >= MAGIC.length + SALT_BYTES) {
          if (!buffered.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError("bad magic");
          key = fileKey(callKey, buffered.subarray(MAGIC.length, MAGIC.length + SALT_BYTES));
          buffered = buffered.subarray(MAGIC.length + SALT_BYTES);
        }
        while (takeBlock(this)) {
          // Keep taking whole blocks; a rest waits for the next chunk.
        }
        done();
      } catch (cause) {
        done(unreadable(cause));
      }
    },
    flush(done) {
      done(isFinished && buffered.length === 0 ? null : unreadable(new RangeError("file ends early")));
    },
  });
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
