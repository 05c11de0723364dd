/** Event streams on a bare server: who takes nothing, who goes away, what ends, and the text that is sent. */
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import fastify, { type FastifyInstance } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import type { CallEvent } from "../../src/core/call-event.js";
import { createEventStreams, type EventStreamsOptions, encodeEvents } from "../../src/gateway/event-stream.js";
import { createMetrics } from "../../src/observability/metrics.js";
import { EventStreamParser } from "../support/event-stream-client.js";
import { until, untilAborted } from "../support/until.js";

const CALL_ID = "0190c0de-0000-7000-8000-000000000001";
const TASK_ID = "0190c0de-0000-7000-8000-000000000002";
/** Far more than the buffers of both sockets hold. */
const ENDLESS_BYTES = 256 * 1_048_576;
const EVENT_BYTES = 65_536;

function eventOf(seq: number, text: string): CallEvent {
  return { seq, callId: CALL_ID, atMs: 1_700_000_000_000 + seq, type: "summary.updated", payload: { taskId: TASK_ID, summary: { text, sentences: [] } } };
}

/** What the server did with the events that were to be sent. */
interface Source {
  made: number;
  hasEnded: boolean;
  readonly open: (signal: AbortSignal) => AsyncGenerator<CallEvent>;
}

function sourceOf(generate: (signal: AbortSignal, source: Source) => AsyncGenerator<CallEvent>): Source {
  const source: Source = {
    made: 0,
    hasEnded: false,
    async *open(signal) {
      try {
        yield* generate(signal, source);
      } finally {
        source.hasEnded = true;
      }
    },
  };
  return source;
}

/** Big events as fast as they are taken. */
const manyBigEvents = (): Source =>
  sourceOf(async function* (_signal, source) {
    for (; source.made * EVENT_BYTES < ENDLESS_BYTES; source.made++) {
      await nextTurn();
      yield eventOf(source.made + 1, "x".repeat(EVENT_BYTES));
    }
  });

/** One event, then silence until the stream is given up. */
const oneEventThenSilence = (): Source =>
  sourceOf(async function* (signal) {
    yield eventOf(1, "only");
    await untilAborted(signal).catch(() => {});
  });

interface Server {
  readonly app: FastifyInstance;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly port: number;
  readonly connections: () => Promise<number>;
}

describe("event streams", () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server?.app.close();
    server = undefined;
  });

  const serve = async (open: (signal: AbortSignal) => AsyncGenerator<CallEvent> | undefined, more: Partial<EventStreamsOptions> = {}): Promise<Server> => {
    const app = fastify();
    const metrics = createMetrics();
    const streams = createEventStreams(app, { metrics, heartbeatMs: 60_000, slowReaderMs: 1_000, streamsAtOnce: 5, ...more });
    app.get("/events", (request, reply) => streams.send(request, reply, async (signal) => open(signal)));
    await app.listen({ port: 0, host: "127.0.0.1" });
    const address = app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const connections = (): Promise<number> => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));
    server = { app, metrics, port, connections };
    return server;
  };
  /** A client that has asked for the stream and reads nothing by itself. */
  const askFor = async ({ port }: Server): Promise<Socket> => {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write("GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return socket;
  };
  /** What came, as text without the framing of chunks. */
  const collect = (socket: Socket): { text: string; isOver: boolean } => {
    const got = { text: "", isOver: false };
    socket.setEncoding("utf8").on("data", (piece: string) => {
      got.text += piece;
    });
    socket.once("close", () => {
      got.isOver = true;
    });
    return got;
  };

  it("drop a client that takes nothing, without making events for it in vain", async () => {
    const source = manyBigEvents();
    const running = await serve(source.open);
    const socket = await askFor(running);
    await until("events are made", () => source.made > 0, 5_000);
    await until("the generator was ended", () => source.hasEnded, 15_000);
    expect(source.made * EVENT_BYTES).toBeLessThan(ENDLESS_BYTES / 4);
    await until("the server has dropped the connection", async () => (await running.connections()) === 0, 5_000);
    socket.destroy();
  });

  it("give the place of a client that was dropped to the next", async () => {
    const source = manyBigEvents();
    const running = await serve(source.open, { streamsAtOnce: 1 });
    await askFor(running);
    await until("its place is taken", () => source.made > 0, 5_000);
    const refused = await fetch(`http://127.0.0.1:${running.port}/events`);
    expect(((await refused.json()) as { code: string }).code).toBe("GATEWAY_STREAMS_BUSY");
    await until("the first was dropped", () => source.hasEnded, 15_000);
    const next = collect(await askFor(running));
    await until("the next is served", () => next.text.startsWith("HTTP/1.1 200"), 5_000);
  });

  it("keep a client that reads slowly, longer than one that takes nothing is kept", async () => {
    const source = manyBigEvents();
    const running = await serve(source.open);
    const socket = await askFor(running);
    const startedAtMs = performance.now();
    let takenBytes = 0;
    socket.on("data", (piece: Buffer) => {
      takenBytes += piece.length;
    });
    // Two megabytes, then a pause well below the limit, over and over.
    const pause = setInterval(() => (takenBytes % 4_194_304 < 2_097_152 ? socket.resume() : socket.pause()), 10);
    const nudge = setInterval(() => {
      takenBytes += 2_097_152 - (takenBytes % 2_097_152);
    }, 300);
    await until("three limits have passed", () => performance.now() - startedAtMs > 3_000 || socket.destroyed, 10_000);
    clearInterval(pause);
    clearInterval(nudge);
    expect({ isDropped: socket.destroyed, hasEnded: source.hasEnded }).toEqual({ isDropped: false, hasEnded: false });
    socket.destroy();
    await until("the generator was ended", () => source.hasEnded, 5_000);
  });

  it("keep a client for whom there is nothing to take", async () => {
    const startedAtMs = performance.now();
    const source = sourceOf(async function* () {
      yield eventOf(1, "first");
      await until("more than two limits have passed", () => performance.now() - startedAtMs > 2_500);
      yield eventOf(2, "second");
    });
    const got = collect(await askFor(await serve(source.open)));
    await until("the second event has come", () => got.text.includes("id: 2") || got.isOver, 10_000);
    expect(got.text).toContain('"second"');
  });

  it("are given up when the client goes away, although nothing is sent", async () => {
    const source = oneEventThenSilence();
    const running = await serve(source.open);
    const socket = await askFor(running);
    const got = collect(socket);
    await until("the first event has come", () => got.text.includes('"only"'), 5_000);
    expect(await running.metrics.render()).toMatch(/^helpline_gateway_event_streams 1$/m);
    socket.destroy();
    await until("the generator was ended", () => source.hasEnded, 5_000);
    await until("no stream is counted", async () => /^helpline_gateway_event_streams 0$/m.test(await running.metrics.render()), 5_000);
  });

  it("end when the server closes, and do not hold it up", async () => {
    const source = oneEventThenSilence();
    const running = await serve(source.open);
    const got = collect(await askFor(running));
    await until("the first event has come", () => got.text.includes('"only"'), 5_000);
    const startedAtMs = performance.now();
    await running.app.close();
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    await until("the client has noticed", () => got.isOver, 5_000);
    expect(source.hasEnded).toBe(true);
    // The last chunk of a chunked body: the stream was ended, not cut.
    expect(got.text).toMatch(/0\r\n\r\n$/);
  });

  it("end when their events fail in the middle, and harm no other", async () => {
    const source = sourceOf(async function* () {
      yield eventOf(1, "first");
      throw new RangeError("the store is gone");
    });
    const running = await serve(source.open, { streamsAtOnce: 1 });
    const got = collect(await askFor(running));
    await until("the first stream is over", () => got.isOver || got.text.endsWith("0\r\n\r\n"), 5_000);
    expect(got.text).toContain('"first"');
    expect(got.text).not.toContain("the store is gone");
    const next = collect(await askFor(running));
    await until("its place is free", () => next.text.includes('"first"'), 5_000);
  });

  it("are answered with 204, and hold no place, when there is nothing to send", async () => {
    const running = await serve(() => undefined, { streamsAtOnce: 1 });
    for (const _ of [1, 2, 3]) expect((await fetch(`http://127.0.0.1:${running.port}/events`)).status).toBe(204);
  });
});

describe("the text of an event stream", () => {
  it("carries any text of a call unchanged", async () => {
    const texts = ["a\nb\r\nc\rd", "\n\n", "id: 7\ndata: x", ": comment", "\u2028\u2029\u0000\ufeff", "Ndiyo 😀 \ud83d", '"quoted\\"', ""];
    const parser = new EventStreamParser();
    const source = sourceOf(async function* () {
      for (const [index, text] of texts.entries()) yield eventOf(index + 1, text);
    });
    for await (const piece of encodeEvents(source.open(new AbortController().signal), 60_000)) parser.push(piece);
    expect(parser.events.map(({ id }) => id)).toEqual(texts.map((_, index) => String(index + 1)));
    const read = parser.events.map(({ data }) => (JSON.parse(data) as { payload: { summary: { text: string } } }).payload.summary.text);
    expect(read).toEqual(texts);
    expect(parser.comments).toBe(0);
  });

  it("has a comment wherever there was no event for the time of a heartbeat", async () => {
    const parser = new EventStreamParser();
    const seen: number[] = [];
    const source = sourceOf(async function* () {
      for (const seq of [1, 2]) {
        const before = parser.comments;
        await until("three heartbeats have come", () => parser.comments >= before + 3, 5_000);
        yield eventOf(seq, "late");
      }
    });
    for await (const piece of encodeEvents(source.open(new AbortController().signal), 20)) {
      parser.push(piece);
      seen.push(parser.events.length);
    }
    expect(parser.events).toHaveLength(2);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(source.hasEnded).toBe(true);
  });

  it("ends the events when nobody wants more of it", async () => {
    const source = manyBigEvents();
    for await (const piece of encodeEvents(source.open(new AbortController().signal), 60_000)) if (piece.includes("data:")) break;
    await until("the generator was ended", () => source.hasEnded, 5_000);
    expect(source.made).toBeLessThan(3);
  });
});
