/** A running service, as `watch` talks to it: uploads a file, asks for its task. */
import { createReadStream } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { basename } from "node:path";
import { AppError } from "../../core/errors.js";

export interface ServiceClientOptions {
  readonly url: URL;
  readonly apiKey: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface UploadRequest {
  readonly path: string;
  readonly byteCount: number;
  readonly idempotencyKey: string;
  readonly language: string;
  readonly signal: AbortSignal;
}

export interface ServiceClient {
  /** Rejects when the service can't be reached. */
  upload(upload: UploadRequest): Promise<ServiceAnswer>;
  getTask(taskId: string, signal: AbortSignal): Promise<ServiceAnswer>;
}

const BOUNDARY = "openchs-ai-watch-4f1c7b0e";
const MAX_ANSWER_CHARACTERS = 100_000_000;
const ASK_TIMEOUT_MS = 30_000;

/** @throws AppError `CONFIG_INVALID` for an address that is not http or https */
export function createServiceClient({ url, apiKey }: ServiceClientOptions): ServiceClient {
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new AppError("CONFIG_INVALID", "--to must be an address such as http://127.0.0.1:8125.");
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const authorization = `Bearer ${apiKey}`;
  return {
    upload({ path, byteCount, idempotencyKey, language, signal }) {
      const opening = `${field("language", language)}--${BOUNDARY}\r\ncontent-disposition: form-data; name="audio"; filename="${safeName(path)}"\r\ncontent-type: application/octet-stream\r\n\r\n`;
      const closing = `\r\n--${BOUNDARY}--\r\n`;
      const headers = {
        authorization,
        "idempotency-key": idempotencyKey,
        "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
        "content-length": Buffer.byteLength(opening) + byteCount + Buffer.byteLength(closing),
      };
      const sending = send(new URL("/audio/process", url), { method: "POST", headers, signal });
      const answer = answerOf(sending);
      sending.write(opening);
      if (byteCount === 0) {
        sending.end(closing);
        return answer;
      }
      const file = createReadStream(path, { end: byteCount - 1 });
      file.on("end", () => sending.end(closing)).on("error", (error) => sending.destroy(error));
      // An answer may come before the end: then nobody reads on.
      sending.on("close", () => file.destroy());
      file.pipe(sending, { end: false });
      return answer;
    },
    getTask(taskId, signal) {
      const asking = send(new URL(`/audio/task/${taskId}`, url), { headers: { authorization }, signal, timeout: ASK_TIMEOUT_MS });
      asking.on("timeout", () => asking.destroy(new Error("no answer in time")));
      const answer = answerOf(asking);
      asking.end();
      return answer;
    },
  };
}

/** The answer counts, also when the rest of the request could not be sent any more. */
function answerOf(sending: ReturnType<typeof httpRequest>): Promise<ServiceAnswer> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    sending.on("error", (error) => {
      if (!isAnswered) reject(error);
    });
    sending.on("response", (response) => {
      isAnswered = true;
      readAnswer(response).then(resolve, reject);
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<ServiceAnswer> {
  let text = "";
  response.setEncoding("utf8");
  for await (const part of response) {
    text += String(part);
    if (text.length > MAX_ANSWER_CHARACTERS) throw new Error("the answer is too long");
  }
  return { status: response.statusCode ?? 0, body: parseObject(text) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** The name is a hint the service does not need: what could break the header is left out. */
function safeName(path: string): string {
  return basename(path)
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(-100);
}
