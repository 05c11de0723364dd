/** Tokens as a helpline's sign-on makes them, true and false ones, with keys of the test's own. */
import { createHmac } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export const ISSUER = "https://sign-on.helpline.example";
export const AUDIENCE = "openchs-ai";
export const SECRET = "a secret of the helpline, 40 letters long";
export const SUBJECT = "7f1b7e52-3a0c-4f3e-9b58-0f8f6a3f2a11";

type SignatureAlgorithm = "RS256" | "RS512" | "PS256" | "EdDSA" | "ES256";

export interface SigningKey {
  readonly publicJwk: JWK;
  readonly publicPem: string;
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

const epochSeconds = (): number => Math.floor(Date.now() / 1_000);

/** Of an agent, for an hour; a claim given as undefined is left out. */
export function claimsOf(some: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const claims = { sub: SUBJECT, iss: ISSUER, aud: AUDIENCE, role: "agent", iat: epochSeconds(), exp: epochSeconds() + 3_600, ...some };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** Seconds since the epoch, `offsetSeconds` from now. */
export function secondsFromNow(offsetSeconds: number): number {
  return epochSeconds() + offsetSeconds;
}

/** @param told - what the key set says of the key, where that is not the truth. */
export async function makeSigningKey(alg: SignatureAlgorithm, kid: string, told: Partial<JWK> = { alg }): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    publicJwk: { ...(await exportJWK(publicKey)), kid, use: "sig", ...told },
    publicPem: await exportSPKI(publicKey),
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg, kid, typ: "JWT", ...header }).sign(privateKey),
  };
}

export function signWithSecret(claims: JWTPayload, secret: string | Uint8Array = SECRET, alg: "HS256" | "HS384" | "HS512" = "HS256"): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, typ: "JWT" }).sign(typeof secret === "string" ? new TextEncoder().encode(secret) : secret);
}

const encodePart = (part: unknown): string => Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");

/** A token nobody signed. */
export function unsignedToken(claims: JWTPayload, alg = "none"): string {
  return `${encodePart({ alg, typ: "JWT" })}.${encodePart(claims)}.`;
}

/** Signed with any bytes as an HMAC secret: jose would not do it with a public key. */
export function forgeHmacToken(claims: JWTPayload, secret: string | Buffer, header: Readonly<Record<string, unknown>> = {}): string {
  const signed = `${encodePart({ alg: "HS256", typ: "JWT", ...header })}.${encodePart(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** The same signature under other claims. */
export function withOtherClaims(token: string, claims: JWTPayload): string {
  const [header = "", , signature = ""] = token.split(".");
  return `${header}.${encodePart(claims)}.${signature}`;
}

export function keySetOf(...keys: readonly SigningKey[]): string {
  return JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) });
}

export function writeKeySet(path: string, ...keys: readonly SigningKey[]): Promise<void> {
  return writeFile(path, keySetOf(...keys));
}
