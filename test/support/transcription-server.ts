/** A server with OpenAI's `/audio/transcriptions`, which answers what a test tells it to. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface TranscriptionRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  /** Text fields of the form, by name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly file: Uint8Array;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes out as it is. Undefined: it never answers. */
  readonly body: unknown;
}

export interface TranscriptionServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: TranscriptionRequest[];
  /** One a request; the last one again and again. */
  answers: ScriptedAnswer[];
}

export async function startTranscriptionServer(...answers: ScriptedAnswer[]): Promise<TranscriptionServer> {
  const requests: TranscriptionRequest[] = [];
  const server = createServer((request, response) => {
    void readForm(request).then((form) => {
      requests.push(form);
      const answer = started.answers.length > 1 ? started.answers.shift() : started.answers[0];
      if (answer?.body === undefined) return;
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const started: TranscriptionServer = {
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

async function readForm(request: IncomingMessage): Promise<TranscriptionRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const parsed = await new Response(Buffer.concat(chunks), { headers: { "content-type": request.headers["content-type"] ?? "" } }).formData();
  const fields = new Map<string, string>();
  let fileName = "";
  let file: Uint8Array = new Uint8Array();
  for (const [name, value] of parsed.entries()) {
    if (typeof value === "string") fields.set(name, value);
    else {
      fileName = value.name;
      file = new Uint8Array(await value.arrayBuffer());
    }
  }
  return { path: request.url ?? "", authorization: request.headers.authorization, fields, fileName, file };
}
