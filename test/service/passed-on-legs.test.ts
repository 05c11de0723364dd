/** Legs that come to one process while their call runs in another, over real sockets: every byte arrives, in either protocol. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createMetrics } from "../../src/observability/metrics.js";
import { loadTlsOptions, type TlsOptions } from "../../src/security/tls-options.js";
import type { LegRouting, StreamPeer } from "../../src/telephony/leg-routing.js";
import { createTelephonyServer, type TelephonyServer } from "../../src/telephony/telephony-server.js";
import { message } from "../support/audiosocket-client.js";
import { newStreamId } from "../support/live-gateway.js";
import { legBytes, openLeg, pcmBytes } from "../support/live-legs.js";
import { makeServerCertificates } from "../support/server-certificates.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

interface HeardLeg {
  readonly streamId: string;
  readonly samples: number[];
  readonly keys: string[];
  end: string | undefined;
}

interface Stream {
  readonly port: number;
  readonly legs: HeardLeg[];
  readonly server: TelephonyServer;
  closings(): Promise<Readonly<Record<string, number>>>;
}

const SECOND = Int16Array.from({ length: 8_000 }, (_, index) => ((index * 37) % 4_001) - 2_000);
const undos: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of undos.splice(0).reverse()) await undo();
});

async function startStream(routing?: LegRouting, tls?: TlsOptions, allowedPeers: readonly string[] = []): Promise<Stream> {
  const legs: HeardLeg[] = [];
  const metrics = createMetrics();
  const server = createTelephonyServer({
    liveCalls: {
      openLeg({ streamId }) {
        const leg: HeardLeg = { streamId, samples: [], keys: [], end: undefined };
        legs.push(leg);
        return {
          write: (samples) => void leg.samples.push(...samples),
          press: (digit) => void leg.keys.push(digit),
          warn: () => {},
          end: (reason) => {
            leg.end = reason;
          },
        };
      },
    },
    ...{ metrics, idleTimeoutMs: 60_000, maxPace: 1_000, maxConnections: 100, allowedPeers },
    listener: { protocol: "auto", rawEncoding: "slin", rawSampleRateHz: 8_000, mayBe16kUnder8kKind: false },
    ...(routing === undefined ? {} : { routing }),
    ...(tls === undefined ? {} : { tls }),
  });
  const port = await server.listen("127.0.0.1", 0);
  undos.push(() => server.close());
  const closings = async () => Object.fromEntries((await metrics.telephonyClosed.get()).values.map(({ labels, value }) => [labels["reason"], value] as const));
  return { port, legs, server, closings };
}

/** Sends every leg to the peer, a moment after it was asked. */
function routeTo(peer: () => StreamPeer | undefined) {
  const released: string[] = [];
  const routing: LegRouting = {
    async route(streamId) {
      await new Promise((resolve) => setImmediate(resolve));
      return { peer: peer(), release: () => released.push(streamId) };
    },
    isPeer: () => false,
  };
  return { routing, released };
}

describe("a leg whose call runs in another process", () => {
  it.each(["in one piece", "a byte at a time"] as const)("arrives there whole when it comes %s, and ends there", async (how) => {
    const owner = await startStream();
    const { routing, released } = routeTo(() => ({ host: "127.0.0.1", port: owner.port }));
    const entry = await startStream(routing);
    const streamId = newStreamId("2");
    const leg = await openLeg(entry.port);
    const bytes = Buffer.concat([legBytes(streamId, SECOND), message(0x03, Buffer.from("5"))]);
    if (how === "in one piece") await leg.send(bytes);
    else for (const byte of bytes.subarray(0, 200)) await leg.send(Buffer.of(byte));
    if (how !== "in one piece") await leg.send(bytes.subarray(200));
    await until("it has arrived", () => owner.legs[0]?.keys.length === 1, 10_000, 5);
    expect(entry.server.passedOnCount()).toBe(1);
    await leg.hangUp();
    await until("it has ended there", () => owner.legs[0]?.end !== undefined, 10_000, 5);
    expect(owner.legs).toEqual([{ streamId, samples: [...SECOND], keys: ["5"], end: "hangup" }]);
    expect(entry.legs).toEqual([]);
    await until("the entry has let go", () => released.length === 1, 10_000, 5);
    expect([await entry.closings(), entry.server.passedOnCount()]).toEqual([{ passed_on: 1 }, 0]);
  });

  it("is answered with the owner's silence, so that the exchange does not hang up", async () => {
    const owner = await startStream();
    const entry = await startStream(routeTo(() => ({ host: "127.0.0.1", port: owner.port })).routing);
    const leg = await openLeg(entry.port, newStreamId("2"));
    let heard = 0;
    await until("it is passed on", () => owner.legs.length === 1, 10_000, 5);
    leg.socket.on("data", ({ length }: Buffer) => {
      heard += length;
    });
    await until("it is answered", () => heard > 0, 10_000, 10);
    leg[Symbol.dispose]();
  });

  it("is let in by an owner that lets in only the exchange, when it knows the process that passes it on", async () => {
    for (const isKnown of [true, false]) {
      const { routing: here } = routeTo(() => undefined);
      const owner = await startStream({ ...here, isPeer: (address) => isKnown && address === "127.0.0.1" }, undefined, ["192.0.2.1"]);
      const entry = await startStream(routeTo(() => ({ host: "127.0.0.1", port: owner.port })).routing);
      const leg = await openLeg(entry.port, newStreamId("2"));
      if (isKnown) await until("it is heard there", () => owner.legs.length === 1, 10_000, 5);
      else await leg.closed();
      expect(owner.legs).toHaveLength(isKnown ? 1 : 0);
      leg[Symbol.dispose]();
    }
  });

  it("is closed when the owner dies", async () => {
    const owner = await startStream();
    const entry = await startStream(routeTo(() => ({ host: "127.0.0.1", port: owner.port })).routing);
    const leg = await openLeg(entry.port, newStreamId("2"));
    await until("it is passed on", () => entry.server.passedOnCount() === 1, 10_000, 5);
    await owner.server.close();
    await leg.closed();
    await until("the entry has noticed", () => entry.server.passedOnCount() === 0, 10_000, 5);
  });

  it.each(["has the call itself", "finds nobody there"] as const)(
    "is heard where it came in when that process %s, with nothing lost meanwhile",
    async (what) => {
      const gone = await startStream();
      await gone.server.close();
      const { routing, released } = routeTo(() => (what === "finds nobody there" ? { host: "127.0.0.1", port: gone.port } : undefined));
      const entry = await startStream(routing);
      const streamId = newStreamId("1");
      const leg = await openLeg(entry.port);
      await leg.send(legBytes(streamId, SECOND));
      await leg.hangUp();
      await until("it has ended", () => entry.legs[0]?.end !== undefined, 10_000, 5);
      expect(entry.legs).toEqual([{ streamId, samples: [...SECOND], keys: [], end: "hangup" }]);
      expect([released, await entry.closings()]).toEqual([[streamId], { hangup: 1 }]);
    },
  );

  it("is heard whole when it hangs up before it is known whose it is", async () => {
    const owner = await startStream();
    for (const [peer, where] of [
      [undefined, undefined],
      [{ host: "127.0.0.1", port: owner.port }, owner],
    ] as const) {
      const { routing, released } = routeTo(() => peer);
      let routings = 0;
      let answer = (): void => {};
      const asked = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const entry = await startStream({
        async route(streamId) {
          routings++;
          await asked;
          return routing.route(streamId);
        },
        isPeer: () => false,
      });
      const streamId = newStreamId("1");
      const leg = await openLeg(entry.port);
      await leg.send(legBytes(streamId, SECOND));
      await leg.hangUp();
      expect([routings, entry.legs, released]).toEqual([1, [], []]);
      answer();
      await until("it is heard", () => (where ?? entry).legs[0]?.end !== undefined, 10_000, 5);
      expect((where ?? entry).legs).toEqual([{ streamId, samples: [...SECOND], keys: [], end: "hangup" }]);
      await until("it is let go", () => released.length === 1, 10_000, 5);
    }
  });

  it("goes to a peer over TLS by the same certificate, and to none with another", async () => {
    const [ours, strange] = [await makeServerCertificates("IP:127.0.0.1"), await makeServerCertificates("IP:127.0.0.1")];
    undos.push(ours.remove, strange.remove);
    const directory = await makeTemporaryDirectory();
    undos.push(() => directory.remove());
    const load = async ({ files }: typeof ours, name: string): Promise<TlsOptions> => {
      const at = (ending: string): string => join(directory.path, `${name}.${ending}`);
      for (const ending of ["crt", "key"]) await writeFile(at(ending), files[`server.${ending}`] ?? "");
      return loadTlsOptions({ certificateFile: at("crt"), keyFile: at("key") });
    };
    const [tls, other] = [await load(ours, "ours"), await load(strange, "strange")];
    for (const [ownerTls, goesOn] of [
      [tls, true],
      [other, false],
    ] as const) {
      const owner = await startStream(undefined, ownerTls);
      const entry = await startStream(routeTo(() => ({ host: "127.0.0.1", port: owner.port })).routing, tls);
      const socket = connectTls({ port: entry.port, host: "127.0.0.1", rejectUnauthorized: false });
      socket.on("error", () => {});
      socket.end(Buffer.concat([legBytes(newStreamId("2"), SECOND), message(0x00, Buffer.alloc(0))]));
      const heard = () => (goesOn ? owner : entry).legs[0];
      await until("it is heard", () => heard()?.end !== undefined, 10_000, 5);
      expect(Buffer.compare(pcmBytes(Int16Array.from(heard()?.samples ?? [])), pcmBytes(SECOND))).toBe(0);
      expect((goesOn ? entry : owner).legs).toEqual([]);
    }
  });
});
