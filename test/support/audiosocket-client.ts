/** Speaks AudioSocket as the exchange does, over a plain or a TLS socket. */
import { connect, type Socket } from "node:net";

/** The messages of a leg: its id, then audio in 20 ms messages. */
export function legMessages(streamId: string, samples: Int16Array, { kind = 0x10, sampleRateHz = 8_000 } = {}): readonly Buffer[] {
  const frame = sampleRateHz / 50;
  const audio: Buffer[] = [];
  for (let start = 0; start < samples.length; start += frame) audio.push(message(kind, bytesOf(samples.subarray(start, start + frame))));
  return [message(0x01, Buffer.from(streamId.replaceAll("-", ""), "hex")), ...audio];
}

export function message(kind: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(3);
  header.writeUInt8(kind, 0);
  header.writeUInt16BE(payload.length, 1);
  return Buffer.concat([header, payload]);
}

export async function connectTo(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

export function whenClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}

function bytesOf(samples: Int16Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(sample, index * 2);
  return bytes;
}
