/**
 * Sealed text: every personal text at rest, on any database, is AES-256-GCM under a key of its call, and that key is
 * wrapped by the master key. The type keeps plain text out of sealed columns at compile time.
 *
 * Layout: `s1.` + base64(nonce[12] | ciphertext | tag[16]). The context (call, column, row) is authenticated, so a
 * sealed value moved to another row does not open.
 */
import { randomBytes } from "node:crypto";
import { AppError } from "../../core/errors.js";
import type { MasterKey } from "../master-key.js";
import { openBytes, sealBytes } from "./sealed-bytes.js";

declare const sealedMark: unique symbol;
/** A column value only this file can make. */
export type SealedText = string & { readonly [sealedMark]: true };

const PREFIX = "s1.";

/** Seals and opens the texts of one call. `context` names column and row, e.g. `segment.text/ID`. */
export interface CallSealer {
  seal(context: string, text: string): SealedText;
  open(context: string, sealed: SealedText): string;
  /** What the audio store encrypts the call's recordings under; each file derives its own key from it. */
  readonly audioKey: Buffer;
}

/** Makes, wraps and opens the per-call keys. */
export interface SealerFactory {
  /** 32 random bytes. */
  newCallKey(): Buffer;
  /** What to store with the call. Destroying it destroys every text and recording of the call. */
  wrap(callId: string, callKey: Buffer): SealedText;
  open(callId: string, wrappedKey: SealedText): CallSealer;
}

/** Call keys are wrapped under a key derived from the master key for this alone. */
export function createSealerFactory(masterKey: MasterKey): SealerFactory {
  const wrappingKey = masterKey.derive("call-key-wrapping");
  return {
    newCallKey: () => randomBytes(32),
    wrap: (callId, callKey) => sealWith(wrappingKey, `call-key/${callId}`, callKey),
    open: (callId, wrappedKey) => createCallSealer(callId, openWith(wrappingKey, `call-key/${callId}`, wrappedKey)),
  };
}

function createCallSealer(callId: string, key: Buffer): CallSealer {
  return {
    seal: (context, text) => sealWith(key, `${callId}/${context}`, Buffer.from(text, "utf8")),
    open: (context, sealed) => openWith(key, `${callId}/${context}`, sealed).toString("utf8"),
    audioKey: key,
  };
}

function sealWith(key: Buffer, context: string, plain: Buffer): SealedText {
  return (PREFIX + sealBytes(key, context, plain).toString("base64")) as SealedText;
}

/** @throws AppError `SECURITY_DECRYPTION_FAILED` for a wrong key, another row's value, or a changed value. */
function openWith(key: Buffer, context: string, sealed: SealedText): Buffer {
  try {
    if (!sealed.startsWith(PREFIX)) throw new RangeError("unknown sealing version");
    return openBytes(key, context, Buffer.from(sealed.slice(PREFIX.length), "base64"));
  } catch (cause) {
    throw new AppError(
      "SECURITY_DECRYPTION_FAILED",
      "A stored value can't be opened: the master key is another one, or the value was changed. Check the master key file.",
      { cause },
    );
  }
}
