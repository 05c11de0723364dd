/** A secret under a passphrase: what lets a master key travel with a backup. */
import { randomBytes, scryptSync } from "node:crypto";
import { AppError } from "../../core/errors.js";
import { openBytes, sealBytes } from "./sealed-bytes.js";

/** As stored: parameters of scrypt, and what `sealBytes` gave; binary values in base64. */
export interface PassphraseSeal {
  readonly kdf: "scrypt";
  readonly cost: number;
  readonly salt: string;
  readonly sealed: string;
}

/** 64 MB and about a quarter of a second for each guess. */
const COST = 65_536;
const BLOCK_SIZE = 8;
const MIN_PASSPHRASE = 12;
const CONTEXT = "passphrase";

/** @throws AppError `CONFIG_INVALID` for a passphrase of under 12 characters */
export function sealWithPassphrase(secret: Buffer, passphrase: string): PassphraseSeal {
  if (passphrase.length < MIN_PASSPHRASE) throw new AppError("CONFIG_INVALID", `The passphrase must have at least ${MIN_PASSPHRASE} characters.`);
  const salt = randomBytes(16);
  const sealed = sealBytes(keyOf(passphrase, salt, COST), CONTEXT, secret);
  return { kdf: "scrypt", cost: COST, salt: salt.toString("base64"), sealed: sealed.toString("base64") };
}

/** @throws AppError `SECURITY_DECRYPTION_FAILED` for another passphrase, or a seal that was changed */
export function openWithPassphrase({ cost, salt, sealed }: PassphraseSeal, passphrase: string): Buffer {
  try {
    if (cost > COST) throw new RangeError("cost");
    return openBytes(keyOf(passphrase, Buffer.from(salt, "base64"), cost), CONTEXT, Buffer.from(sealed, "base64"));
  } catch (cause) {
    throw new AppError("SECURITY_DECRYPTION_FAILED", "The passphrase does not open the master key of this backup.", { cause });
  }
}

function keyOf(passphrase: string, salt: Buffer, cost: number): Buffer {
  return scryptSync(passphrase, salt, 32, { N: cost, r: BLOCK_SIZE, p: 1, maxmem: 2 * 128 * cost * BLOCK_SIZE });
}
