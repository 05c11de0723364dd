/**
 * The end of a refused upload. The answer goes out while the client is still sending; closing the connection on what was
 * not read yet would tear the answer out of its hands. So a little more is read and thrown away, and only then, if there
 * is still no end to it, the connection is cut.
 */
import type { FastifyRequest } from "fastify";

const LINGER_BYTES = 16 * 1024 * 1024;
const LINGER_MS = 2_000;

/** To be called before the answer is sent; returns at once. */
export function lingerOverBody({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return;
  let leftBytes = LINGER_BYTES;
  const timer = setTimeout(() => raw.socket.destroy(), LINGER_MS);
  raw.unpipe();
  raw.on("data", (chunk: Buffer) => {
    leftBytes -= chunk.length;
    // Enough: the client has its answer by now or reads it while it waits for us to go on.
    if (leftBytes < 0) raw.pause();
  });
  raw.once("end", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
  raw.resume();
}
