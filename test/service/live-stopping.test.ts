/** The service stops while calls run and clients are connected: in time, with every call stored. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectTo } from "../support/audiosocket-client.js";
import { openCallEvents, openEventSocket } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { openLeg } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const CALLER = legOf("child-violence-home", 0, 3_000, 13_000);

describe("a service that stops during a call", () => {
  let gateway: LiveGateway | undefined;
  let directory: Awaited<ReturnType<typeof makeTemporaryDirectory>>;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
    await directory.remove();
  });

  it.each(["realtime", "both"])("keeps all of it, and has it analysed after the next start, in mode %s", async (mode) => {
    const dataDirectory = `${directory.path}/data`;
    const settings = { PROCESSING_MODE: mode, STREAM_LINGER_MS: "60000" };
    const first = await startLiveGateway(settings, { dataDirectory });
    gateway = first;
    const callId = newStreamId("1");
    using caller = await openLeg(first.port, callId);
    using agent = await openLeg(first.port, `${callId.slice(0, -1)}2`);
    await Promise.all([caller.speak(CALLER, 8), agent.speak(CALLER.subarray(0, 6_000 * 8), 8)]);
    await first.whenActive(callId, "all has come", ({ audio }) => receivedMs(audio.ledger) === 16_000);
    using events = await openCallEvents(first, callId);
    using all = await openEventSocket(first, "/api/v1/live");
    await first.service.stop();
    await Promise.all([caller.closed(), agent.closed()]);
    await Promise.all([events.whenClosed(5_000), all.whenClosed(5_000)]);
    await first.stop();

    const second = await startLiveGateway(settings, { dataDirectory });
    gateway = second;
    const analysis = await second.whenAnalysed(callId);
    expect(analysis.audio?.channels.map(({ channel, ledger }) => [channel, receivedMs(ledger)])).toEqual([
      ["caller", 10_000],
      ["agent", 6_000],
    ]);
    // The legs began some milliseconds apart; more on a busy machine.
    expect(Math.abs((await second.call(callId)).duration_ms - 10_000)).toBeLessThan(1_000);
    using replayed = await openCallEvents(second, callId);
    await replayed.whenClosed();
    expect(replayed.seqs()).toEqual(replayed.events.map((_, index) => index + 1));
    expect(replayed.ofType("call.ended").map(({ payload }) => payload.reason)).toEqual(["stopped"]);
    expect(replayed.ofType("analysis.completed")).toHaveLength(1);
    expect(await second.json("supervisor", "/api/v1/calls/active")).toEqual({ items: [] });
  });
});

describe("a service that is told to stop and may let calls end", () => {
  it("takes no new call, finishes the one it has, and ends with it", async () => {
    const gateway = await startLiveGateway({ STREAM_DRAIN_MS: "60000" });
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    await caller.speak(CALLER.subarray(0, 8_000), 8);
    await gateway.whenActive(callId, "it has begun", ({ audio }) => receivedMs(audio.ledger) === 1_000);
    const stopped = gateway.service.stop();
    await until(
      "no new connection is taken",
      () =>
        connectTo(gateway.port).then(
          () => false,
          () => true,
        ),
      5_000,
      20,
    );
    expect((await gateway.request("admin", "/health/ready")).status).toBe(503);
    expect((await gateway.request("agent", `/media/${newStreamId("1")}`)).status).toBe(503);
    await caller.speak(CALLER.subarray(8_000, 24_000), 8);
    using events = await openCallEvents(gateway, callId);
    caller[Symbol.dispose]();
    await events.whenClosed(10_000);
    expect(events.ofType("call.ended").map(({ payload }) => payload.reason)).not.toContain("stopped");
    await stopped;
    await gateway.stop();
  });

  it("ends and stores what has not ended in time", async () => {
    const dataDirectory = await makeTemporaryDirectory();
    const gateway = await startLiveGateway({ STREAM_DRAIN_MS: "300" }, { dataDirectory: dataDirectory.path });
    const callId = newStreamId("1");
    using caller = await openLeg(gateway.port, callId);
    await caller.speak(CALLER.subarray(0, 8_000), 8);
    await gateway.whenActive(callId, "it has begun", ({ audio }) => receivedMs(audio.ledger) === 1_000);
    await gateway.service.stop();
    await caller.closed();
    await gateway.stop();
    const again = await startLiveGateway({}, { dataDirectory: dataDirectory.path });
    expect((await again.call(callId)).duration_ms).toBe(1_000);
    await again.stop();
    await dataDirectory.remove();
  });
});

describe("a service with clients of its events", () => {
  it.each([
    ["who do not read", true],
    ["who were refused and stay connected", false],
  ])("stops within its deadline, with clients %s", async (_what, isAdmitted) => {
    const gateway = await startLiveGateway({ EVENT_SLOW_READER_MS: "1000", SHUTDOWN_DEADLINE_MS: "1000" });
    const address = new URL(gateway.service.url);
    const sockets = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const socket = await connectTo(Number(address.port));
        socket.on("error", () => {});
        const credentials = isAdmitted ? `Authorization: Bearer ${gateway.keys.agent}\r\n` : "";
        socket.write(
          `GET /api/v1/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${credentials}\r\n`,
        );
        const answer = await new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))));
        socket.pause();
        expect(answer.split("\r\n")[0]).toMatch(isAdmitted ? / 101 / : / 401 /);
        return socket;
      }),
    );
    let hasStopped = false;
    const stopped = gateway.service.stop().then(() => {
      hasStopped = true;
    });
    try {
      await until("the service has stopped", () => hasStopped, 6_000);
      await stopped;
      await gateway.stop();
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
