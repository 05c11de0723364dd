/**
 * The telephony port: takes AudioSocket connections from the exchange, over TCP or TLS, and feeds their audio to live
 * calls. It reads as long as a call lives, whatever else is slow, and closes what does not speak the protocol.
 */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { LiveLeg, LiveRecordings } from "../calls/live-recordings.js";
import { AppError } from "../core/errors.js";
import type { Metrics } from "../observability/metrics.js";
import type { TlsOptions } from "../security/tls-options.js";
import { SILENCE_MESSAGE } from "./audiosocket/message.js";
import { AudioSocketDecoder } from "./audiosocket/message-decoder.js";

export interface TelephonyServerOptions {
  readonly recordings: LiveRecordings;
  readonly metrics: Metrics;
  readonly maxConnections: number;
  /** A connection that sends nothing for this long is closed. */
  readonly idleTimeoutMs: number;
  readonly tls?: TlsOptions;
}

export interface TelephonyServer {
  /** @returns the port. @throws AppError `CONFIG_PORT_IN_USE` */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections and ends those there are. */
  close(): Promise<void>;
}

const SILENCE_INTERVAL_MS = 500;

/** Why a connection ended; the label of a metric. */
type CloseReason = "hangup" | "protocol" | "idle" | "error" | "stopping";

/** Builds, and does not listen. */
export function createTelephonyServer(options: TelephonyServerOptions): TelephonyServer {
  const connections = new Set<AudioSocketConnection>();
  const accept = (socket: Socket): void => {
    const connection = new AudioSocketConnection(socket, options, () => {
      connections.delete(connection);
      options.metrics.telephonyConnections.set(connections.size);
    });
    connections.add(connection);
    options.metrics.telephonyConnections.set(connections.size);
  };
  const server: Server = options.tls === undefined ? createServer({ noDelay: true }, accept) : createTlsServer({ ...options.tls }, accept);
  server.maxConnections = options.maxConnections;
  return {
    listen: (host, port) => listen(server, host, port),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of [...connections]) connection.close("stopping");
      if (server.listening || connections.size > 0) await closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const isTaken = cause.code === "EADDRINUSE";
      reject(
        isTaken ? new AppError("CONFIG_PORT_IN_USE", `Port ${port} is in use. Stop what uses it, or choose another with --stream-port.`, { cause }) : cause,
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

class AudioSocketConnection {
  readonly #socket: Socket;
  readonly #options: TelephonyServerOptions;
  readonly #decoder = new AudioSocketDecoder();
  readonly #silence: NodeJS.Timeout;
  readonly #onClosed: () => void;
  #leg: LiveLeg | undefined;
  #reason: CloseReason = "hangup";
  #lastHeardMs = performance.now();

  constructor(socket: Socket, options: TelephonyServerOptions, onClosed: () => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#silence = setInterval(() => this.#tick(), SILENCE_INTERVAL_MS);
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => this.close("error"));
    socket.on("close", () => this.#ended());
  }

  close(reason: CloseReason): void {
    this.#reason = reason;
    this.#socket.destroy();
  }

  /** A quiet service makes Asterisk hang up the caller after two seconds; a quiet exchange has gone away. */
  #tick(): void {
    // Not the socket's own time-out: what we send ourselves would put it off for ever.
    if (performance.now() - this.#lastHeardMs > this.#options.idleTimeoutMs) this.close("idle");
    else this.#socket.write(SILENCE_MESSAGE);
  }

  #receive(bytes: Buffer): void {
    this.#lastHeardMs = performance.now();
    try {
      for (const message of this.#decoder.push(bytes)) {
        if (message.kind === "hangup") this.close("hangup");
        else if (message.kind === "uuid" && this.#leg === undefined) this.#leg = this.#options.recordings.openLeg(message.streamId);
        else if (message.kind === "audio") this.#hear(message.samples, message.sampleRateHz);
      }
    } catch {
      this.close("protocol");
    }
  }

  /** Audio before an id belongs to nobody: that is not AudioSocket. */
  #hear(samples: Int16Array, sampleRateHz: number): void {
    if (this.#leg === undefined) throw new RangeError("audio before the id");
    this.#leg.write(samples, sampleRateHz);
    this.#options.metrics.telephonyAudioSeconds.inc(samples.length / sampleRateHz);
  }

  #ended(): void {
    clearInterval(this.#silence);
    this.#leg?.end();
    if (this.#decoder.pendingBytes > 0 && this.#reason === "hangup") this.#reason = "protocol";
    this.#options.metrics.telephonyClosed.inc({ reason: this.#reason });
    this.#onClosed();
  }
}
