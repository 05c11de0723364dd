/** Telephone legs made of samples, and clients that play them into the telephony port in any pieces, at any pace. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { message } from "./audiosocket-client.js";
import { samplePath } from "./sample-audio.js";

export const FRAME_MS = 20;

/** One channel of a telephone sample as it was recorded, A-law at 8 kHz: 0 is the caller, 1 the counsellor. */
export function alawLegOf(id: string, channel: 0 | 1, fromMs: number, toMs: number): Uint8Array {
  const wav = readFileSync(samplePath(id, "call-8k-alaw.wav"));
  const data = wav.subarray(wav.indexOf("data") + 8);
  return data.filter((_, index) => index % 2 === channel).subarray(fromMs * 8, toMs * 8);
}

/** The same sound at another rate, on straight lines between the samples; exactly as long. */
export function resampled(samples: Int16Array, toHz: number, fromHz = 8_000): Int16Array {
  return Int16Array.from({ length: Math.round((samples.length * toHz) / fromHz) }, (_, index) => {
    const at = (index * fromHz) / toHz;
    const before = samples[Math.floor(at)] ?? 0;
    const after = samples[Math.floor(at) + 1] ?? before;
    return Math.round(before + (after - before) * (at - Math.floor(at)));
  });
}

export function pcmBytes(samples: Int16Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(sample, index * 2);
  return bytes;
}

export function idMessage(streamId: string): Buffer {
  return message(0x01, Buffer.from(streamId.replaceAll("-", ""), "hex"));
}

/** Audio in messages of `frameBytes`; by default 20 ms at 8 kHz. */
export function audioMessages(samples: Int16Array, { kind = 0x10, frameBytes = 320 } = {}): readonly Buffer[] {
  const bytes = pcmBytes(samples);
  return Array.from({ length: Math.ceil(bytes.length / frameBytes) }, (_, index) =>
    message(kind, bytes.subarray(index * frameBytes, (index + 1) * frameBytes)),
  );
}

/** A leg as Asterisk sends it: its id, then 20 ms at a time. */
export function legBytes(streamId: string, samples: Int16Array): Buffer {
  return Buffer.concat([idMessage(streamId), ...audioMessages(samples)]);
}

/** What one side of a connection saw and can do; whatever comes back is read and dropped. */
export interface Leg extends Disposable {
  readonly socket: Socket;
  /** Resolves once the kernel has taken it. */
  send(...pieces: readonly Uint8Array[]): Promise<void>;
  /** Frames of 20 ms, each when it is due; 0 is as fast as they are taken. */
  speak(samples: Int16Array, pace?: number): Promise<void>;
  /** A key of the telephone. */
  press(digit: string): Promise<void>;
  /** Ends as Asterisk does: all is sent, then FIN; resolves when the service has closed too. */
  hangUp(): Promise<void>;
  /** Resolves when the service has closed, whoever began. */
  closed(): Promise<void>;
  isClosed(): boolean;
}

export async function openLeg(port: number, streamId?: string, localAddress = "127.0.0.1"): Promise<Leg> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let isClosed = false;
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      isClosed = true;
      resolve();
    });
  });
  socket.on("data", () => {});
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  // Whoever is refused sees a reset; tests look at `closed`.
  socket.on("error", () => {});
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      if (socket.destroyed || socket.writableEnded) resolve();
      else socket.write(bytes, () => resolve());
    });
  const leg: Leg = {
    socket,
    async send(...pieces) {
      for (const piece of pieces) await write(piece);
    },
    async speak(samples, pace = 1) {
      const startedAtMs = performance.now();
      const frames = audioMessages(samples);
      for (const [index, frame] of frames.entries()) {
        await write(frame);
        const aheadMs = pace === 0 ? 0 : ((index + 1) * FRAME_MS) / pace - (performance.now() - startedAtMs);
        if (aheadMs > 0) await wait(aheadMs);
      }
    },
    press: (digit) => write(message(0x03, Buffer.from(digit, "latin1"))),
    async hangUp() {
      socket.end();
      await closed;
    },
    closed: () => closed,
    isClosed: () => isClosed,
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
  if (streamId !== undefined) await leg.send(idMessage(streamId));
  return leg;
}
