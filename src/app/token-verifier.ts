/** Chooses how tokens are verified from the settings; none unless a secret or a key set is named. */
import { readFile } from "node:fs/promises";
import type { Config } from "../config/config-schema.js";
import { AppError } from "../core/errors.js";
import { createTokenVerifier, type TokenKeys, type TokenVerifier } from "../security/token-verifier.js";

/** HS256 is as strong as its secret. */
const MIN_SECRET_BYTES = 32;

/** @throws AppError `CONFIG_INVALID` */
export async function tokenVerifierOf({ jwt }: Config): Promise<{ readonly tokens?: TokenVerifier }> {
  const named = [jwt.secretFile, jwt.jwksFile, jwt.jwksUrl].filter((source) => source !== undefined);
  if (named.length === 0) return {};
  if (named.length > 1) throw new AppError("CONFIG_INVALID", "Name one of JWT_SECRET_FILE, JWT_JWKS_FILE and JWT_JWKS_URL, not several.");
  if (jwt.secretFile === undefined && (jwt.issuer === undefined || jwt.audience === undefined)) {
    throw new AppError("CONFIG_INVALID", "JWT_ISSUER and JWT_AUDIENCE must be set with a key set: its tokens may be for other services too.");
  }
  const { issuer, audience, roleClaim } = jwt;
  const verifier = createTokenVerifier({
    keys: await keysOf(jwt),
    roleClaim,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  });
  return { tokens: verifier };
}

async function keysOf({ secretFile, jwksFile, jwksUrl = "" }: Config["jwt"]): Promise<TokenKeys> {
  if (jwksFile !== undefined) return { kind: "jwks-file", path: jwksFile };
  if (secretFile === undefined) return { kind: "jwks-url", url: new URL(jwksUrl) };
  const secret = await readFile(secretFile, "utf8").catch((cause: unknown) => {
    throw new AppError("CONFIG_INVALID", "The file of JWT_SECRET_FILE can't be read.", { cause });
  });
  const bytes = Buffer.from(secret.trim(), "utf8");
  if (bytes.length < MIN_SECRET_BYTES)
    throw new AppError("CONFIG_INVALID", `The secret in JWT_SECRET_FILE is too short: ${MIN_SECRET_BYTES} characters or more.`);
  return { kind: "secret", secret: bytes };
}
