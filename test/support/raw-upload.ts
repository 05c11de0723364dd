/** Uploads over a bare socket, which sends on as long as it is told to and keeps every byte that comes back. */
import { connect, type Socket } from "node:net";
import type { TestGateway } from "./start-gateway.js";

export interface RawUpload {
  readonly socket: Socket;
  /** All that has come back so far. */
  answer(): string;
  /** True once the connection is gone, in whichever way. */
  isClosed(): boolean;
  /** Bytes handed to the socket and taken by it. */
  sentBytes(): number;
}

export interface RawUploadOptions {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body; null: zeros without end, in chunks, until the connection is gone. */
  readonly body: Buffer | null;
  /** Pieces the body is sent in; all at once when absent. */
  readonly pieceBytes?: number;
}

const CHUNK = Buffer.alloc(64 * 1_024, 0x55);

/** One piece after the other, each when the one before was taken: a socket that takes no more holds this up. */
async function send(socket: Socket, pieces: Iterable<Buffer>, onSent: (bytes: number) => void): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed || !socket.writable) return;
    const isTaken = await new Promise<boolean>((resolve) => {
      const onClose = (): void => resolve(false);
      socket.once("close", onClose);
      socket.write(piece, (error) => {
        socket.off("close", onClose);
        resolve(error === null || error === undefined);
      });
    });
    if (!isTaken) return;
    onSent(piece.length);
  }
}

function* piecesOf(body: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let start = 0; start < body.length; start += pieceBytes) yield body.subarray(start, start + pieceBytes);
}

function* withoutEnd(): Generator<Buffer> {
  for (;;) yield Buffer.concat([Buffer.from(`${CHUNK.length.toString(16)}\r\n`), CHUNK, Buffer.from("\r\n")]);
}

export async function openRawUpload(gateway: TestGateway, { path, headers, body, pieceBytes }: RawUploadOptions): Promise<RawUpload> {
  const socket = connect(Number(new URL(gateway.service.url).port), "127.0.0.1");
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let answer = "";
  let isClosed = false;
  let sentBytes = 0;
  socket.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
  });
  socket
    .on("error", () => {})
    .once("close", () => {
      isClosed = true;
    });
  const length = body === null ? { "transfer-encoding": "chunked" } : { "content-length": String(body.length) };
  const lines = Object.entries({ host: "helpline", ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  void send(socket, body === null ? withoutEnd() : piecesOf(body, pieceBytes ?? Math.max(1, body.length)), (bytes) => {
    sentBytes += bytes;
  });
  return { socket, answer: () => answer, isClosed: () => isClosed, sentBytes: () => sentBytes };
}

/** Status and problem code of a whole answer; undefined while it is not whole. */
export function readAnswer(answer: string): { readonly status: number; readonly code: string } | undefined {
  const end = answer.indexOf("\r\n\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1];
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1];
  if (end < 0 || status === undefined || length === undefined) return undefined;
  const body = Buffer.from(answer.slice(end + 4), "latin1");
  if (body.length < Number(length)) return undefined;
  return { status: Number(status), code: (JSON.parse(body.subarray(0, Number(length)).toString("utf8")) as { code: string }).code };
}
