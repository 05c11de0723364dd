/** A client of the service behind TLS whose certificate a test's own authority signed. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as openRequest, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";

export interface TlsAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface TlsRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** In pieces, each sent when the one before was taken. */
  readonly body?: AsyncIterable<Uint8Array> | readonly Uint8Array[];
}

export interface TlsClient {
  /** Resolves when the head of the answer is there. */
  open(path: string, request?: TlsRequest): Promise<IncomingMessage>;
  ask(path: string, request?: TlsRequest): Promise<TlsAnswer>;
  json<Body>(path: string, request?: TlsRequest): Promise<Body>;
  /** @param path - of an event stream. Rejects when it is refused. */
  openSocket(path: string): Promise<WebSocket>;
}

export interface TlsClientOptions {
  readonly port: number;
  readonly caFile: string;
  readonly key: string;
}

export function createTlsClient({ port, caFile, key }: TlsClientOptions): TlsClient {
  const ca = readFileSync(caFile);
  const open = async (path: string, { method = "GET", headers = {}, body = [] }: TlsRequest = {}): Promise<IncomingMessage> => {
    const options: RequestOptions = { host: "127.0.0.1", port, path, method, ca, agent: false, headers: { authorization: `Bearer ${key}`, ...headers } };
    const outgoing = openRequest(options);
    const answered = new Promise<IncomingMessage>((resolve, reject) => outgoing.once("response", resolve).once("error", reject));
    for await (const piece of body) if (!outgoing.write(piece)) await Promise.race([once(outgoing, "drain"), answered]);
    outgoing.end();
    return answered;
  };
  const ask = async (path: string, request: TlsRequest = {}): Promise<TlsAnswer> => {
    const answer = await open(path, request);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
  };
  return {
    open,
    ask,
    json: async <Body>(path: string, request?: TlsRequest) => JSON.parse((await ask(path, request)).body) as Body,
    openSocket: (path) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, { ca });
        socket.once("open", () => resolve(socket)).once("error", reject);
      }),
  };
}

/** A connection of the exchange in TLS, encrypted when this resolves. */
export async function openTlsLeg(port: number, caFile: string): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", port, ca: readFileSync(caFile) });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  socket.on("data", () => {});
  socket.on("error", () => {});
  return socket;
}
