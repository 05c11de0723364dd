/** Requests to the gateway with the person's key. Refusals are answers, not exceptions; a 401 ends the session. */
import type { Answer } from "./answer.js";
import { NO_ANSWER, type Problem, toProblem } from "./problem.js";

export interface HttpClient {
  getJson<Value>(path: string, signal?: AbortSignal): Promise<Answer<Value>>;
  postJson<Value>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer<Value>>;
  getBlob(path: string, signal?: AbortSignal): Promise<Answer<Blob>>;
}

export interface HttpClientOptions {
  readonly apiKey: string;
  readonly onUnauthorized: (problem: Problem) => void;
}

export function createHttpClient({ apiKey, onUnauthorized }: HttpClientOptions): HttpClient {
  async function request<Value>(path: string, init: RequestInit, read: (response: Response) => Promise<Value>): Promise<Answer<Value>> {
    try {
      const headers = { ...(init.headers as Record<string, string> | undefined), authorization: `Bearer ${apiKey}` };
      const response = await fetch(path, { ...init, headers, cache: "no-store", credentials: "omit" });
      if (response.ok) return { ok: true, value: await read(response) };
      const problem = toProblem(response.status, await response.json().catch(() => undefined));
      if (response.status === 401) onUnauthorized(problem);
      return { ok: false, problem };
    } catch {
      return { ok: false, problem: NO_ANSWER };
    }
  }

  return {
    getJson: <Value>(path: string, signal?: AbortSignal) => request<Value>(path, withSignal({}, signal), (response) => response.json()),
    postJson: <Value>(path: string, body: unknown, signal?: AbortSignal) => {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      return request<Value>(path, withSignal(init, signal), (response) => response.json());
    },
    getBlob: (path, signal) => request(path, withSignal({}, signal), (response) => response.blob()),
  };
}

function withSignal(init: RequestInit, signal: AbortSignal | undefined): RequestInit {
  return signal === undefined ? init : { ...init, signal };
}
