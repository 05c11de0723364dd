/** HTTP as it goes over the wire: nothing is decompressed, followed or added, and bytes are kept as they came. */
import { type IncomingHttpHeaders, type IncomingMessage, request as openRequest } from "node:http";
import { buffer } from "node:stream/consumers";
import type { UserRole } from "../../src/security/permissions.js";
import type { TestGateway } from "./start-gateway.js";

export interface SentRequest {
  readonly role?: UserRole | null;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Resolves when the head of the answer is there. As an agent unless another role is named; null: no credentials. */
export function sendRequest(gateway: TestGateway, path: string, sent: SentRequest = {}): Promise<IncomingMessage> {
  const { role = "agent", method = "GET", headers = {}, body } = sent;
  const credentials: Record<string, string> = role === null ? {} : { authorization: `Bearer ${gateway.keys[role]}` };
  return new Promise((resolve, reject) => {
    // Node's default agent would keep the connection for the next request, which a test may want to cut.
    const outgoing = openRequest(`${gateway.service.url}${path}`, { method, agent: false, headers: { ...credentials, ...headers } }, resolve);
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

export async function ask(gateway: TestGateway, path: string, sent: SentRequest = {}): Promise<PlainAnswer> {
  const incoming = await sendRequest(gateway, path, sent);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await buffer(incoming) };
}

/** The `code` of a problem document. */
export function codeOf({ body }: Pick<PlainAnswer, "body">): string {
  return (JSON.parse(body.toString("utf8")) as { code: string }).code;
}

/** A form as bytes, with the header that tells its boundary. */
export async function encodeForm(form: FormData): Promise<{ readonly body: Buffer; readonly headers: Readonly<Record<string, string>> }> {
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  return { body, headers: { "content-type": encoded.headers.get("content-type") ?? "", "content-length": String(body.length) } };
}
