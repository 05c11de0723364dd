/** The gateway behind a proxy: whose flood is whose. */
import { request as openRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, type TestGateway } from "../support/start-gateway.js";

const BURST = 3;
const PROXY = "127.0.0.2";
const STRANGER = "127.0.0.3";

describe("the gateway behind a proxy", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ REQUESTS_PER_SECOND: "1", REQUEST_BURST: String(BURST), TRUSTED_PROXIES: PROXY });
  });
  afterAll(() => gateway.stop());

  /** Statuses of a public page asked for without credentials, from one address of this machine, as if for others. */
  const statuses = (from: string, visitors: readonly string[]): Promise<readonly number[]> =>
    Promise.all(
      visitors.map(
        (visitor) =>
          new Promise<number>((resolve, reject) => {
            const options = { localAddress: from, agent: false, headers: { "x-forwarded-for": visitor } } as const;
            const outgoing = openRequest(`${gateway.service.url}/openapi.json`, options, (incoming) => {
              incoming.resume();
              resolve(incoming.statusCode ?? 0);
            });
            outgoing.once("error", reject).end();
          }),
      ),
    );

  it("counts visitors apart that the proxy names, and a flood of one as one", async () => {
    const flood = await statuses(
      PROXY,
      Array.from({ length: 12 }, () => "198.51.100.1"),
    );
    expect(flood.filter((status) => status === 200)).toHaveLength(BURST);
    expect(await statuses(PROXY, ["198.51.100.2", "198.51.100.3"])).toEqual([200, 200]);
  });

  it("believes nobody else, so that a flood can't give itself a new address each time", async () => {
    const flood = await statuses(
      STRANGER,
      Array.from({ length: 12 }, (_, index) => `198.51.100.${100 + index}`),
    );
    expect(flood.filter((status) => status === 200)).toHaveLength(BURST);
  });
});
