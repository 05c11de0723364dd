/** Tokens verified with a key set, from a file and from the sign-on's own address: rotation, outages, and forgeries. */
import { rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTokenVerifier, type TokenKeys, type TokenVerifier } from "../../src/security/token-verifier.js";
import {
  AUDIENCE,
  claimsOf,
  forgeHmacToken,
  ISSUER,
  keySetOf,
  makeSigningKey,
  SECRET,
  type SigningKey,
  SUBJECT,
  secondsFromNow,
  signWithSecret,
  unsignedToken,
  withOtherClaims,
  writeKeySet,
} from "../support/signed-tokens.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const verifierOf = (keys: TokenKeys): TokenVerifier => createTokenVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, roleClaim: "role" });
const codeOf = (verifier: TokenVerifier, token: string): Promise<string> =>
  verifier.verify(token).then(
    ({ role }) => role,
    (error: unknown) => String((error as { code?: unknown }).code),
  );

let rsa: SigningKey;
let ed: SigningKey;
let stranger: SigningKey;

beforeAll(async () => {
  [rsa, ed, stranger] = await Promise.all([makeSigningKey("RS256", "rsa-1"), makeSigningKey("EdDSA", "ed-1"), makeSigningKey("EdDSA", "stranger")]);
});

describe("a key set in a file", () => {
  let directory: TemporaryDirectory;
  let path: string;
  let verifier: TokenVerifier;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    path = join(directory.path, "jwks.json");
    await writeKeySet(path, rsa, ed);
    verifier = verifierOf({ kind: "jwks-file", path });
  });
  afterEach(() => directory.remove());

  it("verifies tokens signed with RS256 and with EdDSA", async () => {
    for (const key of [rsa, ed]) {
      const actor = await verifier.verify(await key.sign(claimsOf({ role: "supervisor" })));
      expect(actor.role).toBe("supervisor");
      expect(actor.actorId).toContain(SUBJECT);
    }
  });

  it("holds them to issuer, audience, time and subject", async () => {
    const wrong = [
      { iss: "https://elsewhere.example" },
      { aud: "dashboard" },
      { exp: secondsFromNow(-3_600) },
      { exp: undefined },
      { nbf: secondsFromNow(3_600) },
      { sub: undefined },
      { role: "root" },
    ];
    for (const some of wrong)
      for (const key of [rsa, ed]) expect(await codeOf(verifier, await key.sign(claimsOf(some))), JSON.stringify(some)).toBe("AUTH_CREDENTIALS_INVALID");
  });

  it("refuses a token that was signed with a public key as if it were a secret", async () => {
    const claims = claimsOf({ role: "admin" });
    const { n = "" } = rsa.publicJwk;
    const secrets = [rsa.publicPem, rsa.publicPem.trim(), JSON.stringify(rsa.publicJwk), n, Buffer.from(n, "base64url"), ed.publicPem, ed.publicJwk.x ?? ""];
    for (const secret of secrets)
      for (const kid of ["rsa-1", "ed-1", undefined])
        expect(await codeOf(verifier, forgeHmacToken(claims, secret, kid === undefined ? {} : { kid }))).toBe("AUTH_CREDENTIALS_INVALID");
  });

  it("refuses a token that brings its own key, that nobody signed, or that was changed", async () => {
    const claims = claimsOf({ role: "admin" });
    const honest = await rsa.sign(claimsOf());
    const forged = [
      await stranger.sign(claims),
      await stranger.sign(claims, { jwk: stranger.publicJwk }),
      await stranger.sign(claims, { kid: "ed-1" }),
      await stranger.sign(claims, { kid: "ed-1", jwk: stranger.publicJwk }),
      await stranger.sign(claims, { jku: "http://127.0.0.1:9/jwks", kid: "../../etc/passwd" }),
      await signWithSecret(claims, SECRET),
      unsignedToken(claims),
      withOtherClaims(honest, claims),
    ];
    for (const token of forged) expect(await codeOf(verifier, token)).toBe("AUTH_CREDENTIALS_INVALID");
    expect(await codeOf(verifier, honest)).toBe("agent");
  });

  it("verifies with no algorithm but the two it is for", async () => {
    const others = await Promise.all((["ES256", "PS256", "RS512"] as const).map((alg) => makeSigningKey(alg, alg)));
    const secretKey = { kty: "oct", k: Buffer.from(SECRET).toString("base64url"), kid: "shared", alg: "HS256" };
    await writeFile(path, JSON.stringify({ keys: [...others.map(({ publicJwk }) => publicJwk), secretKey] }));
    const tokens = await Promise.all(others.map((key) => key.sign(claimsOf({ role: "admin" }))));
    tokens.push(forgeHmacToken(claimsOf({ role: "admin" }), SECRET, { kid: "shared" }));
    for (const token of tokens) expect(await codeOf(verifier, token)).toBe("AUTH_CREDENTIALS_INVALID");
  });

  it("is read again when a token's key is not in it, within seconds", async () => {
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("agent");
    const next = await makeSigningKey("RS256", "rsa-2");
    await writeKeySet(path, next);
    const token = await next.sign(claimsOf());
    await until("the new key is known", async () => (await codeOf(verifier, token)) === "agent", 5_000, 100);
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("AUTH_CREDENTIALS_INVALID");
  });

  it.each([
    ["is not there", undefined],
    ["is empty", ""],
    ["is cut off", '{"keys": [{"kty"'],
    ["holds something else", '{"name": "keys"}'],
    ["holds a list of no keys", '{"keys": "none"}'],
  ])("that %s lets nobody in and says that keys are unavailable", async (_what, content) => {
    if (content === undefined) await rm(path);
    else await writeFile(path, content);
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("AUTH_KEYS_UNAVAILABLE");
  });

  it("is used again as soon as it is whole", async () => {
    await writeFile(path, "{");
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("AUTH_KEYS_UNAVAILABLE");
    await writeKeySet(path, rsa);
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("agent");
  });
});

describe("a key set at an address", () => {
  const servers: Server[] = [];
  let requests = 0;

  const serve = async (listener: RequestListener): Promise<URL> => {
    const server = createServer((request, response) => {
      requests += 1;
      listener(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`);
  };
  const serveKeys = (...keys: readonly SigningKey[]): Promise<URL> =>
    serve((_request, response) => {
      response.setHeader("content-type", "application/json").end(keySetOf(...keys));
    });

  beforeEach(() => {
    requests = 0;
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  it("verifies tokens, and is fetched once for many of them", async () => {
    const verifier = verifierOf({ kind: "jwks-url", url: await serveKeys(rsa, ed) });
    for (let round = 0; round < 10; round += 1)
      for (const key of [rsa, ed]) expect(await codeOf(verifier, await key.sign(claimsOf({ role: "supervisor" })))).toBe("supervisor");
    expect(requests).toBe(1);
  });

  it("is not asked once for every token of an unknown key", async () => {
    const verifier = verifierOf({ kind: "jwks-url", url: await serveKeys(rsa) });
    for (let round = 0; round < 20; round += 1) expect(await codeOf(verifier, await stranger.sign(claimsOf()))).toBe("AUTH_CREDENTIALS_INVALID");
    expect(requests).toBeLessThan(5);
  });

  it("refuses a public key as a secret, as the file does", async () => {
    const verifier = verifierOf({ kind: "jwks-url", url: await serveKeys(rsa) });
    expect(await codeOf(verifier, forgeHmacToken(claimsOf({ role: "admin" }), rsa.publicPem, { kid: "rsa-1" }))).toBe("AUTH_CREDENTIALS_INVALID");
  });

  it.each<[string, RequestListener]>([
    ["an error", (_request, response) => void response.writeHead(500).end("{}")],
    ["not found", (_request, response) => void response.writeHead(404).end('{"keys":[]}')],
    ["a page", (_request, response) => void response.setHeader("content-type", "text/html").end("<html>sign in</html>")],
    ["something else in JSON", (_request, response) => void response.setHeader("content-type", "application/json").end('{"keys":"none"}')],
    ["half an answer", (_request, response) => void response.writeHead(200, { "content-length": "999" }).write('{"keys":[', () => response.destroy())],
    ["nothing at all", (request) => void request.socket.destroy()],
  ])("that answers with %s lets nobody in and says that keys are unavailable", async (_what, listener) => {
    const verifier = verifierOf({ kind: "jwks-url", url: await serve(listener) });
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("AUTH_KEYS_UNAVAILABLE");
  });

  it("that can't be reached, or never answers, says that keys are unavailable", async () => {
    const url = await serveKeys(rsa);
    const gone = await serveKeys(rsa);
    servers.pop()?.close();
    expect(await codeOf(verifierOf({ kind: "jwks-url", url: gone }), await rsa.sign(claimsOf()))).toBe("AUTH_KEYS_UNAVAILABLE");
    const silent = await serve(() => {});
    expect(await codeOf(verifierOf({ kind: "jwks-url", url: silent }), await rsa.sign(claimsOf()))).toBe("AUTH_KEYS_UNAVAILABLE");
    expect(await codeOf(verifierOf({ kind: "jwks-url", url }), await rsa.sign(claimsOf()))).toBe("agent");
  });

  it("lets people in again when it answers again", async () => {
    let isUp = false;
    const url = await serve((_request, response) => {
      if (isUp) response.setHeader("content-type", "application/json").end(keySetOf(rsa));
      else response.writeHead(503).end();
    });
    const verifier = verifierOf({ kind: "jwks-url", url });
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("AUTH_KEYS_UNAVAILABLE");
    isUp = true;
    expect(await codeOf(verifier, await rsa.sign(claimsOf()))).toBe("agent");
  });
});
