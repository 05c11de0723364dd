/**
 * Server-sent events: each event of a call under its number as id, so that a client that lost the connection goes on
 * where it was with `Last-Event-ID`. Events come out of the store page by page, only as fast as the client reads; one that
 * stops reading is dropped and loses nothing.
 */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { CallEvent } from "../core/call-event.js";
import { AppError } from "../core/errors.js";
import type { Metrics } from "../observability/metrics.js";
import { toWireEvent } from "../protocol/call-events.js";

export interface EventStreamsOptions {
  readonly metrics: Metrics;
  readonly heartbeatMs: number;
  /** A client that takes nothing for this long is dropped. */
  readonly slowReaderMs: number;
  readonly streamsAtOnce: number;
}

/** Of a reply that is being sent already: fits whatever a route declares. */
export type SentReply = never;

export interface EventStreams {
  /** @throws AppError `GATEWAY_STREAMS_BUSY` when no stream could be opened now */
  refuseWhenFull(): void;
  /** Takes a place for a stream of another kind. @returns how to give it back. @throws AppError `GATEWAY_STREAMS_BUSY` */
  enter(): () => void;
  /** The handler returns what this gives. Answers with the events `open` finds; 204 when it finds the task ended and nothing new. */
  send(request: FastifyRequest, reply: FastifyReply, open: (signal: AbortSignal) => Promise<AsyncGenerator<CallEvent> | undefined>): Promise<SentReply>;
}

const HEARTBEAT = ": heartbeat\n\n";
/** What a client waits before it connects again. */
const RECONNECT_MS = 3_000;

/** Streams end when the gateway closes: clients go on at another process, or after the restart. */
export function createEventStreams(app: FastifyInstance, options: EventStreamsOptions): EventStreams {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  let open = 0;
  const leave = (): void => options.metrics.eventStreams.set(--open);
  const refuseWhenFull = (): void => {
    if (open < options.streamsAtOnce) return;
    options.metrics.rateLimited.inc({ reason: "streams" });
    const details = { retryAfterSeconds: 5 };
    throw new AppError("GATEWAY_STREAMS_BUSY", "Too many event streams are open; poll the task, or try again when Retry-After says.", {
      retryable: true,
      details,
    });
  };
  const enter = (): (() => void) => {
    refuseWhenFull();
    options.metrics.eventStreams.set(++open);
    return leave;
  };
  return {
    refuseWhenFull,
    enter,
    async send(request, reply, openEvents) {
      enter();
      const gone = new AbortController();
      try {
        const events = await openEvents(AbortSignal.any([closing.signal, gone.signal]));
        if (events === undefined) {
          leave();
          return reply.code(204).send() as unknown as SentReply;
        }
        dropWhenStuck(request, reply, options.slowReaderMs);
        reply.raw.once("close", () => {
          gone.abort();
          leave();
        });
        reply.type("text/event-stream; charset=utf-8").header("cache-control", "no-store").header("x-accel-buffering", "no");
        return reply.send(Readable.from(encodeEvents(events, options.heartbeatMs), { objectMode: false, highWaterMark: 16_384 })) as unknown as SentReply;
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

/** A connection on which nothing moves is stuck if there is something to send; otherwise there is just nothing new. */
function dropWhenStuck(request: FastifyRequest, reply: FastifyReply, slowReaderMs: number): void {
  const { socket } = request.raw;
  // On the response: a server whose response hears no time-out cuts the connection by itself.
  reply.raw.setTimeout(slowReaderMs, () => {
    if (socket.writableLength > 0) socket.destroy();
    else socket.setTimeout(slowReaderMs);
  });
}

/** The text of a stream: events as they come, a comment when there was none for a while. */
export async function* encodeEvents(events: AsyncGenerator<CallEvent>, heartbeatMs: number): AsyncGenerator<string> {
  yield `retry: ${RECONNECT_MS}\n\n`;
  try {
    let next = events.next();
    for (;;) {
      const result = await orHeartbeat(next, heartbeatMs);
      if (result === HEARTBEAT) {
        yield HEARTBEAT;
        continue;
      }
      if (result.done === true) return;
      const event = toWireEvent(result.value);
      yield `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
      next = events.next();
    }
  } finally {
    void events.return(undefined).catch(() => {});
  }
}

async function orHeartbeat<T>(next: Promise<T>, heartbeatMs: number): Promise<T | typeof HEARTBEAT> {
  let timer: NodeJS.Timeout | undefined;
  const heartbeat = new Promise<typeof HEARTBEAT>((resolve) => {
    timer = setTimeout(() => resolve(HEARTBEAT), heartbeatMs);
  });
  try {
    return await Promise.race([next, heartbeat]);
  } finally {
    clearTimeout(timer);
  }
}
