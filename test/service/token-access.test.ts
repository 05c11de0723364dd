/** The gateway with the helpline's own sign-on: what tokens of each role may do, and what the audit log says of them. */
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemSchema } from "../../src/protocol/http/problem-schema.js";
import { analysed } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { shortClip } from "../support/sample-audio.js";
import { verifyAudit, withDatabase } from "../support/service-database.js";
import { AUDIENCE, claimsOf, ISSUER, makeSigningKey, SECRET, SUBJECT, secondsFromNow, signWithSecret, unsignedToken } from "../support/signed-tokens.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

const clip = shortClip("child-violence-home", 3);

function withToken(gateway: TestGateway, token: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gateway.service.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
}

/** The code of a problem document; of any other answer, that it is none. */
async function codeOf(response: Response): Promise<string> {
  const text = await response.text();
  return response.ok ? "no problem" : problemSchema.parse(JSON.parse(text)).code;
}

interface Recorded {
  readonly actor_id: string;
  readonly role: string;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
}

function recordsOf(gateway: TestGateway, target: string): Promise<readonly Recorded[]> {
  return withDatabase(gateway, ({ sql }) =>
    sql.selectFrom("audit_record").select(["actor_id", "role", "action", "target", "outcome"]).where("target", "=", target).orderBy("seq").execute(),
  );
}

describe.skipIf(isMissing("pocketsphinx"))("the gateway with tokens of a shared secret", () => {
  let directory: TemporaryDirectory;
  let gateway: TestGateway;

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
    const secretFile = join(directory.path, "jwt.secret");
    await writeFile(secretFile, `${SECRET}\n`, { mode: 0o600 });
    gateway = await startGateway({ JWT_SECRET_FILE: secretFile, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
  });
  afterAll(async () => {
    await gateway.stop();
    await directory.remove();
  });

  it("lets a supervisor with a token read a call in clear, and writes down who it was", async () => {
    const { accepted, task } = await analysed(gateway, clip);
    const token = await signWithSecret(claimsOf({ role: "supervisor" }));
    const response = await withToken(gateway, token, `/api/v1/calls/${accepted.call_id}/transcript`);
    expect(response.status).toBe(200);
    const { transcript } = (await response.json()) as { transcript: string };
    for (const { text } of task.result?.transcript?.segments ?? []) expect(transcript).toContain(text);
    const reads = (await recordsOf(gateway, accepted.call_id)).filter(({ actor_id: actorId }) => actorId.includes(SUBJECT));
    expect(reads).toEqual([expect.objectContaining({ role: "supervisor", action: "transcript.read", outcome: "allowed" })]);
    expect((await verifyAudit(gateway)).brokenAtSeq).toBeNull();
  });

  it("refuses an agent's token what agents may not do, keeps the call, and writes that down too", async () => {
    const { accepted } = await analysed(gateway, clip);
    const token = await signWithSecret(claimsOf({ sub: randomUUID(), role: "agent" }));
    const refused = await withToken(gateway, token, `/api/v1/calls/${accepted.call_id}`, { method: "DELETE" });
    expect({ status: refused.status, code: await codeOf(refused) }).toEqual({ status: 403, code: "AUTH_PERMISSION_DENIED" });
    expect((await gateway.request("agent", `/api/v1/calls/${accepted.call_id}`)).status).toBe(200);
    const supervisor = await signWithSecret(claimsOf({ role: "supervisor" }));
    const deleted = await withToken(gateway, supervisor, `/api/v1/calls/${accepted.call_id}`, { method: "DELETE" });
    expect(deleted.ok).toBe(true);
    expect((await gateway.request("agent", `/api/v1/calls/${accepted.call_id}`)).status).toBe(404);
    const deletion = (await recordsOf(gateway, accepted.call_id)).filter(({ action }) => action === "call.deleted");
    expect(deletion.map(({ actor_id: actorId }) => actorId.includes(SUBJECT))).toEqual([true]);
  });

  it("records an e-mail address of a subject nowhere", async () => {
    const token = await signWithSecret(claimsOf({ sub: "amina.wanjiru@helpline.example", role: "supervisor" }));
    const { accepted } = await analysed(gateway, clip);
    expect((await withToken(gateway, token, `/api/v1/calls/${accepted.call_id}/analysis`)).status).toBe(200);
    const actors = (await recordsOf(gateway, accepted.call_id)).map(({ actor_id: actorId }) => actorId);
    expect(actors.length).toBeGreaterThan(1);
    expect(actors.join(" ")).not.toMatch(/amina|wanjiru|@/i);
  });

  it("takes API keys and tokens beside each other, and nothing else", async () => {
    expect((await gateway.request("agent", "/models")).status).toBe(200);
    expect((await withToken(gateway, await signWithSecret(claimsOf()), "/models")).status).toBe(200);
    const wrong = [
      await signWithSecret(claimsOf({ exp: secondsFromNow(-3_600) })),
      await signWithSecret(claimsOf({ role: "root" })),
      await signWithSecret(claimsOf({ iss: "https://elsewhere.example" })),
      await signWithSecret(claimsOf(), "another secret, of forty letters or more"),
      unsignedToken(claimsOf({ role: "admin" })),
    ];
    for (const token of wrong) {
      const response = await withToken(gateway, token, "/models");
      expect(response.status).toBe(401);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
      expect(await codeOf(response)).toBe("AUTH_CREDENTIALS_INVALID");
    }
  });

  it.each([
    ["a number", 7],
    ["a list", ["x"]],
    ["null", null],
    ["true", true],
    ["an empty text", ""],
  ])("answers a signed token whose subject is %s with 401", async (_what, sub) => {
    const response = await withToken(gateway, await signWithSecret(claimsOf({ sub })), "/models");
    expect({ status: response.status, code: await codeOf(response) }).toEqual({ status: 401, code: "AUTH_CREDENTIALS_INVALID" });
  });

  it("does not let a token pass for the owner of an API key by taking its id for a subject", async () => {
    const [, keyId = ""] = gateway.keys.agent.split("_");
    const asked = await gateway.request("agent", "/ner/extract?wait=30", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "My name is Zuhura and I live in Dodoma." }),
    });
    const { task_id: taskId } = (await asked.json()) as { task_id: string };
    expect((await gateway.request("agent", `/ner/task/${taskId}`)).status).toBe(200);
    const token = await signWithSecret(claimsOf({ sub: keyId }));
    expect((await withToken(gateway, token, `/ner/task/${taskId}`)).status).toBe(404);
  });
});

describe("the gateway with a key set it can't have", () => {
  it("answers tokens with 503 and lets API keys in all the same", async () => {
    const gateway = await startGateway({ JWT_JWKS_URL: "http://127.0.0.1:9/jwks", JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE });
    try {
      const key = await makeSigningKey("EdDSA", "ed-1");
      const response = await withToken(gateway, await key.sign(claimsOf()), "/models");
      expect({ status: response.status, code: await codeOf(response) }).toEqual({ status: 503, code: "AUTH_KEYS_UNAVAILABLE" });
      expect((await gateway.request("agent", "/models")).status).toBe(200);
      expect((await gateway.request(null, "/health/ready")).status).toBe(200);
    } finally {
      await gateway.stop();
    }
  });
});
