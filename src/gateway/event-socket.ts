/**
 * Events over a WebSocket: one JSON message each, as fast as the client reads and no faster; a heartbeat when there is
 * nothing new. A client that stops reading is dropped and goes on later with `after`.
 */
import type { FastifyInstance } from "fastify";
import type { WebSocket } from "ws";
import type { CallEvent } from "../core/call-event.js";
import { toAppError } from "../core/errors.js";
import { toWireEvent } from "../protocol/call-events.js";
import type { EventStreams } from "./event-stream.js";

export interface EventSocketsOptions {
  readonly heartbeatMs: number;
  readonly slowReaderMs: number;
}

export interface EventSockets {
  /** Sends what `open` finds until it ends, the client goes, or the gateway closes. */
  send(socket: WebSocket, open: (signal: AbortSignal) => Promise<AsyncGenerator<CallEvent>>): Promise<void>;
}

/** Nothing more comes. */
const CLOSE_ENDED = 1000;
/** The service stops; the client goes on at the next one. */
const CLOSE_STOPPING = 1001;
/** Refused, or failed: the reason is the error's code. */
const CLOSE_REFUSED = 4000;
const CLOSE_SLOW = 4008;

export function createEventSockets(app: FastifyInstance, streams: EventStreams, options: EventSocketsOptions): EventSockets {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  return {
    async send(socket, open) {
      const gone = new AbortController();
      socket.once("close", () => gone.abort());
      let leave = (): void => {};
      try {
        leave = streams.enter();
        await pump(socket, await open(AbortSignal.any([closing.signal, gone.signal])), options);
        socket.close(closing.signal.aborted ? CLOSE_STOPPING : CLOSE_ENDED);
      } catch (error) {
        if (error instanceof SlowReaderError) drop(socket);
        else socket.close(CLOSE_REFUSED, toAppError(error).code);
      } finally {
        leave();
      }
    },
  };
}

class SlowReaderError extends Error {}

/** The close frame would wait behind what the client does not read. */
function drop(socket: WebSocket): void {
  socket.close(CLOSE_SLOW, "too slow");
  socket.terminate();
}

async function pump(socket: WebSocket, events: AsyncGenerator<CallEvent>, { heartbeatMs, slowReaderMs }: EventSocketsOptions): Promise<void> {
  let lastSentMs = performance.now();
  let isAnswered = true;
  socket.on("pong", () => {
    isAnswered = true;
  });
  const heartbeat = setInterval(() => {
    // A peer that vanished answers nothing; one that only reads slowly answers late.
    if (!isAnswered && performance.now() - lastSentMs > slowReaderMs) socket.terminate();
    isAnswered = false;
    socket.ping();
    if (performance.now() - lastSentMs >= heartbeatMs) socket.send(JSON.stringify({ type: "heartbeat", at: new Date().toISOString() }));
  }, heartbeatMs);
  try {
    for await (const event of events) {
      if (socket.readyState !== socket.OPEN) return;
      await sendOne(socket, JSON.stringify(toWireEvent(event)), slowReaderMs);
      lastSentMs = performance.now();
    }
  } finally {
    clearInterval(heartbeat);
  }
}

/** Resolves when the message has left for the client. */
function sendOne(socket: WebSocket, text: string, slowReaderMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new SlowReaderError()), slowReaderMs);
    socket.send(text, () => {
      clearTimeout(timer);
      // A socket that is gone ends the loop by its state.
      resolve();
    });
  });
}
