/** Settings of tokens that must not start a service: which of them go together, and what they may be. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tokenVerifierOf } from "../../../src/app/token-verifier.js";
import { loadConfig } from "../../../src/config/load-config.js";
import { AppError } from "../../../src/core/errors.js";
import { AUDIENCE, claimsOf, ISSUER, keySetOf, makeSigningKey, SECRET, signWithSecret } from "../../support/signed-tokens.js";

type Settings = Readonly<Record<string, string>>;

describe("settings of tokens", () => {
  let directory: string;
  let secretFile: string;
  let jwksFile: string;

  const fileOf = (name: string, content: string | Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "openchs-ai-test-"));
    secretFile = fileOf("secret", SECRET);
    jwksFile = fileOf("jwks.json", keySetOf(await makeSigningKey("EdDSA", "key-1")));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const start = (env: Settings) => tokenVerifierOf(loadConfig({ env }));
  const faultOf = async (env: Settings): Promise<AppError> => {
    try {
      await start(env);
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
    throw new Error("these settings were expected to be refused");
  };

  it("are not needed: without them there are API keys alone", async () => {
    expect((await start({})).tokens).toBeUndefined();
  });

  it("may be a secret alone, or a key set with who issues tokens and for whom", async () => {
    expect((await start({ JWT_SECRET_FILE: secretFile })).tokens).toBeDefined();
    const with2 = { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE };
    expect((await start({ JWT_JWKS_FILE: jwksFile, ...with2 })).tokens).toBeDefined();
    for (const url of ["https://sign-on.helpline.example/jwks", "http://127.0.0.1:9/jwks", "http://localhost:9/jwks", "http://[::1]:9/jwks"])
      expect((await start({ JWT_JWKS_URL: url, ...with2 })).tokens, url).toBeDefined();
  });

  it("name one place for keys, never two", async () => {
    const url = "https://sign-on.helpline.example/jwks";
    const both = { JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE };
    for (const sources of [
      { JWT_SECRET_FILE: secretFile, JWT_JWKS_FILE: jwksFile },
      { JWT_SECRET_FILE: secretFile, JWT_JWKS_URL: url },
      { JWT_JWKS_FILE: jwksFile, JWT_JWKS_URL: url },
    ]) {
      const fault = await faultOf({ ...sources, ...both });
      expect(fault.code).toBe("CONFIG_INVALID");
      expect(fault.safeMessage).toMatch(/JWT_/);
    }
  });

  it.each<[string, Settings]>([
    ["an issuer", { JWT_AUDIENCE: AUDIENCE }],
    ["an audience", { JWT_ISSUER: ISSUER }],
    ["either", {}],
  ])("with a key set and without %s are refused", async (_what, named) => {
    for (const source of [{ JWT_JWKS_FILE: jwksFile }, { JWT_JWKS_URL: "https://sign-on.helpline.example/jwks" }]) {
      const fault = await faultOf({ ...source, ...named });
      expect(fault.code).toBe("CONFIG_INVALID");
      expect(fault.safeMessage).toMatch(/JWT_ISSUER|JWT_AUDIENCE/);
    }
  });

  it.each([
    "http://sign-on.helpline.example/jwks",
    "http://127.0.0.1.evil.example/jwks",
    "http://localhost.evil.example/jwks",
    "http://10.0.0.7/jwks",
    "ftp://127.0.0.1/jwks",
    "file:///etc/passwd",
    "not an address",
  ])("do not have %s for an address of keys", async (url) => {
    const fault = await faultOf({ JWT_JWKS_URL: url, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
    expect(fault.code).toBe("CONFIG_INVALID");
    expect(fault.safeMessage).toContain("JWT_JWKS_URL");
  });

  it.each([
    ["is empty", ""],
    ["has one character", "x"],
    ["has 31 characters", "a".repeat(31)],
    ["has 31 characters and a line break", `${"a".repeat(31)}\n`],
    ["has nothing but blanks", " ".repeat(40)],
  ])("have no secret that %s", async (what, secret) => {
    const fault = await faultOf({ JWT_SECRET_FILE: fileOf(what, secret) });
    expect(fault.code).toBe("CONFIG_INVALID");
    expect(fault.safeMessage).toContain("JWT_SECRET_FILE");
    expect(`${fault.safeMessage} ${fault.message} ${JSON.stringify(fault.details)}`).not.toContain("aaaa");
  });

  it("have a secret of 32 characters, with or without the line break an editor puts behind it", async () => {
    const secret = "0123456789abcdef0123456789abcdef";
    for (const content of [secret, `${secret}\n`, `${secret}\r\n`]) {
      const { tokens } = await start({ JWT_SECRET_FILE: fileOf("least", content) });
      expect(await tokens?.verify(await signWithSecret(claimsOf(), secret)), JSON.stringify(content)).toMatchObject({ role: "agent" });
    }
  });

  it("do not name a secret's file that is not there or is a directory", async () => {
    for (const path of [join(directory, "nowhere"), directory]) expect((await faultOf({ JWT_SECRET_FILE: path })).code).toBe("CONFIG_INVALID");
  });

  it("take the claim of the role from JWT_ROLE_CLAIM", async () => {
    const { tokens } = await start({ JWT_SECRET_FILE: secretFile, JWT_ROLE_CLAIM: "realm_access.roles" });
    const token = await signWithSecret(claimsOf({ role: "admin", realm_access: { roles: ["x", "supervisor"] } }));
    expect(await tokens?.verify(token)).toMatchObject({ role: "supervisor" });
  });

  it("hold tokens signed with the secret to issuer and audience when these are set", async () => {
    const { tokens } = await start({ JWT_SECRET_FILE: secretFile, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
    expect(await tokens?.verify(await signWithSecret(claimsOf()))).toMatchObject({ role: "agent" });
    for (const some of [{ iss: "https://elsewhere.example" }, { aud: "dashboard" }])
      await expect(tokens?.verify(await signWithSecret(claimsOf(some)))).rejects.toMatchObject({ code: "AUTH_CREDENTIALS_INVALID" });
  });
});
