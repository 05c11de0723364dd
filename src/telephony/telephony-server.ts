/** The telephony port: takes connections of the exchange over TCP or TLS, from whom it may, and as many as it may. */
import { BlockList, createServer, isIPv6, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { AppError } from "../core/errors.js";
import { StreamConnection, type StreamConnectionOptions } from "./stream-connection.js";

export interface TelephonyServerOptions extends Omit<StreamConnectionOptions, "onClosed"> {
  readonly maxConnections: number;
  /** Networks that may connect, e.g. `10.0.0.0/8`, besides the other processes that pass legs on; empty for all. */
  readonly allowedPeers: readonly string[];
}

export interface TelephonyServer {
  /** @returns the port. @throws AppError `CONFIG_PORT_IN_USE` */
  listen(host: string, port: number): Promise<number>;
  /** Connections that are passed on to other processes. */
  passedOnCount(): number;
  /** Takes no more connections; those there are go on. */
  refuseNew(): void;
  /** Takes no more connections and ends those there are. */
  close(): Promise<void>;
}

/** Builds, and does not listen. */
export function createTelephonyServer(options: TelephonyServerOptions): TelephonyServer {
  const { metrics, routing } = options;
  const connections = new Set<StreamConnection>();
  const isAllowed = peerFilter(options.allowedPeers);
  const accept = (socket: Socket): void => {
    const address = plainAddress(socket.remoteAddress ?? "");
    if (!isAllowed(address) && routing?.isPeer(address) !== true) {
      metrics.telephonyClosed.inc({ reason: "peer" });
      socket.destroy();
      return;
    }
    const connection = new StreamConnection(socket, {
      ...options,
      onClosed: (closed) => {
        connections.delete(closed);
        metrics.telephonyConnections.set(connections.size);
      },
    });
    connections.add(connection);
    metrics.telephonyConnections.set(connections.size);
  };
  const server: Server = options.tls === undefined ? createServer({ noDelay: true }, accept) : createTlsServer({ ...options.tls }, accept);
  server.maxConnections = options.maxConnections;
  server.on("drop", () => metrics.telephonyClosed.inc({ reason: "full" }));
  // A handshake that fails is the peer's affair.
  server.on("tlsClientError", () => metrics.telephonyClosed.inc({ reason: "error" }));
  let closed: Promise<void> | undefined;
  const refuseNew = (): void => {
    closed ??= new Promise((resolve) => {
      if (server.listening) server.close(() => resolve());
      else resolve();
    });
  };
  return {
    listen: (host, port) => listen(server, host, port),
    refuseNew,
    passedOnCount: () => [...connections].filter(({ isPassedOn }) => isPassedOn).length,
    async close() {
      refuseNew();
      for (const connection of [...connections]) connection.close("stopping");
      await closed;
    },
  };
}

function peerFilter(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true;
  const allowed = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) allowed.addAddress(address, family);
    else allowed.addSubnet(address, Number(prefix), family);
  }
  return (address) => allowed.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** Of an IPv4 peer of a socket that listens on both. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
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
