/**
 * API keys: `oca_<id>_<secret>`, shown once, stored as SHA-256. A secret is 32 random bytes, so a slow password hash
 * would add delay to every request and no safety.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const PATTERN = /^oca_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export interface NewApiKey {
  readonly keyId: string;
  /** The whole credential; exists only here. */
  readonly token: string;
  readonly secretHash: string;
}

/** A new key from 32 random bytes. */
export function generateApiKey(): NewApiKey {
  const keyId = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  return { keyId, token: `oca_${keyId}_${secret}`, secretHash: hashSecret(secret) };
}

/** Splits a credential; undefined when it does not look like a key of ours. */
export function parseApiKey(token: string): { readonly keyId: string; readonly secret: string } | undefined {
  const match = PATTERN.exec(token);
  return match?.[1] !== undefined && match[2] !== undefined ? { keyId: match[1], secret: match[2] } : undefined;
}

/** Compares in constant time. */
export function matchesSecret(secret: string, secretHash: string): boolean {
  const given = Buffer.from(hashSecret(secret), "hex");
  const stored = Buffer.from(secretHash, "hex");
  return given.length === stored.length && timingSafeEqual(given, stored);
}

function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
