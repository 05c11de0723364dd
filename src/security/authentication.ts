/** Turns a credential into an actor. Fails closed: no store, no entry. */
import { AppError } from "../core/errors.js";
import { matchesSecret, parseApiKey } from "./api-key.js";
import type { Actor } from "./authorization.js";
import type { UserRole } from "./permissions.js";
import type { TokenVerifier } from "./token-verifier.js";

export interface StoredApiKey {
  readonly keyId: string;
  readonly secretHash: string;
  readonly role: UserRole;
  readonly revokedAtMs: number | null;
}

/** Where keys are looked up; storage implements it. */
export interface ApiKeyLookup {
  findKey(keyId: string): Promise<StoredApiKey | undefined>;
}

/** The credential of an `Authorization: Bearer` header; undefined when it is none. */
export function bearerToken(authorizationHeader: string | undefined): string | undefined {
  return /^Bearer ([^\s]+)$/i.exec(authorizationHeader ?? "")?.[1];
}

/** True for what could be a key of ours or a token, by its form alone. */
export function isCredentialShaped(token: string): boolean {
  return parseApiKey(token) !== undefined || /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

export interface Authenticator {
  /** @throws AppError `AUTH_CREDENTIALS_MISSING`, `AUTH_CREDENTIALS_INVALID`, `AUTH_KEYS_UNAVAILABLE` */
  authenticate(authorizationHeader: string | undefined): Promise<Actor>;
}

/** Accepts API keys in `Authorization: Bearer`, and tokens when there is something to verify them with. */
export function createAuthenticator(options: { readonly keys: ApiKeyLookup; readonly tokens?: TokenVerifier }): Authenticator {
  return {
    async authenticate(header) {
      if (header === undefined || header === "") {
        throw new AppError("AUTH_CREDENTIALS_MISSING", "This needs credentials: send 'Authorization: Bearer' with an API key or a token.");
      }
      const token = bearerToken(header);
      const parsed = token === undefined ? undefined : parseApiKey(token);
      if (token !== undefined && parsed === undefined && options.tokens !== undefined) return options.tokens.verify(token);
      const stored = parsed === undefined ? undefined : await options.keys.findKey(parsed.keyId);
      if (parsed === undefined || stored === undefined || stored.revokedAtMs !== null || !matchesSecret(parsed.secret, stored.secretHash)) {
        // One answer for unknown, wrong and revoked: it must not tell which keys exist.
        throw new AppError("AUTH_CREDENTIALS_INVALID", "The credentials are not valid: unknown, revoked or mistyped API key.");
      }
      return { actorId: stored.keyId, role: stored.role };
    },
  };
}
