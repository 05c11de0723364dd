/** The roles over MariaDB in place of PostgreSQL: a recording and a live call through all of them, and nothing left of what is deleted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { newStreamId } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { isMissing } from "../support/requirements.js";
import { type Helpline, type RoleProcess, startHelpline } from "../support/run-roles.js";
import { shortClip } from "../support/sample-audio.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

describe.skipIf(isMissing("pocketsphinx", "redis-server", "mariadb"))("api, worker and stream over MariaDB", () => {
  let helpline: Helpline;
  let apis: readonly [RoleProcess, RoleProcess];
  let stream: RoleProcess;
  let key: string;
  const request = (at: RoleProcess, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${at.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });
  const json = async <Body>(at: RoleProcess, path: string): Promise<Body> => (await (await request(at, path)).json()) as Body;
  const statusOf = async (at: RoleProcess, callId: string): Promise<string> => (await json<{ status: string }>(at, `/api/v1/calls/${callId}`)).status;

  beforeAll(async () => {
    helpline = await startHelpline({}, "mariadb");
    const [one, other, streaming] = await Promise.all([helpline.start("api"), helpline.start("api"), helpline.start("stream"), helpline.start("worker")]);
    [apis, stream] = [[one, other], streaming];
    key = await helpline.adminKey();
  });
  afterAll(() => helpline.close());

  it("analyse recordings that both api took at the same time, and find, show and delete them at the other", async () => {
    const [one, other] = apis;
    const upload = async (at: RoleProcess): Promise<string> => {
      const form = new FormData();
      form.set("audio", new Blob([new Uint8Array(shortClip("child-violence-home", 3))]), "call.wav");
      form.set("language", "en");
      const response = await request(at, "/audio/process", { method: "POST", body: form });
      expect(response.status).toBe(202);
      return ((await response.json()) as { call_id: string }).call_id;
    };
    const callIds = await Promise.all([one, other, one, other].map(upload));
    await until(
      "all are analysed",
      async () => (await Promise.all(callIds.map((id) => statusOf(other, id)))).every((status) => status === "completed"),
      90_000,
      200,
    );
    const listed = async (at: RoleProcess) => (await json<{ items: readonly { call_id: string }[] }>(at, "/api/v1/calls")).items.map(({ call_id: id }) => id);
    expect([...(await listed(one))].sort()).toEqual([...callIds].sort());
    const { transcript } = await json<WireAnalysis>(other, `/api/v1/calls/${callIds[0]}/analysis`);
    expect(transcript?.segments.length).toBeGreaterThan(0);
    for (const callId of callIds) expect((await request(one, `/api/v1/calls/${callId}`, { method: "DELETE" })).status).toBe(200);
    expect(await listed(other)).toEqual([]);
  });

  it("take a live call in one process, tell of it in another, and have all of it analysed", async () => {
    const [one, other] = apis;
    const callId = newStreamId("1");
    const leg = await openLeg(stream.streamPort, callId);
    const speaking = leg.speak(legOf("child-violence-home", 0, 3_000, 6_000), 1);
    await until("it is known", async () => (await request(one, `/api/v1/calls/${callId}`)).status === 200, 20_000, 100);
    const told = request(other, `/api/v1/calls/${callId}/live`).then((response) => response.text());
    await speaking;
    await leg.hangUp();
    await until("it is analysed", async () => (await statusOf(one, callId)) === "completed", 90_000, 250);
    for (const type of ["call.started", "segment.final", "call.ended", "analysis.completed"]) expect(await told).toContain(type);
    const { audio } = await json<{ audio: { channels: readonly { ledger: Readonly<Record<string, number>> }[] } }>(one, `/api/v1/calls/${callId}/analysis`);
    const accounted = audio.channels.map(({ ledger: { gap_ms: _gap, ...ledger } }) => Object.values(ledger).reduce((sum, ms) => sum + ms, 0));
    expect(accounted).toEqual([3_000]);
  });
});
