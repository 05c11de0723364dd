/** The list of calls over HTTP: order, pages while calls arrive, filters, and what it refuses. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { newId } from "../../src/core/ids.js";
import { callPageSchema, callSchema } from "../../src/protocol/http/call-schema.js";
import { ask, codeOf } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { analysed, uploaded } from "../support/recording-client.js";
import { type CallOfHistory, insertCalls } from "../support/service-database.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

type CallPage = z.infer<typeof callPageSchema>;

const FIRST_MS = Date.UTC(2025, 0, 1);
const HOUR_MS = 3_600_000;
const instant = (hours: number): string => new Date(FIRST_MS + hours * HOUR_MS).toISOString();

/** An hour after the one before, four at the same moment; what a filter looks at differs. */
const HISTORY: readonly CallOfHistory[] = Array.from({ length: 24 }, (_, index) => ({
  call_id: newId(FIRST_MS + index),
  started_at_ms: FIRST_MS + Math.floor(index / 4) * HOUR_MS,
  status: ["completed", "failed", "cancelled"][index % 3] ?? "completed",
  source: index % 2 === 0 ? "upload" : "live",
  languages: JSON.stringify([["sw"], ["en"], ["sw", "en"], ["swc"], [], ["lg", "sw"]][index % 6]),
  agent_id: index % 8 === 0 ? "agent-1" : "agent-12",
}));
/** Before anything the service itself took in. */
const PAST = `started_before=${instant(1_000)}`;
const idsOf = (calls: readonly CallOfHistory[]): readonly string[] => calls.map(({ call_id: callId }) => callId ?? "");

describe("the list of calls", () => {
  let gateway: TestGateway;
  let ownCallId: string;
  beforeAll(async () => {
    gateway = await startGateway();
    const { accepted } = await analysed(gateway, quietClip("own"));
    ownCallId = accepted.call_id;
    await insertCalls(gateway, ownCallId, HISTORY);
  });
  afterAll(() => gateway.stop());

  const page = async (query: string): Promise<CallPage> => {
    const answer = await ask(gateway, `/api/v1/calls?${query}`);
    expect(answer.status, answer.body.toString("utf8")).toBe(200);
    return callPageSchema.strict().parse(JSON.parse(answer.body.toString("utf8")));
  };
  /** Every page, with something done between one and the next. */
  const walk = async (query: string, between: () => Promise<unknown> = async () => {}): Promise<readonly CallPage[]> => {
    const pages: CallPage[] = [];
    for (let cursor: string | null = ""; cursor !== null; cursor = pages.at(-1)?.next_cursor ?? null) {
      pages.push(await page(cursor === "" ? query : `${query}&cursor=${encodeURIComponent(cursor)}`));
      await between();
    }
    return pages;
  };
  const listed = async (query: string): Promise<readonly string[]> => (await page(`${PAST}&limit=500&${query}`)).items.map((call) => call.call_id);
  const whichOf = (isWanted: (call: CallOfHistory, index: number) => boolean): readonly string[] => [...idsOf(HISTORY.filter(isWanted))].sort();

  it("has the newest first, whole and once", async () => {
    const { items, next_cursor: next } = await page("limit=500");
    const starts = items.map((call) => Date.parse(call.started_at));
    expect(starts).toEqual([...starts].sort((a, b) => b - a));
    expect(items[0]?.call_id).toBe(ownCallId);
    expect([...items.map((call) => call.call_id)].sort()).toEqual([ownCallId, ...idsOf(HISTORY)].sort());
    expect(next).toBeNull();
  });

  it("has each call as its own path has it", async () => {
    for (const item of (await page("limit=3")).items)
      expect(callSchema.strict().parse(await gateway.json("agent", `/api/v1/calls/${item.call_id}`))).toEqual(item);
  });

  it.each([1, 2, 4, 5, 23, 24, 25])("is the same in pages of %i", async (limit) => {
    const whole = (await page(`${PAST}&limit=500`)).items;
    const pages = await walk(`${PAST}&limit=${limit}`);
    expect(pages.flatMap(({ items }) => items)).toEqual(whole);
    expect(pages.slice(0, -1).every(({ items }) => items.length === limit)).toBe(true);
    expect(pages.every(({ next_cursor: next }) => next === null || encodeURIComponent(next).length <= 200)).toBe(true);
  });

  it("has no gap and no repetition in its pages while new calls arrive", async () => {
    const before = (await page("limit=500")).items.map((call) => call.call_id);
    const pages = await walk("limit=4", () => uploaded(gateway, quietClip(`arrives ${newId()}`)));
    const seen = pages.flatMap(({ items }) => items.map((call) => call.call_id));
    expect(seen).toEqual(before);
    expect((await page("limit=500")).items.length).toBe(before.length + pages.length);
  });

  it.each(["completed", "failed", "cancelled"])("shows only %s calls when asked to", async (status) => {
    expect([...(await listed(`status=${status}`))].sort()).toEqual(whichOf((call) => call.status === status));
  });

  it.each(["upload", "live"])("shows only calls of the source %s when asked to", async (source) => {
    expect([...(await listed(`source=${source}`))].sort()).toEqual(whichOf((call) => call.source === source));
  });

  it.each(["sw", "en", "lg", "swc", "fr"])("shows only calls on which %s was spoken when asked to, and no language that begins like it", async (language) => {
    const spokenOn = (call: CallOfHistory): boolean => (JSON.parse(call.languages ?? "[]") as string[]).includes(language);
    expect([...(await listed(`language=${language}`))].sort()).toEqual(whichOf(spokenOn));
  });

  it("shows only calls of the agent asked for", async () => {
    expect([...(await listed("agent_id=agent-1"))].sort()).toEqual(whichOf((call) => call.agent_id === "agent-1"));
    expect(await listed("agent_id=agent")).toEqual([]);
  });

  it("shows calls from one moment on and before another, the first with and the second without that moment", async () => {
    const startedIn = (from: number, before: number) => whichOf((_call, index) => Math.floor(index / 4) >= from && Math.floor(index / 4) < before);
    const between = async (from: string, before: string) => {
      const { items } = await page(`limit=500&started_from=${encodeURIComponent(from)}&started_before=${encodeURIComponent(before)}`);
      return [...items.map((call) => call.call_id)].sort();
    };
    expect(await between(instant(2), instant(4))).toEqual(startedIn(2, 4));
    expect(await between(instant(-5), instant(3))).toEqual(startedIn(0, 3));
    expect(await between(instant(4), instant(4))).toEqual([]);
    expect(await between(instant(5), instant(4))).toEqual([]);
    // Eight o'clock in Nairobi is five o'clock UTC.
    expect(await between(instant(8).replace("Z", "+03:00"), instant(99))).toEqual(startedIn(5, 99));
    expect([...(await listed(`started_from=${instant(3)}`))].sort()).toEqual(startedIn(3, 99));
  });

  it("puts filters together, on every page of the list", async () => {
    const wanted = whichOf((call, index) => call.source === "live" && call.status === "failed" && Math.floor(index / 4) < 5);
    expect(wanted.length).toBeGreaterThan(2);
    const pages = await walk(`source=live&status=failed&started_before=${instant(5)}&limit=1`);
    expect([...pages.flatMap(({ items }) => items.map((call) => call.call_id))].sort()).toEqual(wanted);
  });

  it.each([
    ["a cursor of nobody", "cursor=nonsense"],
    ["a cursor that is encoded nonsense", `cursor=${Buffer.from('{"a":1}').toString("base64url")}`],
    ["a cursor of the wrong kind of values", `cursor=${Buffer.from('["x",1]').toString("base64url")}`],
    ["a limit of none", "limit=0"],
    ["a limit over five hundred", "limit=501"],
    ["a limit that is no number", "limit=ten"],
    ["an unknown status", "status=done"],
    ["an unknown source", "source=phone"],
    ["a language that is none", "language=%27%20or%201%3D1"],
    ["a day instead of a moment", "started_from=2025-01-01"],
    ["a moment that is none", "started_before=2025-02-30T00:00:00Z"],
  ])("answers %s with 400", async (_what, query) => {
    const answer = await ask(gateway, `/api/v1/calls?${query}`);
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 400, code: "GATEWAY_BAD_REQUEST" });
  });

  it("takes no cursor that another list gave, and the segments of a call take none of its", async () => {
    await Promise.all(Array.from({ length: 4 }, (_, index) => uploaded(gateway, quietClip(`active ${index}`, 20))));
    const { next_cursor: ofTasks } = await gateway.json<{ next_cursor: string | null }>("agent", "/audio/tasks/active?limit=1");
    const ofCalls = (await page("limit=1")).next_cursor;
    for (const [path, cursor] of [
      ["/api/v1/calls", ofTasks],
      [`/api/v1/calls/${ownCallId}/segments`, ofCalls],
    ] as const) {
      const answer = await ask(gateway, `${path}?cursor=${encodeURIComponent(cursor ?? "none was given")}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 400 });
    }
  });

  it("is shown to every role, and to nobody without one", async () => {
    for (const role of ["agent", "supervisor", "admin", "service"] as const) expect((await ask(gateway, "/api/v1/calls", { role })).status, role).toBe(200);
    for (const method of ["GET", "HEAD"]) expect((await ask(gateway, "/api/v1/calls", { role: null, method })).status, method).toBe(401);
  });
});
