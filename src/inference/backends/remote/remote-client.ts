/**
 * Asks a model server on the helpline's network (vLLM, speaches, whisper.cpp's server, llama.cpp's, Ollama) by the paths of
 * OpenAI's API. It waits so long, tries so often, and leaves a server alone that keeps failing.
 */
import { setTimeout as wait } from "node:timers/promises";
import { AppError } from "../../../core/errors.js";
import { CircuitBreaker } from "./circuit-breaker.js";

export interface RemoteServer {
  /** Such as `http://10.0.0.5:8000/v1`. */
  readonly baseUrl: string;
  /** As the server names it. */
  readonly model: string;
  readonly apiKey?: string;
  /** Of one attempt. */
  readonly timeoutMs: number;
}

const ATTEMPTS = 3;
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
/** No honest answer is longer. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export class RemoteClient {
  readonly #server: RemoteServer;
  readonly #breaker: CircuitBreaker;

  constructor(server: RemoteServer, nowMs: () => number = () => performance.now()) {
    this.#server = server;
    this.#breaker = new CircuitBreaker(nowMs);
  }

  /**
   * @param body - made anew for each attempt.
   * @returns the parsed JSON, unchecked.
   * @throws AppError `MODEL_REMOTE_UNAVAILABLE` (retryable), `MODEL_REMOTE_INVALID`; the signal's reason
   */
  async post(path: string, body: () => FormData | string, signal: AbortSignal): Promise<unknown> {
    if (!this.#breaker.mayAsk) throw unavailable("it failed several times in a row and is left alone for half a minute");
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#attempt(path, body(), signal);
        this.#breaker.succeeded();
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        const isWorthMore = error instanceof AppError && error.retryable && attempt < ATTEMPTS;
        if (!isWorthMore) {
          if (error instanceof AppError && error.code === "MODEL_REMOTE_UNAVAILABLE") this.#breaker.failed();
          throw error;
        }
        const askedMs = Number(error.details["retryAfterSeconds"] ?? 0) * 1_000;
        await wait(Math.min(MAX_DELAY_MS, Math.max(askedMs, FIRST_DELAY_MS * 2 ** (attempt - 1))), undefined, { signal });
      }
    }
  }

  async #attempt(path: string, body: FormData | string, signal: AbortSignal): Promise<unknown> {
    const { baseUrl, apiKey, timeoutMs } = this.#server;
    const late = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${baseUrl.replace(/\/$/u, "")}/${path}`, {
      method: "POST",
      body,
      redirect: "error",
      headers: {
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
      },
      signal: AbortSignal.any([signal, late]),
    }).catch(() => {
      throw unavailable(late.aborted ? "it did not answer in time" : "it can't be reached");
    });
    if (!response.ok) {
      await response.body?.cancel();
      const retryAfterSeconds = Number(response.headers.get("retry-after") ?? 0) || 0;
      if (response.status === 408 || response.status === 429 || response.status >= 500)
        throw unavailable(`it answers with ${response.status}`, retryAfterSeconds);
      throw new AppError(
        "MODEL_REMOTE_INVALID",
        `The model server refuses the request with ${response.status}; check the model's name, the key and what the server can do.`,
      );
    }
    const text = await readLimited(response).catch(() => {
      throw unavailable(late.aborted ? "it did not answer in time" : "its answer broke off");
    });
    return parseAnswer(text);
  }
}

/** @returns undefined when the answer is longer than any honest one */
async function readLimited(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseAnswer(text: string | undefined): unknown {
  try {
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // Said below.
  }
  throw invalidAnswer();
}

/** What a server gave that is not what was asked for; nothing of it is used. */
export function invalidAnswer(): AppError {
  return new AppError("MODEL_REMOTE_INVALID", "The model server's answer is not of the form that was asked for; nothing of it was used.");
}

function unavailable(reason: string, retryAfterSeconds = 0): AppError {
  return new AppError("MODEL_REMOTE_UNAVAILABLE", `The model server can't be used now: ${reason}.`, { retryable: true, details: { retryAfterSeconds } });
}
