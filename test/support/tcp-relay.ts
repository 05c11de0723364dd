/** A line between a client and a server on this machine that can be cut, or be made to swallow everything. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

export interface TcpRelay {
  readonly port: number;
  /** Bytes from the client so far, over all connections. */
  readonly sentBytes: () => number;
  /** Cuts every connection once the client has sent this much more in all; new ones are closed at once. */
  cutAfter(bytes: number): void;
  /** As it was at first. */
  mend(): void;
  close(): Promise<void>;
}

export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let sent = 0;
  let cutAt = Number.POSITIVE_INFINITY;
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    if (sent >= cutAt) return void client.destroy();
    const upstream = connect(targetPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .once("close", () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.on("data", (bytes) => {
      sent += bytes.length;
      if (sent >= cutAt) return cutAll();
      if (!upstream.write(bytes)) client.pause();
    });
    upstream.on("drain", () => client.resume()).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sentBytes: () => sent,
    cutAfter: (bytes) => {
      cutAt = sent + bytes;
      if (bytes === 0) cutAll();
    },
    mend: () => {
      cutAt = Number.POSITIVE_INFINITY;
    },
    async close() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
