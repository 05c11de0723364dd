/** Tokens signed with a shared secret, and the claims of any token: who is let in, as whom, and who is not. */
import { describe, expect, it } from "vitest";
import { createAuthenticator, isCredentialShaped } from "../../../src/security/authentication.js";
import { OPERATOR } from "../../../src/security/authorization.js";
import { USER_ROLES } from "../../../src/security/permissions.js";
import { createTokenVerifier, type TokenVerifierOptions } from "../../../src/security/token-verifier.js";
import {
  AUDIENCE,
  claimsOf,
  forgeHmacToken,
  ISSUER,
  makeSigningKey,
  SECRET,
  SUBJECT,
  secondsFromNow,
  signWithSecret,
  unsignedToken,
  withOtherClaims,
} from "../../support/signed-tokens.js";

const verifierOf = (some: Partial<TokenVerifierOptions> = {}) =>
  createTokenVerifier({ keys: { kind: "secret", secret: new TextEncoder().encode(SECRET) }, issuer: ISSUER, audience: AUDIENCE, roleClaim: "role", ...some });

const verifier = verifierOf();
const INVALID = { code: "AUTH_CREDENTIALS_INVALID" };

async function errorOf(token: string, of = verifier): Promise<unknown> {
  return of.verify(token).then(
    () => "let in",
    (error: unknown) => error,
  );
}

describe("a token signed with the shared secret", () => {
  it("lets its subject in with the role it names", async () => {
    for (const role of USER_ROLES) expect(await verifier.verify(await signWithSecret(claimsOf({ role })))).toMatchObject({ role });
    expect((await verifier.verify(await signWithSecret(claimsOf()))).actorId).toContain(SUBJECT);
  });

  it("may be for several audiences, of which this is one", async () => {
    const token = await signWithSecret(claimsOf({ aud: ["dashboard", AUDIENCE] }));
    expect(await verifier.verify(token)).toMatchObject({ role: "agent" });
  });

  it("needs no issuer or audience where none is set", async () => {
    const open = createTokenVerifier({ keys: { kind: "secret", secret: new TextEncoder().encode(SECRET) }, roleClaim: "role" });
    expect(await open.verify(await signWithSecret(claimsOf({ iss: undefined, aud: undefined })))).toMatchObject({ role: "agent" });
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["of another issuer", { iss: "https://elsewhere.example" }],
    ["of an issuer that only begins alike", { iss: `${ISSUER}.evil.example` }],
    ["of no issuer", { iss: undefined }],
    ["for another audience", { aud: "dashboard" }],
    ["for no audience", { aud: undefined }],
    ["that has expired", { exp: secondsFromNow(-3_600) }],
    ["that never expires", { exp: undefined }],
    ["that expires at a word", { exp: "never" }],
    ["that is not valid yet", { nbf: secondsFromNow(3_600) }],
    ["of nobody", { sub: undefined }],
    ["of an empty name", { sub: "" }],
    ["of a number", { sub: 7 }],
    ["of no role", { role: undefined }],
    ["of a role that is none", { role: "root" }],
    ["of a role spelled otherwise", { role: "Admin" }],
    ["of a role that every object has", { role: "constructor" }],
    ["of a list without a role of ours", { role: ["offline_access", "root"] }],
    ["of an empty list of roles", { role: [] }],
    ["of an object for a role", { role: { admin: true } }],
    ["of true for a role", { role: true }],
  ])("is refused when it is one %s", async (_what, some) => {
    expect(await errorOf(await signWithSecret(claimsOf(some)))).toMatchObject(INVALID);
  });

  it("is refused when its signature, its claims or its header were changed", async () => {
    const token = await signWithSecret(claimsOf());
    const [header = "", payload = "", signature = ""] = token.split(".");
    const flipped = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    const changed = [
      `${header}.${payload}.${flipped}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      withOtherClaims(token, claimsOf({ role: "admin" })),
      token.slice(0, -4),
      `${token}.${signature}`,
      `${payload}.${header}.${signature}`,
    ];
    for (const wrong of changed) expect(await errorOf(wrong), wrong.slice(-20)).toMatchObject(INVALID);
    expect(await verifier.verify(token)).toMatchObject({ role: "agent" });
  });

  it("is refused when it was signed with another secret or another algorithm", async () => {
    const claims = claimsOf({ role: "admin" });
    const rsa = await makeSigningKey("RS256", "key-1");
    const wrong = [
      await signWithSecret(claims, `${SECRET}!`),
      await signWithSecret(claims, SECRET.slice(0, -1).padEnd(40, "x")),
      await signWithSecret(claims, SECRET.padEnd(64, "."), "HS512"),
      await signWithSecret(claims, SECRET.padEnd(64, "."), "HS384"),
      forgeHmacToken(claims, ""),
      forgeHmacToken(claims, SECRET, { alg: "HS512" }),
      forgeHmacToken(claims, SECRET, { alg: "hs256" }),
      await rsa.sign(claims),
      ...["none", "None", "NONE", "nOnE", ""].map((alg) => unsignedToken(claims, alg)),
    ];
    for (const token of wrong) expect(await errorOf(token), token.slice(0, 40)).toMatchObject(INVALID);
  });

  it.each(["", ".", "..", "a.b.c", "e30.e30.", "é.é.é", `${"a".repeat(20_000)}.b.c`, "null.null.null"])("is not what %j is", async (text) => {
    expect(await errorOf(text)).toMatchObject(INVALID);
  });

  it("is refused with words that repeat nothing of it, and with the same for every forgery", async () => {
    const forgeries = [
      await signWithSecret(claimsOf(), "another secret, of forty letters or more"),
      withOtherClaims(await signWithSecret(claimsOf()), claimsOf({ role: "admin" })),
      unsignedToken(claimsOf()),
    ];
    const others = [
      await signWithSecret(claimsOf({ role: "bishop" })),
      await signWithSecret(claimsOf({ iss: "https://elsewhere.example" })),
      await signWithSecret(claimsOf({ exp: secondsFromNow(-9_999) })),
      "nonsense",
    ];
    const told = async (token: string): Promise<string> => {
      const error = await errorOf(token);
      if (!(error instanceof Error)) throw new Error("an error was expected");
      expect(JSON.stringify({ ...error, message: error.message })).not.toMatch(/bishop|elsewhere|7f1b7e52|eyJ|nonsense/);
      return error.message;
    };
    const messages = await Promise.all(forgeries.map(told));
    expect(new Set(messages).size).toBe(1);
    await Promise.all(others.map(told));
  });
});

describe("the time of a token", () => {
  const at = (time: string): TokenVerifierOptions["now"] => {
    const date = new Date(time);
    return () => date;
  };
  const exp = Date.parse("2031-05-01T12:00:00Z") / 1_000;
  const nbf = Date.parse("2031-05-01T11:00:00Z") / 1_000;

  it.each([
    ["before it begins", "2031-05-01T10:30:00Z", false],
    ["while it lasts", "2031-05-01T11:30:00Z", true],
    ["a minute before its end", "2031-05-01T11:59:00Z", true],
    ["ten minutes after its end", "2031-05-01T12:10:00Z", false],
  ])("is kept to %s", async (_what, now, isLetIn) => {
    const clocked = verifierOf({ now: at(now) as () => Date });
    const token = await signWithSecret(claimsOf({ iat: nbf, nbf, exp }));
    const outcome = await clocked.verify(token).then(
      () => true,
      () => false,
    );
    expect(outcome).toBe(isLetIn);
  });
});

describe("the role claim", () => {
  it.each<[string, string, Readonly<Record<string, unknown>>]>([
    ["a text", "role", { role: "supervisor" }],
    ["a list that holds one", "role", { role: ["offline_access", "supervisor", "uma_authorization"] }],
    ["a claim of another name", "helpline_role", { role: "agent", helpline_role: "supervisor" }],
    ["a list within objects", "realm_access.roles", { role: "agent", realm_access: { roles: ["default", "supervisor"] } }],
    ["a text three objects deep", "a.b.c.role", { role: "agent", a: { b: { c: { role: "supervisor" } } } }],
  ])("is read as %s", async (_what, roleClaim, some) => {
    expect(await verifierOf({ roleClaim }).verify(await signWithSecret(claimsOf(some)))).toMatchObject({ role: "supervisor" });
  });

  it.each([
    [["agent", "supervisor"], "supervisor"],
    [["supervisor", "admin", "agent"], "admin"],
    [["service", "agent"], "agent"],
    [["agent", "service", "root"], "agent"],
  ])("that lists %j is of who sees most, %s", async (role, expected) => {
    expect(await verifier.verify(await signWithSecret(claimsOf({ role })))).toMatchObject({ role: expected });
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["the object is not there", {}],
    ["the object is a text", { realm_access: "supervisor" }],
    ["the object is null", { realm_access: null }],
    ["the object is a list", { realm_access: ["supervisor"] }],
    ["only the outer name has a role", { roles: ["supervisor"] }],
    ["its name is spelled with the dot", { "realm_access.roles.x": ["supervisor"] }],
  ])("lets nobody in when it lies in an object and %s", async (_what, some) => {
    const nested = verifierOf({ roleClaim: "realm_access.roles" });
    expect(await errorOf(await signWithSecret(claimsOf({ role: "supervisor", ...some })), nested)).toMatchObject(INVALID);
  });
});

describe("who a token's subject is", () => {
  const actorOf = async (sub: string) => (await verifier.verify(await signWithSecret(claimsOf({ sub })))).actorId;

  it.each(["amina.wanjiru@helpline.example", "Amina.Wanjiru+desk4@HELPLINE.example"])("is not shown as the e-mail address %s", async (sub) => {
    const actorId = await actorOf(sub);
    expect(actorId.toLowerCase()).not.toMatch(/amina|wanjiru|@|helpline\.example/);
    expect(actorId).toBe(await actorOf(sub));
    expect(actorId).not.toBe(await actorOf(sub.replace("mina", "nina")));
    expect(actorId.length).toBeGreaterThan(0);
  });

  it("is the same each time and another for another subject", async () => {
    expect(await actorOf(SUBJECT)).toBe(await actorOf(SUBJECT));
    expect(await actorOf(SUBJECT)).not.toBe(await actorOf(SUBJECT.replace("7f", "7e")));
  });

  it("is never the operator, whatever it calls itself", async () => {
    expect(await actorOf(OPERATOR.actorId)).not.toBe(OPERATOR.actorId);
  });
});

describe("the authenticator with tokens", () => {
  const authenticator = createAuthenticator({ keys: { findKey: async () => undefined }, tokens: verifier });

  it("lets the owner of a token in, and nobody without one", async () => {
    expect(await authenticator.authenticate(`Bearer ${await signWithSecret(claimsOf({ role: "supervisor" }))}`)).toMatchObject({ role: "supervisor" });
    await expect(authenticator.authenticate(`Bearer ${unsignedToken(claimsOf({ role: "admin" }))}`)).rejects.toMatchObject(INVALID);
    await expect(authenticator.authenticate(undefined)).rejects.toMatchObject({ code: "AUTH_CREDENTIALS_MISSING" });
  });

  it("takes no token where there is nothing to verify it with", async () => {
    const keysOnly = createAuthenticator({ keys: { findKey: async () => undefined } });
    await expect(keysOnly.authenticate(`Bearer ${await signWithSecret(claimsOf())}`)).rejects.toMatchObject(INVALID);
  });

  it("tells a token by its form", async () => {
    expect(isCredentialShaped(await signWithSecret(claimsOf()))).toBe(true);
    for (const text of ["", "nonsense", "a b.c.d", "<script>.x.y"]) expect(isCredentialShaped(text), text).toBe(false);
  });
});
