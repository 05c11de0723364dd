/** A leg may come to one process while the other leg of its call runs in another: it is passed on to that one, byte by byte. */
import { X509Certificate } from "node:crypto";
import { connect, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { TlsOptions } from "../security/tls-options.js";

/** Where another process takes connections of the exchange. */
export interface StreamPeer {
  readonly host: string;
  readonly port: number;
}

export interface LegRoute {
  /** Undefined: the call is here. */
  readonly peer: StreamPeer | undefined;
  /** The leg has ended. */
  release(): void;
}

export interface LegRouting {
  /** Never fails: when nobody can be asked, the call is here. */
  route(streamId: string): Promise<LegRoute>;
  /** Whether another process is at this address: it passes legs on to us. */
  isPeer(address: string): boolean;
}

const CONNECT_TIMEOUT_MS = 2_000;

/**
 * Resolves when the peer takes the connection.
 *
 * @param tls - ours, where the port has TLS: a peer is whoever has the same certificate
 * @throws Error when it does not
 */
export function connectPeer({ host, port }: StreamPeer, tls: TlsOptions | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // The name in the certificate is that of the service; what tells a peer is that it holds the same one.
    const socket = tls === undefined ? connect({ host, port, noDelay: true }) : connectTls({ host, port, rejectUnauthorized: false });
    const timer = setTimeout(() => socket.destroy(new Error("The peer does not answer.")), CONNECT_TIMEOUT_MS);
    socket.once("error", reject);
    socket.once("close", () => clearTimeout(timer));
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      if (tls !== undefined && !(socket instanceof TLSSocket && isCertificateOf(socket, tls))) {
        socket.destroy(new Error("The peer has another certificate."));
        return;
      }
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function isCertificateOf(socket: TLSSocket, { cert }: TlsOptions): boolean {
  return socket.getPeerX509Certificate()?.fingerprint256 === new X509Certificate(cert).fingerprint256;
}
