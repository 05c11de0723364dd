/** Act three: uploads, `kill -9` in the middle, restart; everything acknowledged is there, once. */
import { type ChildProcess, spawn } from "node:child_process";
import { openAsBlob } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { packageRoot } from "../paths.js";

type Print = (line: string) => void;

const UPLOADS = 10;
const START_DEADLINE_MS = 30_000;
const ANALYSIS_DEADLINE_MS = 90_000;

/** A service running as an operator would run it. */
export interface DemoService {
  readonly url: string;
  readonly key: string;
  readonly child: ChildProcess;
}

/** Starts `serve` on a free port. @throws Error when it is not ready in time */
async function startDemoService(dataDirectory: string, signal: AbortSignal): Promise<DemoService> {
  const program = join(packageRoot(), "dist", "cli", "main.js");
  const child = spawn(process.execPath, [program, "serve", "--port", "0", "--stream-port", "0", "--data-dir", dataDirectory], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  signal.addEventListener("abort", () => child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error("the service did not start in time")), START_DEADLINE_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const found = /https?:\/\/[^\s,;]+/.exec(output)?.[0];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    child.once("exit", () => reject(new Error("the service ended at start")));
  });
  return { url, key: (await readFile(join(dataDirectory, "admin.key"), "utf8")).trim(), child };
}

/** @returns false when anything acknowledged is missing or was analysed twice. */
export async function surviveKill(
  dataDirectory: string,
  clipPath: string,
  { print, signal }: { readonly print: Print; readonly signal: AbortSignal },
): Promise<{ readonly isWhole: boolean; readonly service: DemoService }> {
  print("\n===== ACT 3: SURVIVES - uploads, kill -9, restart =====");
  const first = await startDemoService(dataDirectory, signal);
  print(`The service runs at ${first.url}; ${UPLOADS} uploads go to it ...`);
  const clip = await openAsBlob(clipPath);
  const taskIds = await Promise.all(Array.from({ length: UPLOADS }, () => upload(first, clip)));
  await waitFor(signal, async () => (await countCompleted(first)) > 0);
  const before = await countCompleted(first);
  const died = new Promise((resolve) => first.child.once("exit", resolve));
  first.child.kill("SIGKILL");
  await died;
  print(`All ${taskIds.length} were acknowledged. kill -9 with ${before} analysed and ${taskIds.length - before} still to do.`);
  const service = await startDemoService(dataDirectory, signal);
  await waitFor(signal, async () => (await countCompleted(service)) >= UPLOADS);
  const statuses = await Promise.all(taskIds.map(async (taskId) => await getJson<{ status: string; result?: unknown }>(service, `/audio/task/${taskId}`)));
  const present = statuses.filter(({ status, result }) => status === "completed" && result !== undefined).length;
  const analyses = await countCompleted(service);
  print(`After the restart: ${present} of ${taskIds.length} acknowledged recordings are analysed; ${analyses - taskIds.length} extra.`);
  return { isWhole: present === taskIds.length && analyses === taskIds.length, service };
}

async function upload({ url, key }: DemoService, clip: Blob): Promise<string> {
  const form = new FormData();
  form.set("audio", clip, "recording.wav");
  form.set("language", "en");
  const response = await fetch(`${url}/audio/process`, { method: "POST", headers: { authorization: `Bearer ${key}` }, body: form });
  if (response.status !== 202) throw new Error(`an upload was answered with ${response.status}`);
  return ((await response.json()) as { task_id: string }).task_id;
}

async function countCompleted(service: DemoService): Promise<number> {
  const { queues } = await getJson<{ queues: { queue: string; completed: number }[] }>(service, "/audio/queue/status");
  return queues.find(({ queue }) => queue === "recordings")?.completed ?? 0;
}

async function getJson<Body>({ url, key }: DemoService, path: string): Promise<Body> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  return (await response.json()) as Body;
}

async function waitFor(signal: AbortSignal, isMet: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + ANALYSIS_DEADLINE_MS;
  while (!(await isMet())) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new Error("the recordings were not analysed in time");
    await delay(100);
  }
}
