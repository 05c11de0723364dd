/** What a client of the model endpoints does: asks with JSON or a recording, waits, and looks up the answer. */
import { expect } from "vitest";
import type { UserRole } from "../../src/security/permissions.js";
import { type TestGateway, uploadForm } from "./start-gateway.js";
import { until } from "./until.js";

export interface ModelTask<Result = Readonly<Record<string, unknown>>> {
  readonly task_id: string;
  readonly status: string;
  readonly progress?: number;
  readonly status_endpoint?: string;
  readonly result?: Result;
  readonly error?: { readonly code: string };
}

const DEADLINE_MS = 60_000;

/** One request; `path` with its query. */
export function askModel(gateway: TestGateway, path: string, body: unknown, role: UserRole | null = "agent"): Promise<Response> {
  return gateway.request(role, path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export function askWhisper(
  gateway: TestGateway,
  query: string,
  audio: Buffer,
  fields: Readonly<Record<string, string>> = { language: "en" },
): Promise<Response> {
  return gateway.request("agent", `/whisper/transcribe${query}`, { method: "POST", body: uploadForm(audio, fields) });
}

/** The answer of a request that waits for it. */
export async function taskIn<Result>(response: Response, status = 200): Promise<ModelTask<Result>> {
  const text = await response.text();
  expect(response.status, text).toBe(status);
  return JSON.parse(text) as ModelTask<Result>;
}

export async function resultOf<Result>(gateway: TestGateway, path: string, body: unknown): Promise<Result> {
  const { status, result } = await taskIn<Result>(await askModel(gateway, `${path}?wait=60`, body));
  expect(status).toBe("completed");
  if (result === undefined) throw new Error("a completed task has a result");
  return result;
}

/** Asks at an endpoint of a task until it has one of these statuses. */
export async function untilStatus<Result>(
  gateway: TestGateway,
  endpoint: string,
  statuses: readonly string[],
  role: UserRole = "agent",
): Promise<ModelTask<Result>> {
  let task: ModelTask<Result> | undefined;
  const isThere = async (): Promise<boolean> => {
    task = await gateway.json<ModelTask<Result>>(role, endpoint);
    return statuses.includes(task.status);
  };
  await until(`the task is ${statuses.join(" or ")}`, isThere, DEADLINE_MS, 25);
  if (task === undefined) throw new Error("no task was seen");
  return task;
}
