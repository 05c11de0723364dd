/** The helpline's own system: takes what is sent to it, or does not. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedMessage {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly received: ReceivedMessage[];
  /** What it answers from now on. */
  answer: (message: ReceivedMessage) => { readonly status: number; readonly body?: string };
  close(): Promise<void>;
}

/** @param port - 0 takes a free one. */
export async function startReceiver(port = 0): Promise<WebhookReceiver> {
  const received: ReceivedMessage[] = [];
  const receiver = { answer: (_message: ReceivedMessage): { readonly status: number; readonly body?: string } => ({ status: 200 }) };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const message = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(parts).toString("utf8") };
      received.push(message);
      const { status, body = "" } = receiver.answer(message);
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: taken } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    ...{ url: `http://127.0.0.1:${taken}`, received },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
