/**
 * One connection of the exchange: its bytes become messages, its messages a leg of a live call. It reads as long as the
 * connection lives, whatever else is slow, and closes what breaks the protocol or the limits, with a reason.
 */
import type { Socket } from "node:net";
import type { LiveLeg } from "../calls/live/live-call-parts.js";
import type { LiveCalls } from "../calls/live/live-calls.js";
import type { CallEndReason } from "../core/live-call.js";
import type { Metrics } from "../observability/metrics.js";
import type { TlsOptions } from "../security/tls-options.js";
import { ArrivalRate } from "./arrival-rate.js";
import { SILENCE_MESSAGE } from "./audiosocket/message.js";
import { connectPeer, type LegRouting, type StreamPeer } from "./leg-routing.js";
import { createStreamDecoder, type ListenerOptions, type StreamProtocol, sniffProtocol } from "./protocol-sniffer.js";
import type { StreamDecoder, StreamMessage } from "./stream-message.js";

export interface StreamConnectionOptions {
  readonly liveCalls: Pick<LiveCalls, "openLeg">;
  readonly metrics: Metrics;
  readonly listener: ListenerOptions;
  /** Absent: every call is here. */
  readonly routing?: LegRouting;
  /** What the port speaks, and so what those of other processes do. */
  readonly tls?: TlsOptions;
  /** A connection that sends nothing for this long is closed. */
  readonly idleTimeoutMs: number;
  /** Times real time that a stream may come at. */
  readonly maxPace: number;
  readonly onClosed: (connection: StreamConnection) => void;
}

/** Why a connection ended; the label of a metric. `passed_on`: another process had the call. */
export type CloseReason = "hangup" | "passed_on" | "protocol" | "idle" | "error" | "stopping" | "silent_start" | "flood" | "peer";

/** What that is to the call. */
const END_REASONS = {
  hangup: "hangup",
  passed_on: "hangup",
  protocol: "hangup",
  error: "hangup",
  flood: "hangup",
  peer: "hangup",
  silent_start: "hangup",
  idle: "idle",
  stopping: "stopped",
} as const satisfies Record<CloseReason, CallEndReason>;

const SILENCE_INTERVAL_MS = 500;
/** Asterisk sends the id within milliseconds; who has not said it by now drips or waits for something else. */
const START_DEADLINE_MS = 10_000;
const KEEP_ALIVE_MS = 15_000;
const MAX_START_BYTES = 256;
/** What comes while it is asked which process has the call: some seconds of sound, and not a flood. */
const MAX_HEARD_BYTES = 1_048_576;

export class StreamConnection {
  readonly #socket: Socket;
  readonly #options: StreamConnectionOptions;
  readonly #ticker: NodeJS.Timeout;
  readonly #openedAtMs = performance.now();
  #start: Buffer = Buffer.alloc(0);
  #protocol: StreamProtocol | undefined;
  #decoder: StreamDecoder | undefined;
  #leg: LiveLeg | undefined;
  /** Its id was said; which process has its call is being asked. */
  #isRouting = false;
  /** Everything that came until that is known. */
  #heard: Buffer[] = [];
  #heardBytes = 0;
  #waiting: StreamMessage[] = [];
  #release: (() => void) | undefined;
  #upstream: Socket | undefined;
  #arrival: ArrivalRate | undefined;
  #reason: CloseReason = "hangup";
  #lastHeardMs = performance.now();
  #isClosed = false;
  #hasEnded = false;

  constructor(socket: Socket, options: StreamConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    // A peer that vanished without a word is noticed by the kernel.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const { protocol } = options.listener;
    if (protocol !== "auto") this.#speak(protocol);
    this.#ticker = setInterval(() => this.#tick(), SILENCE_INTERVAL_MS);
    socket.on("data", this.#receive);
    socket.on("error", () => this.close("error"));
    socket.on("close", () => this.#ended());
  }

  /** Another process has the call. */
  get isPassedOn(): boolean {
    return this.#upstream !== undefined;
  }

  close(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reason = reason;
    this.#socket.destroy();
  }

  #tick(): void {
    if (this.#socket.destroyed) return;
    const nowMs = performance.now();
    // Not the socket's own time-out: what we send ourselves would put it off for ever.
    if (nowMs - this.#lastHeardMs > this.#options.idleTimeoutMs) this.close("idle");
    else if (this.#leg === undefined && nowMs - this.#openedAtMs > START_DEADLINE_MS) this.close("silent_start");
    // A quiet service makes Asterisk hang up the caller after two seconds. Other peers expect no answer, and an exchange that
    // does not read must not fill our memory.
    else if (this.#protocol === "audiosocket" && this.#socket.writableLength === 0) this.#socket.write(SILENCE_MESSAGE);
  }

  #speak(protocol: StreamProtocol): void {
    this.#protocol = protocol;
    this.#decoder = createStreamDecoder(protocol, this.#options.listener);
  }

  readonly #receive = (bytes: Buffer): void => {
    // Who has not said an id yet has a deadline for that.
    if (this.#leg === undefined) this.#lastHeardMs = performance.now();
    if (this.#leg === undefined && this.#options.routing !== undefined) this.#remember(bytes);
    this.#takeAll(() => this.#read(bytes));
  };

  #remember(bytes: Buffer): void {
    this.#heard.push(bytes);
    this.#heardBytes += bytes.length;
    if (this.#heardBytes > MAX_HEARD_BYTES) this.close("flood");
  }

  #takeAll(read: () => readonly StreamMessage[]): void {
    try {
      for (const message of read()) {
        // Whole messages count: a peer that drips bytes of one for ever is idle.
        this.#lastHeardMs = performance.now();
        if (this.#isRouting) this.#waiting.push(message);
        else this.#take(message);
        if (this.#isClosed) return;
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.close("protocol");
    }
  }

  #read(bytes: Buffer): readonly StreamMessage[] {
    if (this.#decoder !== undefined) return this.#decoder.push(bytes);
    this.#start = Buffer.concat([this.#start, bytes.subarray(0, Math.max(0, MAX_START_BYTES - this.#start.length))]);
    const protocol = sniffProtocol(this.#start);
    const before = this.#start.length - Math.min(bytes.length, this.#start.length);
    if (protocol === undefined) return [];
    this.#speak(protocol);
    const first = Buffer.concat([this.#start.subarray(0, before), bytes]);
    this.#start = Buffer.alloc(0);
    return this.#decoder === undefined ? [] : (this.#decoder as StreamDecoder).push(first);
  }

  #take(message: StreamMessage): void {
    switch (message.kind) {
      case "hangup":
        this.close("hangup");
        return;
      case "id":
        // Said once; a second one is noise.
        if (this.#leg === undefined) this.#begin(message.streamId);
        return;
      case "dtmf":
        this.#leg?.press(message.digit);
        return;
      case "skipped":
        this.#options.metrics.telephonySkipped.inc({ protocol: this.#protocol ?? "raw" });
        return;
      case "audio":
        this.#hear(message.samples, message.sampleRateHz);
    }
  }

  #begin(streamId: string): void {
    const { routing } = this.#options;
    const isLone = this.#protocol === "raw";
    if (routing === undefined || isLone) {
      this.#leg = this.#options.liveCalls.openLeg({ streamId, isLone });
      return;
    }
    this.#isRouting = true;
    void this.#findCall(routing, streamId);
  }

  async #findCall(routing: LegRouting, streamId: string): Promise<void> {
    const { peer, release } = await routing.route(streamId);
    this.#release = release;
    const upstream = peer === undefined ? undefined : await this.#reach(peer);
    this.#isRouting = false;
    if (upstream !== undefined) this.#passOn(upstream);
    else this.#openHere(streamId);
    this.#heard = [];
    // Hung up meanwhile: what was said before goes where the call is all the same.
    if (this.#socket.destroyed) this.#ended();
  }

  /** A peer that can't be reached is dying, and its calls are finished elsewhere: the leg is a call of its own then. */
  #reach(peer: StreamPeer): Promise<Socket | undefined> {
    return connectPeer(peer, this.#options.tls).catch(() => undefined);
  }

  /** From here on the other process reads, answers, counts time, and ends the call. */
  #passOn(upstream: Socket): void {
    this.#upstream = upstream;
    clearInterval(this.#ticker);
    this.#socket.off("data", this.#receive);
    upstream.on("error", () => {});
    upstream.on("close", () => this.close("passed_on"));
    upstream.write(Buffer.concat(this.#heard));
    this.#reason = "passed_on";
    if (this.#socket.destroyed) return;
    upstream.pipe(this.#socket);
    this.#socket.pipe(upstream);
  }

  #openHere(streamId: string): void {
    this.#leg = this.#options.liveCalls.openLeg({ streamId, isLone: false });
    this.#takeAll(() => this.#waiting.splice(0));
  }

  /** Audio before an id belongs to nobody: that is not AudioSocket. */
  #hear(samples: Int16Array, sampleRateHz: number): void {
    if (this.#leg === undefined) throw new RangeError("audio before the id");
    const nowMs = performance.now();
    this.#arrival ??= new ArrivalRate({ maxPace: this.#options.maxPace }, nowMs);
    const verdict = this.#arrival.receive((samples.length * 1000) / sampleRateHz, nowMs);
    if (verdict === "too_fast") {
      this.close("flood");
      return;
    }
    if (verdict === "unlikely") this.#leg.warn("The audio does not arrive at the rate its protocol says; the exchange may send another rate or codec.");
    this.#leg.write(samples, sampleRateHz);
  }

  #ended(): void {
    if (this.#hasEnded || this.#isRouting) return;
    this.#hasEnded = true;
    clearInterval(this.#ticker);
    // What the exchange said last is still on its way.
    this.#upstream?.end();
    this.#release?.();
    if (this.#reason === "hangup" && (this.#decoder?.pendingBytes ?? this.#start.length) > 0) this.#reason = "protocol";
    this.#leg?.end(END_REASONS[this.#reason]);
    this.#options.metrics.telephonyClosed.inc({ reason: this.#reason });
    this.#options.onClosed(this);
  }
}
