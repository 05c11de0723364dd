/** Plays one leg into the live port at the speed of a call, as an exchange would, and counts what comes back. */
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket } from "ws";
import { AppError } from "../../core/errors.js";
import { type CallProtocol, type LegMessages, PIECE_MS } from "./leg-messages.js";

export interface PlayLegOptions {
  readonly protocol: CallProtocol;
  readonly host: string;
  readonly port: number;
  /** Of the WebSocket: path with query. */
  readonly path: string;
  readonly apiKey: string | undefined;
  /** 1 is real time; 0 as fast as the connection takes it. */
  readonly pace: number;
  /** Bytes of a write, to cut messages in odd places; 0 writes messages whole. */
  readonly splitBytes: number;
  readonly delayMs: number;
  /** Stops in the middle, without a goodbye, after this share of the audio. */
  readonly dropAfterShare: number;
  readonly signal: AbortSignal;
}

export interface PlayedLeg {
  readonly sentMs: number;
  readonly bytesBack: number;
  /** The service closed the connection before everything was sent. */
  readonly isCutOff: boolean;
}

interface Line {
  readonly write: (bytes: Buffer) => Promise<void>;
  readonly end: () => Promise<void>;
  readonly abandon: () => void;
  readonly isClosed: () => boolean;
  readonly bytesBack: () => number;
}

/** @throws AppError `TELEPHONY_UNREACHABLE` */
export async function playLeg({ opening, pieces, durationMs }: LegMessages, options: PlayLegOptions): Promise<PlayedLeg> {
  await wait(options.delayMs, undefined, { signal: options.signal });
  const line = options.protocol === "websocket" ? await openWebSocket(options) : await openSocket(options);
  const last = Math.ceil(pieces.length * options.dropAfterShare);
  if (opening.length > 0) await line.write(opening);
  const startedAtMs = performance.now();
  let sent = 0;
  for (const piece of pieces.slice(0, last)) {
    if (line.isClosed() || options.signal.aborted) break;
    const dueMs = options.pace === 0 ? 0 : (sent * PIECE_MS) / options.pace - (performance.now() - startedAtMs);
    if (dueMs > 1) await wait(dueMs);
    await line.write(piece);
    sent++;
  }
  const isCutOff = line.isClosed() && sent < last;
  if (last < pieces.length) line.abandon();
  else await line.end();
  return { sentMs: Math.floor(Math.min(sent * PIECE_MS, durationMs)), bytesBack: line.bytesBack(), isCutOff };
}

async function openSocket({ host, port, splitBytes }: PlayLegOptions): Promise<Line> {
  const socket = connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", (cause) => reject(unreachable(cause))));
  let bytesBack = 0;
  socket.on("data", (bytes: Buffer) => {
    bytesBack += bytes.length;
  });
  socket.on("error", () => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    write: (bytes) => writeSplit(socket, bytes, splitBytes),
    async end() {
      socket.end();
      await closed;
    },
    abandon: () => socket.resetAndDestroy(),
    isClosed: () => socket.destroyed || socket.readableEnded,
    bytesBack: () => bytesBack,
  };
}

async function writeSplit(socket: Socket, bytes: Buffer, splitBytes: number): Promise<void> {
  const step = splitBytes === 0 ? bytes.length : splitBytes;
  for (let start = 0; start < bytes.length && !socket.destroyed; start += step) {
    if (!socket.write(bytes.subarray(start, start + step))) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off("drain", go).off("close", go);
          resolve();
        };
        socket.once("drain", go).once("close", go);
      });
    }
  }
}

async function openWebSocket({ host, port, path, apiKey }: PlayLegOptions): Promise<Line> {
  const socket = new WebSocket(`ws://${host}:${port}${path}`, { headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` } });
  await new Promise<void>((resolve, reject) => socket.once("open", () => resolve()).once("error", (cause) => reject(unreachable(cause))));
  let bytesBack = 0;
  socket.on("message", (data: Buffer) => {
    bytesBack += data.length;
  });
  socket.on("error", () => socket.terminate());
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return {
    write: (bytes) => new Promise((resolve) => socket.send(bytes, () => resolve())),
    async end() {
      socket.close(1000);
      await closed;
    },
    abandon: () => socket.terminate(),
    isClosed: () => socket.readyState !== socket.OPEN,
    bytesBack: () => bytesBack,
  };
}

function unreachable(cause: unknown): AppError {
  return new AppError("TELEPHONY_UNREACHABLE", "Nothing takes calls there; start the service, or say where it is with --to HOST:PORT.", { cause });
}
