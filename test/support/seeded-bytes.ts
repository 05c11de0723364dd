/** Bytes without any pattern, the same ones on every run. */
import { createHash } from "node:crypto";

/** @param seed - another seed, other bytes. */
export function seededBytes(seed: string, byteCount: number): Buffer {
  return createHash("shake256", { outputLength: byteCount }).update(seed).digest();
}
