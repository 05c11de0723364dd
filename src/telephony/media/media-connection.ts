/** One media WebSocket of an exchange: its frames become the legs of a live call, one for each channel it carries. */
import type { RawData, WebSocket } from "ws";
import type { LiveLeg } from "../../calls/live/live-call-parts.js";
import type { LiveCalls } from "../../calls/live/live-calls.js";
import type { CallEndReason } from "../../core/live-call.js";
import type { Metrics } from "../../observability/metrics.js";
import { ArrivalRate } from "../arrival-rate.js";
import { PcmBytes } from "../pcm-bytes.js";
import type { MediaFormat, MediaMessage, MediaTrack } from "./media-message.js";
import { readMediaText } from "./text-messages.js";

export interface MediaConnectionOptions {
  readonly liveCalls: Pick<LiveCalls, "openLeg">;
  readonly metrics: Metrics;
  readonly idleTimeoutMs: number;
  readonly maxPace: number;
  readonly callId: string;
  /** Undefined: the id decides, or the frames do. */
  readonly track: MediaTrack | undefined;
  /** Until the exchange says something else. */
  readonly format: MediaFormat;
}

interface OpenTrack {
  readonly leg: LiveLeg;
  readonly pcm: PcmBytes;
  readonly arrival: ArrivalRate;
}

type CloseReason = "hangup" | "protocol" | "idle" | "flood" | "error";

const CLOSE_NORMAL = 1000;
const CLOSE_PROTOCOL = 1007;
const CLOSE_POLICY = 1008;

/** Serves the socket until it closes. */
export class MediaConnection {
  readonly #socket: WebSocket;
  readonly #options: MediaConnectionOptions;
  readonly #tracks = new Map<MediaTrack | "lone", OpenTrack>();
  readonly #ticker: NodeJS.Timeout;
  #format: MediaFormat;
  #reason: CloseReason = "hangup";
  #lastHeardMs = performance.now();

  constructor(socket: WebSocket, options: MediaConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#format = options.format;
    this.#ticker = setInterval(() => this.#tick(), Math.min(5_000, options.idleTimeoutMs));
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("error", () => {
      this.#reason = "error";
    });
    socket.on("close", (code) => this.#ended(code));
  }

  #tick(): void {
    if (performance.now() - this.#lastHeardMs <= this.#options.idleTimeoutMs) return;
    this.#reason = "idle";
    // A peer that is gone answers no close frame.
    this.#socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#lastHeardMs = performance.now();
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
    try {
      this.#take(isBinary ? { kind: "audio", bytes } : readMediaText(bytes.toString("utf8")));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#reason = "protocol";
      this.#socket.close(CLOSE_PROTOCOL, error.message.slice(0, 120));
    }
  }

  #take(message: MediaMessage): void {
    switch (message.kind) {
      case "format":
        this.#format = { ...this.#format, ...message.format };
        return;
      case "audio":
        this.#hear(message.bytes, message.track);
        return;
      case "dtmf":
        for (const { leg } of this.#tracks.values()) leg.press(message.digit);
        return;
      case "end":
        this.#socket.close(CLOSE_NORMAL);
        return;
      case "skipped":
        this.#options.metrics.telephonySkipped.inc({ protocol: "websocket" });
    }
  }

  #hear(bytes: Buffer, saidTrack: MediaTrack | undefined): void {
    if (this.#format.channelCount === 1) {
      this.#write(saidTrack ?? this.#options.track, bytes);
      return;
    }
    const bytesPerSample = this.#format.encoding === "slin" ? 2 : 1;
    for (const [index, track] of (["caller", "agent"] as const).entries()) this.#write(track, pick(bytes, index, bytesPerSample));
  }

  #write(track: MediaTrack | undefined, bytes: Buffer): void {
    const open = this.#tracks.get(track ?? "lone") ?? this.#open(track);
    const samples = open.pcm.push(bytes);
    const { sampleRateHz } = this.#format;
    const verdict = open.arrival.receive((samples.length * 1000) / sampleRateHz, performance.now());
    if (verdict === "too_fast") {
      this.#reason = "flood";
      this.#socket.close(CLOSE_POLICY, "too fast");
      return;
    }
    if (verdict === "unlikely") open.leg.warn("The audio does not arrive at the rate that was declared; the exchange may send another rate or codec.");
    open.leg.write(samples, sampleRateHz);
  }

  #open(track: MediaTrack | undefined): OpenTrack {
    const { callId, liveCalls, maxPace } = this.#options;
    const leg = liveCalls.openLeg({
      streamId: track === undefined ? callId : `${callId}/${track}`,
      callId,
      ...(track === undefined ? {} : { channel: track }),
    });
    const open = { leg, pcm: new PcmBytes(this.#format.encoding), arrival: new ArrivalRate({ maxPace }, performance.now()) };
    this.#tracks.set(track ?? "lone", open);
    return open;
  }

  #ended(code: number): void {
    clearInterval(this.#ticker);
    // Closed by the gateway, which stops.
    const reason: CallEndReason = this.#reason === "idle" ? "idle" : code === 1001 ? "stopped" : "hangup";
    for (const { leg } of this.#tracks.values()) leg.end(reason);
    this.#options.metrics.telephonyClosed.inc({ reason: this.#reason });
  }
}

/** One channel of interleaved samples. */
function pick(bytes: Buffer, channel: number, bytesPerSample: number): Buffer {
  const frameBytes = bytesPerSample * 2;
  const frames = Math.floor(bytes.length / frameBytes);
  const picked = Buffer.alloc(frames * bytesPerSample);
  for (let frame = 0; frame < frames; frame++) {
    for (let byte = 0; byte < bytesPerSample; byte++) picked[frame * bytesPerSample + byte] = bytes[frame * frameBytes + channel * bytesPerSample + byte] ?? 0;
  }
  return picked;
}
