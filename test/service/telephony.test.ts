/** The telephony port over real sockets: calls come in as Asterisk sends them and end as analysed calls. */
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { connectTo, legMessages, message, whenClosed } from "../support/audiosocket-client.js";
import { isMissing } from "../support/requirements.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

interface ActiveTasks {
  readonly items: readonly { readonly task_id: string; readonly call_id: string }[];
}

/** Sends at the speed of a call, 20 ms at a time. */
async function speak(socket: Socket, messages: readonly Buffer[], pace: number): Promise<void> {
  const startedAtMs = performance.now();
  for (const [index, bytes] of messages.entries()) {
    socket.write(bytes);
    const dueMs = (index * 20) / pace;
    if (performance.now() - startedAtMs < dueMs) await wait(dueMs - (performance.now() - startedAtMs));
  }
}

describe.skipIf(isMissing("pocketsphinx"))("the telephony port", () => {
  let gateway: TestGateway;
  let port: number;

  beforeAll(async () => {
    gateway = await startGateway({ STREAM_IDLE_TIMEOUT_MS: "3000", DEFAULT_LANGUAGES: "en" });
    port = Number(gateway.service.streamAddress?.split(":")[1]);
  });
  afterAll(() => gateway.stop());

  const metric = async (line: string): Promise<number> => {
    const text = await (await gateway.request("admin", "/metrics")).text();
    return Number(new RegExp(`^${line.replaceAll(/[{}"]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  };
  const taskOf = async (callId: string): Promise<string> => {
    let taskId: string | undefined;
    await until(
      "the call is stored",
      async () => {
        const { items } = await gateway.json<ActiveTasks>("agent", "/audio/tasks/active");
        taskId ??= items.find(({ call_id }) => call_id === callId)?.task_id;
        return taskId !== undefined;
      },
      10_000,
      25,
    );
    return taskId ?? "";
  };
  const analysisOf = async (taskId: string): Promise<WireAnalysis> => {
    let result: WireAnalysis | undefined;
    await until(
      "the call is analysed",
      async () => {
        result = (await gateway.json<{ result?: WireAnalysis }>("agent", `/audio/task/${taskId}`)).result;
        return result !== undefined;
      },
      30_000,
      50,
    );
    return result as WireAnalysis;
  };

  it("pairs two legs by their ids and analyses the call after hang-up", async () => {
    const callId = "6619d336-b468-40e0-945e-09e4d1d60001";
    const [caller, agent] = await Promise.all([connectTo(port), connectTo(port)]);
    const sent = [legOf("custody-maintenance", 0, 0, 9_000), legOf("custody-maintenance", 1, 0, 9_000)] as const;
    await Promise.all([speak(caller, legMessages(callId, sent[0]), 3), speak(agent, legMessages(`${callId.slice(0, -1)}2`, sent[1]), 3)]);
    caller.end();
    agent.end();
    const analysis = await analysisOf(await taskOf(callId));
    expect(analysis.audio?.channels.map(({ channel }) => channel)).toEqual(["caller", "agent"]);
    expect(analysis.audio?.sample_rate_hz).toBe(8_000);
    expect(Math.abs((analysis.audio?.duration_ms ?? 0) - 9_000)).toBeLessThan(1_000);
    const said = analysis.transcript?.segments ?? [];
    expect(new Set(said.map(({ channel }) => channel))).toEqual(new Set(["caller", "agent"]));
    expect(await metric("helpline_telephony_audio_seconds_total")).toBeCloseTo(18, 3);
  });

  it("takes a lone leg for a call, whatever its pieces, rates and unknown messages", async () => {
    const callId = "6619d336-b468-40e0-945e-09e4d1d6000a";
    const socket = await connectTo(port);
    const bytes = Buffer.concat([
      ...legMessages(callId, legOf("school-bullying", 1, 0, 4_000)),
      message(0x42, Buffer.from("later")),
      message(0x03, Buffer.from("5")),
    ]);
    for (let start = 0; start < bytes.length; start += 777) socket.write(bytes.subarray(start, start + 777));
    socket.write(message(0x12, Buffer.alloc(640)));
    socket.end();
    const analysis = await analysisOf(await taskOf(callId));
    expect(analysis.audio?.channels.map(({ channel }) => channel)).toEqual(["caller"]);
    expect(analysis.stages.find(({ stage }) => stage === "decode")?.status).toBe("completed");
  });

  it("keeps the call of an exchange that uses an id again, under an id of its own", async () => {
    const callId = "6619d336-b468-40e0-945e-09e4d1d6000b";
    for (const _ of [1, 2]) {
      const before = await metric('helpline_queue_jobs{queue="recordings",status="completed"}');
      const socket = await connectTo(port);
      socket.end(Buffer.concat(legMessages(callId, legOf("silent-prank", 1, 0, 2_000))));
      await until("it is analysed", async () => (await metric('helpline_queue_jobs{queue="recordings",status="completed"}')) > before, 20_000, 50);
    }
  });

  it("sends silence back, so that the exchange does not hang up", async () => {
    const socket = await connectTo(port);
    socket.write(legMessages("6619d336-b468-40e0-945e-09e4d1d6000d", new Int16Array(0))[0] ?? "");
    const first = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    expect(first.subarray(0, 3)).toEqual(Buffer.of(0x10, 0x01, 0x40));
    expect(first).toHaveLength(323);
    socket.destroy();
  });

  it.each([
    ["audio before an id", message(0x10, Buffer.alloc(320))],
    ["an id of four bytes", message(0x01, Buffer.alloc(4))],
  ])("closes a connection that sends %s, and counts it", async (_what, bytes) => {
    const before = await metric('helpline_telephony_connections_closed_total{reason="protocol"}');
    const socket = await connectTo(port);
    socket.write(bytes);
    await whenClosed(socket);
    await until("it is counted", async () => (await metric('helpline_telephony_connections_closed_total{reason="protocol"}')) === before + 1, 5_000, 25);
  });

  it("closes a connection that says nothing, and keeps no call of it", async () => {
    const before = await metric('helpline_telephony_connections_closed_total{reason="idle"}');
    const socket = await connectTo(port);
    socket.on("data", () => {});
    await whenClosed(socket);
    await until("it is counted", async () => (await metric('helpline_telephony_connections_closed_total{reason="idle"}')) === before + 1, 5_000, 25);
    expect(await metric("helpline_telephony_connections")).toBe(0);
  });

  it("stores a call that runs when the service stops, and analyses it after the next start", async () => {
    const other = await startGateway({ DEFAULT_LANGUAGES: "en" });
    const socket = await connectTo(Number(other.service.streamAddress?.split(":")[1]));
    for (const bytes of legMessages("6619d336-b468-40e0-945e-09e4d1d6000c", legOf("child-labour", 1, 0, 3_000))) socket.write(bytes);
    await until(
      "it was heard",
      async () => (await (await other.request("admin", "/metrics")).text()).includes("helpline_telephony_audio_seconds_total 3"),
      5_000,
      25,
    );
    await other.service.stop();
    const stored = await other.countCalls();
    expect(stored).toBe(1);
    await other.stop();
  });
});
