import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { generateApiKey, matchesSecret, parseApiKey } from "../../../src/security/api-key.js";
import { createAuthenticator, type StoredApiKey } from "../../../src/security/authentication.js";
import { authorize, OPERATOR } from "../../../src/security/authorization.js";
import { isGranted, PERMISSIONS, USER_ROLES } from "../../../src/security/permissions.js";

describe("API keys", () => {
  it("have the form oca_, sixteen hex digits and 43 characters for 32 bytes", () => {
    const { keyId, token, secretHash } = generateApiKey();
    expect(token).toMatch(/^oca_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const secret = token.slice(21);
    expect(token).toBe(`oca_${keyId}_${secret}`);
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    expect(secretHash).toBe(createHash("sha256").update(secret).digest("hex"));
  });

  it("are never the same twice", () => {
    const keys = Array.from({ length: 200 }, generateApiKey);
    expect(new Set(keys.map(({ keyId }) => keyId)).size).toBe(200);
    expect(new Set(keys.map(({ secretHash }) => secretHash)).size).toBe(200);
  });

  it("are split into id and secret, also when the secret holds underscores", () => {
    const secret = `_-_${"a".repeat(40)}`;
    expect(parseApiKey(`oca_0123456789abcdef_${secret}`)).toEqual({ keyId: "0123456789abcdef", secret });
  });

  it.each([
    "",
    "oca_",
    "oca_0123456789abcdef_short",
    `OCA_0123456789abcdef_${"a".repeat(43)}`,
    `oca_0123456789ABCDEF_${"a".repeat(43)}`,
    `oca_0123456789abcdef_${"a".repeat(44)}`,
    `oca_0123456789abcdef_${"a".repeat(43)}\n`,
    ` oca_0123456789abcdef_${"a".repeat(43)}`,
    `oca_0123456789abcdef_${"+".repeat(43)}`,
  ])("are not what %j is", (token) => {
    expect(parseApiKey(token)).toBeUndefined();
  });

  it("match their own secret's hash and no other", () => {
    const { token, secretHash } = generateApiKey();
    const secret = parseApiKey(token)?.secret ?? "";
    expect(matchesSecret(secret, secretHash)).toBe(true);
    expect(matchesSecret(`${secret.slice(1)}x`, secretHash)).toBe(false);
    expect(matchesSecret("", secretHash)).toBe(false);
    for (const broken of ["", "00", secretHash.slice(2), `${secretHash}00`, "not hex at all"]) expect(matchesSecret(secret, broken)).toBe(false);
  });
});

describe("the authenticator", () => {
  const active = generateApiKey();
  const revoked = generateApiKey();
  const stored = new Map<string, StoredApiKey>([
    [active.keyId, { keyId: active.keyId, secretHash: active.secretHash, role: "supervisor", revokedAtMs: null }],
    [revoked.keyId, { keyId: revoked.keyId, secretHash: revoked.secretHash, role: "admin", revokedAtMs: 0 }],
  ]);
  const authenticator = createAuthenticator({ keys: { findKey: async (keyId) => stored.get(keyId) } });

  it("lets a stored key in, with its role", async () => {
    expect(await authenticator.authenticate(`Bearer ${active.token}`)).toEqual({ actorId: active.keyId, role: "supervisor" });
  });

  it("asks for credentials when there are none", async () => {
    for (const header of [undefined, ""]) await expect(authenticator.authenticate(header)).rejects.toMatchObject({ code: "AUTH_CREDENTIALS_MISSING" });
  });

  it("gives unknown, wrong, revoked and mistyped keys one and the same answer", async () => {
    const unknown = generateApiKey();
    const wrongSecret = `oca_${active.keyId}_${"a".repeat(43)}`;
    const headers = [unknown.token, wrongSecret, revoked.token, "nonsense"].map((token) => `Bearer ${token}`);
    const told = new Set<string>();
    for (const header of [...headers, active.token, `Basic ${active.token}`, "Bearer", `Bearer ${active.token} ${active.token}`]) {
      const error: unknown = await authenticator.authenticate(header).catch((thrown: unknown) => thrown);
      expect(error, header).toMatchObject({ code: "AUTH_CREDENTIALS_INVALID" });
      told.add((error as Error).message);
    }
    expect(told.size).toBe(1);
  });

  it("lets nobody in when the keys can't be looked up", async () => {
    const broken = createAuthenticator({ keys: { findKey: () => Promise.reject(new Error("no database")) } });
    await expect(broken.authenticate(`Bearer ${active.token}`)).rejects.toThrow("no database");
  });
});

describe("permissions", () => {
  // The table as the product wants it; product.md: calls in clear for agent, supervisor and admin.
  const TABLE: Readonly<Record<(typeof PERMISSIONS)[number], string>> = {
    "recording:create": "agent supervisor admin service",
    "task:read": "agent supervisor admin service",
    "task:cancel": "agent supervisor admin service",
    "call:read": "agent supervisor admin service",
    "call:control": "agent supervisor admin service",
    "call:delete": "supervisor admin",
    "call:hold": "supervisor admin",
    "transcript:read": "agent supervisor admin",
    "risk:acknowledge": "agent supervisor admin",
    "feedback:create": "agent supervisor admin",
    "feedback:read": "agent supervisor admin",
    "feedback:export": "supervisor admin",
    "queue:read": "supervisor admin service",
    "model:read": "agent supervisor admin service",
    "model:run": "agent supervisor admin service",
    "health:read": "agent supervisor admin service",
    "metrics:read": "admin service",
    "webhook:manage": "admin",
    "job:manage": "admin",
    "key:manage": "admin",
    "audit:verify": "admin",
  };

  it.each(PERMISSIONS)("gives %s to the roles of the table and to no other", (permission) => {
    expect(USER_ROLES.filter((role) => isGranted(role, permission)).join(" ")).toBe(TABLE[permission]);
  });

  it("authorize whom the table allows and refuse everybody else", () => {
    for (const role of USER_ROLES) {
      for (const permission of PERMISSIONS) {
        const actor = { actorId: "key-1", role };
        if (TABLE[permission].split(" ").includes(role)) expect(authorize(actor, permission)).toMatchObject({ actor, permission });
        else expect(() => authorize(actor, permission)).toThrowError(expect.objectContaining({ code: "AUTH_PERMISSION_DENIED", details: { permission } }));
      }
    }
    expect(OPERATOR.role).toBe("admin");
  });
});
