/** What a client of the recordings API does: uploads, waits for the end of a task, looks at what lies on the disk. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { z } from "zod";
import { acceptedSchema, taskSchema } from "../../src/protocol/http/recording-schema.js";
import type { UserRole } from "../../src/security/permissions.js";
import { type TestGateway, uploadForm } from "./start-gateway.js";
import { until } from "./until.js";

export type Accepted = z.infer<typeof acceptedSchema>;
export type WireTask = z.infer<typeof taskSchema>;

export interface Upload {
  readonly role?: UserRole;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 90_000;

export function upload(gateway: TestGateway, audio: Buffer, options: Upload = {}): Promise<Response> {
  const { role = "agent", path = "/audio/process", fields = { language: "en" }, headers = {} } = options;
  return gateway.request(role, path, { method: "POST", headers, body: uploadForm(audio, fields) });
}

/** An upload that has to be taken. */
export async function uploaded(gateway: TestGateway, audio: Buffer, options: Upload = {}): Promise<Accepted> {
  const response = await upload(gateway, audio, options);
  const text = await response.text();
  expect(response.status, text).toBe(202);
  return acceptedSchema.parse(JSON.parse(text));
}

export async function taskOf(gateway: TestGateway, taskId: string): Promise<WireTask> {
  return taskSchema.parse(await gateway.json("agent", `/audio/task/${taskId}`));
}

/** The task once nothing is done on it any more. */
export async function endOf(gateway: TestGateway, taskId: string): Promise<WireTask> {
  let task = await taskOf(gateway, taskId);
  const hasEnded = async (): Promise<boolean> => {
    task = await taskOf(gateway, taskId);
    return !["queued", "processing"].includes(task.status);
  };
  await until("the task has ended", hasEnded, DEADLINE_MS, 50);
  return task;
}

export async function untilProcessing(gateway: TestGateway, taskId: string): Promise<void> {
  await until("the task is in work", async () => (await taskOf(gateway, taskId)).status === "processing", DEADLINE_MS, 10);
}

/** An analysed recording. */
export async function analysed(gateway: TestGateway, audio: Buffer, options: Upload = {}): Promise<{ readonly accepted: Accepted; readonly task: WireTask }> {
  const accepted = await uploaded(gateway, audio, options);
  const task = await endOf(gateway, accepted.task_id);
  expect(task.status).toBe("completed");
  return { accepted, task };
}

/** Files in the audio store, half-written ones too. */
export function audioFiles({ dataDirectory }: TestGateway): readonly string[] {
  return readdirSync(join(dataDirectory, "audio"));
}
