/** Tickets of several processes over one Redis: issued by one, taken once, by any. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../src/core/ids.js";
import { createRedisTicketOffice } from "../../src/events/backends/redis-ticket-office.js";
import { createRedisConnections, type RedisConnections } from "../../src/redis/redis-connection.js";
import type { TicketOffice } from "../../src/security/ticket-office.js";
import { FakeClock } from "../support/fake-clock.js";
import { isMissing } from "../support/requirements.js";
import { type RedisServer, startRedis } from "../support/start-redis.js";
import { until } from "../support/until.js";

const AGENT = { actorId: "key-1", role: "agent" } as const;
const REFUSED = { code: "AUTH_CREDENTIALS_INVALID" };

describe.skipIf(isMissing("redis-server"))("tickets over Redis", () => {
  let redis: RedisServer;
  let connections: RedisConnections;
  const clock = new FakeClock();
  const key = randomBytes(32);
  const namespace = newId();
  const openOffice = async (sealedWith: Buffer = key): Promise<TicketOffice> => {
    const client = connections.open("tickets", "caller");
    await until("it is connected", () => client.status === "ready");
    return createRedisTicketOffice({ client, namespace, key: sealedWith, clock });
  };
  let here: TicketOffice;
  let there: TicketOffice;

  beforeAll(async () => {
    redis = await startRedis();
    connections = await createRedisConnections({ address: { url: redis.url } });
    [here, there] = await Promise.all([openOffice(), openOffice()]);
  });
  afterAll(async () => {
    connections.close();
    await redis.remove();
  });

  it("are taken by another process than issued them, with the same person behind them", async () => {
    const { ticket, expiresAtMs } = await here.issue(AGENT);
    expect(expiresAtMs).toBe(clock.nowMs() + 30_000);
    expect(await there.redeem(ticket)).toEqual(AGENT);
  });

  it("are taken once, however many processes they are shown to at the same time", async () => {
    const { ticket } = await here.issue(AGENT);
    const shown = await Promise.allSettled([here, there, here, there, there].map((office) => office.redeem(ticket)));
    expect(shown.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(here.redeem(ticket)).rejects.toMatchObject(REFUSED);
  });

  it("are refused when they are too old, spelled otherwise, changed, or made with another key", async () => {
    const { ticket: old } = await here.issue(AGENT);
    clock.advance(30_000);
    await expect(there.redeem(old)).rejects.toMatchObject(REFUSED);
    const { ticket } = await here.issue(AGENT);
    const changed = `${ticket[0] === "A" ? "B" : "A"}${ticket.slice(1)}`;
    const strange = await (await openOffice(randomBytes(32))).issue({ actorId: "me", role: "admin" });
    for (const wrong of [`${ticket}=`, ` ${ticket}`, changed, strange.ticket, "", "0123456789abcdef0123456789abcdef"]) {
      await expect(there.redeem(wrong)).rejects.toMatchObject(REFUSED);
    }
    expect(await there.redeem(ticket)).toEqual(AGENT);
  });

  it("leave in Redis who used them to nobody", async () => {
    const { ticket } = await here.issue({ actorId: "key-of-somebody", role: "agent" });
    await there.redeem(ticket);
    const keys = (await redis.cli("--scan", "--pattern", `${namespace}:ticket:*`)).split("\n");
    expect(keys.length).toBeGreaterThan(0);
    for (const name of keys) expect(`${name} ${await redis.cli("get", name)}`).not.toContain("key-of-somebody");
    for (const name of keys) expect(Number(await redis.cli("pttl", name))).toBeGreaterThan(0);
    expect(keys.join()).not.toContain(ticket);
  });

  it("are refused while Redis is away, for nobody could tell whether they were used", async () => {
    const { ticket } = await here.issue(AGENT);
    await redis.stop();
    await expect(there.redeem(ticket)).rejects.toMatchObject({ code: "REDIS_UNAVAILABLE" });
    await redis.start();
  });
});
