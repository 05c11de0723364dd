/** An HTTP server that answers what a test tells it to, and remembers what it was asked. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes out as it is. Undefined: it never answers. */
  readonly body: unknown;
}

export interface ScriptedServer<Request> extends AsyncDisposable {
  /** Ends in `/v1`. */
  readonly url: string;
  readonly requests: Request[];
  /** One a request; the last one again and again. */
  answers: ScriptedAnswer[];
}

/** @param read - what is remembered of a request */
export async function startScriptedServer<Request>(
  read: (request: IncomingMessage, body: Buffer) => Promise<Request> | Request,
  answers: ScriptedAnswer[],
): Promise<ScriptedServer<Request>> {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      requests.push(await read(request, body));
      const answer = started.answers.length > 1 ? started.answers.shift() : started.answers[0];
      if (answer?.body === undefined) return;
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const started: ScriptedServer<Request> = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return started;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
