/**
 * Encrypted journals: blocks that are appended one by one and can be read while the file still grows, or after the
 * writer died in the middle of a block. What was written whole is read; a torn end is left out.
 *
 * Layout: magic `OCJ1`, salt[16], then blocks: length (uint32 little-endian), ciphertext, tag[16]. The key is HKDF(call
 * key, salt); the nonce is the block's number, which keeps blocks in their order.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { AppError } from "../core/errors.js";

const MAGIC = Buffer.from("OCJ1", "latin1");
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const JOURNAL_HEADER_BYTES = MAGIC.length + SALT_BYTES;
/** Of one block: a longer one is damage. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/** Seals the blocks of one new journal. */
export interface JournalSealer {
  /** What the file begins with. */
  readonly header: Buffer;
  seal(plain: Buffer): Buffer;
}

/** A new salt, and so a new key, for each journal. */
export function createJournalSealer(callKey: Buffer): JournalSealer {
  const header = Buffer.concat([MAGIC, randomBytes(SALT_BYTES)]);
  const key = journalKey(callKey, header);
  let blockNumber = 0;
  return {
    header,
    seal(plain) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(plain.length);
      const cipher = createCipheriv("aes-256-gcm", key, nonce(blockNumber++));
      cipher.setAAD(length);
      return Buffer.concat([length, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
  };
}

/**
 * Opens blocks as their bytes come.
 *
 * @throws AppError `SECURITY_DECRYPTION_FAILED` for a wrong key or a changed block
 */
export class JournalOpener {
  readonly #callKey: Buffer;
  #key: Buffer | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #blockNumber = 0;

  constructor(callKey: Buffer) {
    this.#callKey = callKey;
  }

  *push(bytes: Buffer): Generator<Buffer> {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (this.#key === undefined) {
      if (this.#pending.length < JOURNAL_HEADER_BYTES) return;
      const header = this.#pending.subarray(0, JOURNAL_HEADER_BYTES);
      if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw unreadable(new RangeError("bad magic"));
      this.#key = journalKey(this.#callKey, header);
      this.#pending = this.#pending.subarray(JOURNAL_HEADER_BYTES);
    }
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32LE(0);
      if (length > MAX_BLOCK_BYTES) throw unreadable(new RangeError("bad block length"));
      if (this.#pending.length < 4 + length + TAG_BYTES) return;
      yield this.#open(this.#key, length);
    }
  }

  #open(key: Buffer, length: number): Buffer {
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, nonce(this.#blockNumber++), { authTagLength: TAG_BYTES });
      decipher.setAAD(this.#pending.subarray(0, 4));
      decipher.setAuthTag(this.#pending.subarray(4 + length, 4 + length + TAG_BYTES));
      const plain = Buffer.concat([decipher.update(this.#pending.subarray(4, 4 + length)), decipher.final()]);
      this.#pending = this.#pending.subarray(4 + length + TAG_BYTES);
      return plain;
    } catch (cause) {
      throw unreadable(cause);
    }
  }
}

function journalKey(callKey: Buffer, header: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", callKey, header.subarray(MAGIC.length), "openchs-ai/live-journal", 32));
}

function nonce(blockNumber: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(blockNumber, 8);
  return bytes;
}

function unreadable(cause: unknown): AppError {
  return new AppError("SECURITY_DECRYPTION_FAILED", "The journal of a live call can't be opened: its key is another one, or the file was changed.", { cause });
}
