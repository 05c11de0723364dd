/**
 * JSON Web Tokens of the helpline's own sign-on: signature, issuer, audience and time are checked, and the role is read
 * from a claim. Which algorithms count follows from the kind of keys, never from the token.
 *
 * @see RFC 7519 (JWT), RFC 8725 (its best practices), RFC 8037 (EdDSA)
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { AppError } from "../core/errors.js";
import { type Actor, EXCHANGE, OPERATOR } from "./authorization.js";
import { USER_ROLES, type UserRole } from "./permissions.js";

export type TokenKeys =
  | { readonly kind: "secret"; readonly secret: Uint8Array }
  | { readonly kind: "jwks-file"; readonly path: string }
  | { readonly kind: "jwks-url"; readonly url: URL };

export interface TokenVerifierOptions {
  readonly keys: TokenKeys;
  readonly issuer?: string;
  readonly audience?: string;
  /** Name of the claim; dots go into objects. Its value is a role of ours, or a list that holds one. */
  readonly roleClaim: string;
  /** For tests of time; default now. */
  readonly now?: () => Date;
}

export interface TokenVerifier {
  /** @throws AppError `AUTH_CREDENTIALS_INVALID`, `AUTH_KEYS_UNAVAILABLE` */
  verify(token: string): Promise<Actor>;
}

const CLOCK_TOLERANCE_SECONDS = 30;
/** A key set on disk is read again at most this often, when a token names a key it did not have. */
const RELOAD_AFTER_MS = 1_000;
const REMOTE_TIMEOUT_MS = 5_000;
const MAX_ACTOR_ID = 64;

/** Tokens must say when they expire and whose they are. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { keys, issuer, audience, roleClaim, now } = options;
  const checks = {
    algorithms: keys.kind === "secret" ? ["HS256"] : ["EdDSA", "RS256"],
    requiredClaims: ["exp", "sub"],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  const verifySignature = signatureVerifier(keys);
  return {
    async verify(token) {
      const currentDate = now === undefined ? {} : { currentDate: now() };
      const payload = await verifySignature(token, { ...checks, ...currentDate }).catch((error: unknown) => {
        throw toAuthError(error);
      });
      if (typeof payload.sub !== "string" || payload.sub === "")
        throw new AppError("AUTH_CREDENTIALS_INVALID", "The token does not say whose it is: its sub claim is empty.");
      return { actorId: actorIdOf(payload.sub), role: roleOf(payload, roleClaim) };
    },
  };
}

type Checks = NonNullable<Parameters<typeof jwtVerify>[2]>;

function signatureVerifier(keys: TokenKeys): (token: string, checks: Checks) => Promise<JWTPayload> {
  if (keys.kind === "secret") return async (token, checks) => (await jwtVerify(token, keys.secret, checks)).payload;
  const keySet = keys.kind === "jwks-url" ? createRemoteJWKSet(keys.url, { timeoutDuration: REMOTE_TIMEOUT_MS }) : keySetOfFile(keys.path);
  return async (token, checks) => (await jwtVerify(token, keySet, checks)).payload;
}

/** Keys are rotated by changing the file: it is read again for a key that is not in it yet. */
function keySetOfFile(path: string): JWTVerifyGetKey {
  let loaded: { readonly find: JWTVerifyGetKey; readonly atMs: number } | undefined;
  const load = async (): Promise<JWTVerifyGetKey> => {
    const find = createLocalJWKSet(JSON.parse(await readFile(path, "utf8")) as JSONWebKeySet);
    loaded = { find, atMs: performance.now() };
    return find;
  };
  return async (header, token) => {
    try {
      return await (loaded?.find ?? (await load()))(header, token);
    } catch (error) {
      const mayReload = error instanceof errors.JWKSNoMatchingKey && loaded !== undefined && performance.now() - loaded.atMs > RELOAD_AFTER_MS;
      if (!mayReload) throw error;
      return (await load())(header, token);
    }
  };
}

/** What is wrong with a token is told in general words only; that the keys can't be had is another matter. */
function toAuthError(error: unknown): AppError {
  if (error instanceof errors.JWTExpired) return new AppError("AUTH_CREDENTIALS_INVALID", "The token has expired; sign in again.", { cause: error });
  const isTokensFault = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && !(error instanceof errors.JWKSInvalid);
  if (isTokensFault && error.code !== "ERR_JOSE_GENERIC") {
    return new AppError("AUTH_CREDENTIALS_INVALID", "The token is not valid: its signature, issuer, audience, time or claims are wrong.", { cause: error });
  }
  return new AppError("AUTH_KEYS_UNAVAILABLE", "The keys that tokens are verified with can't be had; try again in a moment.", {
    retryable: true,
    cause: error,
  });
}

/** Subjects are ids in most sign-ons; one that is an e-mail address, or long, is hashed: it stands in every audit record. */
function actorIdOf(subject: string): string {
  const isPlain = /^[A-Za-z0-9._:-]+$/.test(subject) && subject.length <= MAX_ACTOR_ID;
  // Nobody signs in as one of ours, nor as an API key.
  const isOurs = subject === OPERATOR.actorId || subject === EXCHANGE.actorId || /^[0-9a-f]{16}$/.test(subject);
  if (isPlain && !isOurs) return subject;
  return `sub-${createHash("sha256").update(subject).digest("hex").slice(0, 32)}`;
}

function roleOf(payload: JWTPayload, roleClaim: string): UserRole {
  let value: unknown = payload;
  for (const name of roleClaim.split(".")) value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  const claimed = Array.isArray(value) ? value : [value];
  // The table's order: of several roles, the one that sees most.
  const role = [...USER_ROLES].sort((a, b) => RANK[b] - RANK[a]).find((known) => claimed.includes(known));
  if (role === undefined) throw new AppError("AUTH_CREDENTIALS_INVALID", "The token names no role of this service; see JWT_ROLE_CLAIM.");
  return role;
}

const RANK: Readonly<Record<UserRole, number>> = { service: 0, agent: 1, supervisor: 2, admin: 3 };
