/** Search over real sockets: what is found, who may search, what of it is written down, and that nothing clear is kept for it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { foundCallsSchema } from "../../src/protocol/http/call-schema.js";
import { endOf, uploaded } from "../support/recording-client.js";
import { SAID_IN_CHILD_LABOUR } from "../support/said-words.js";
import { shortClip } from "../support/sample-audio.js";
import { auditLines, withDatabase } from "../support/service-database.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { filesHolding } from "../support/stored-bytes.js";
import { until } from "../support/until.js";

const scripted = { inferenceEntry: { url: new URL("../support/scripted-speech-process.ts", import.meta.url), execArgv: ["--import", "tsx"] } };
const [NAME, ...WORDS] = SAID_IN_CHILD_LABOUR;
const SETTINGS = { DEFAULT_LANGUAGES: "en" };

type Found = z.infer<typeof foundCallsSchema>;

describe("searching for what was said", () => {
  let gateway: TestGateway;
  const callIds: string[] = [];
  beforeAll(async () => {
    process.env["SCRIPTED_WORDS"] = SAID_IN_CHILD_LABOUR.join(",");
    gateway = await startGateway(SETTINGS, scripted);
    for (let count = 0; count < 3; count += 1) {
      const { call_id: callId, task_id: taskId } = await uploaded(gateway, shortClip("child-labour", 3));
      expect((await endOf(gateway, taskId)).status).toBe("completed");
      callIds.push(callId);
    }
    await until("all of them are found", async () => (await search({ text: "quarry" })).items.length === 3, 20_000, 50);
  });
  afterAll(async () => {
    delete process.env["SCRIPTED_WORDS"];
    await gateway.stop();
  });

  const post = (body: unknown, role: Parameters<TestGateway["request"]>[0] = "agent", from = gateway): Promise<Response> =>
    from.request(role, "/api/v1/calls/search", { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const search = async (body: unknown, role: Parameters<TestGateway["request"]>[0] = "agent"): Promise<Found> => {
    const response = await post(body, role);
    expect(response.status).toBe(200);
    return foundCallsSchema.parse(await response.json());
  };
  const idsOf = ({ items }: Found): readonly string[] => items.map(({ call }) => call.call_id);

  it("gives the calls, newest first, with the masked lines in which the words were said", async () => {
    const found = await search({ text: "Quarry HUNGRY" });
    expect(idsOf(found)).toEqual([...callIds].reverse());
    for (const { passages } of found.items) {
      const told = passages.map(({ text }) => text).join(" ");
      for (const word of WORDS) expect(told).toContain(word);
      expect(told).toContain("[NAME_1]");
      expect(told.toLowerCase()).not.toContain(NAME);
    }
  });

  it("finds no name, whoever asks", async () => {
    for (const role of ["agent", "supervisor", "admin", "service"] as const) {
      expect((await search({ text: NAME }, role)).items).toEqual([]);
      expect((await search({ text: "bould*" }, role)).items).toHaveLength(3);
    }
  });

  it("goes page by page, and within a filter", async () => {
    const first = await search({ text: "quarry", limit: 2 });
    const second = await search({ text: "quarry", limit: 2, cursor: first.next_cursor });
    expect([...idsOf(first), ...idsOf(second)]).toEqual([...callIds].reverse());
    expect(second.next_cursor).toBeNull();
    expect((await search({ text: "quarry", source: "live" })).items).toEqual([]);
    expect((await search({ text: "quarry", language: "en", status: "completed" })).items).toHaveLength(3);
    expect((await search({ text: "quarry", started_before: "2020-01-01T00:00:00Z" })).items).toEqual([]);
  });

  it.each([
    [{ text: "" }, "CALL_SEARCH_UNCLEAR"],
    [{ text: "quarry of" }, "CALL_SEARCH_UNCLEAR"],
    [{ text: "%_*" }, "CALL_SEARCH_UNCLEAR"],
    [{ text: "q".repeat(501) }, "GATEWAY_BAD_REQUEST"],
    [{ text: 7 }, "GATEWAY_BAD_REQUEST"],
    [{ text: "quarry", limit: 0 }, "GATEWAY_BAD_REQUEST"],
    [{ text: "quarry", cursor: "not one" }, "GATEWAY_BAD_REQUEST"],
    [{}, "GATEWAY_BAD_REQUEST"],
  ])("refuses %j in words of its own", async (body, code) => {
    const response = await post(body);
    const text = await response.text();
    expect([response.status, (JSON.parse(text) as { code: string }).code]).toEqual([400, code]);
    expect(text).not.toContain("quarry");
  });

  it.each([
    "' or '1'='1",
    "quarry) or (beaten",
    'quarry" OR "beaten',
    "quarry & !beaten",
    "+quarry -beaten",
    "quarry NEAR beaten",
    "terms : quarry",
    "x'; drop table call; --",
  ])("takes %j for words", async (text) => {
    expect([200, 400]).toContain((await post({ text })).status);
    expect((await search({ text: "quarry" })).items).toHaveLength(3);
  });

  it("needs a key, and leaves a record that it was done, without what for", async () => {
    expect((await post({ text: "quarry" }, null)).status).toBe(401);
    const searches = async () => (await auditLines(gateway)).filter(({ action }) => action === "calls.searched").length;
    const before = await searches();
    await search({ text: "hungry" }, "supervisor");
    expect(await searches()).toBe(before + 1);
    expect(JSON.stringify(await auditLines(gateway))).not.toContain("hungry");
  });

  it("keeps no word unsealed for it, and nothing of a call that is deleted", async () => {
    expect(filesHolding(gateway.dataDirectory, SAID_IN_CHILD_LABOUR)).toEqual([]);
    const [gone = ""] = callIds.splice(0, 1);
    expect((await gateway.request("admin", `/api/v1/calls/${gone}`, { method: "DELETE" })).status).toBe(200);
    expect(idsOf(await search({ text: "quarry" }))).toEqual([...callIds].reverse());
  });

  it("is turned off with a setting, which takes away what was kept for it; turned on again, all is found again", async () => {
    await gateway.service.stop();
    const parts = { ...scripted, dataDirectory: gateway.dataDirectory, keys: gateway.keys };
    const without = await startGateway({ ...SETTINGS, TEXT_SEARCH: "false" }, parts);
    const refused = await post({ text: "quarry" }, "agent", without);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([404, "CALL_SEARCH_OFF"]);
    expect(await withDatabase(without, ({ sql }) => sql.selectFrom("call_text").select("call_id").execute())).toEqual([]);
    await without.service.stop();
    gateway = await startGateway(SETTINGS, parts);
    await until("they are found again", async () => (await search({ text: "quarry" })).items.length === callIds.length, 20_000, 50);
  });
});
