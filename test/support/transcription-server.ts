/** A server with OpenAI's `/audio/transcriptions`, which answers what a test tells it to. */
import type { IncomingMessage } from "node:http";
import { type ScriptedAnswer, type ScriptedServer, startScriptedServer } from "./scripted-server.js";

export interface TranscriptionRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  /** Text fields of the form, by name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly fileName: string;
  readonly file: Uint8Array;
}

export type TranscriptionServer = ScriptedServer<TranscriptionRequest>;

export function startTranscriptionServer(...answers: ScriptedAnswer[]): Promise<TranscriptionServer> {
  return startScriptedServer(readForm, answers);
}

async function readForm(request: IncomingMessage, body: Buffer): Promise<TranscriptionRequest> {
  const parsed = await new Response(new Uint8Array(body), { headers: { "content-type": request.headers["content-type"] ?? "" } }).formData();
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
