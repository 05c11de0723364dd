/**
 * Act three: a live call of two legs, words as they are said; then uploads and another call, `kill -9` in the middle of
 * both, restart; everything acknowledged and everything heard is there, once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { openAsBlob } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { playCalls } from "../call/play-calls.js";
import { packageRoot } from "../paths.js";

type Print = (line: string) => void;

/** WAV files of this act. */
export interface DemoClips {
  readonly upload: string;
  /** Two channels. */
  readonly live: string;
}

const UPLOADS = 10;
const KILL_AFTER_MS = 5_000;
const LOST_AT_MOST_MS = 1_000;
const START_DEADLINE_MS = 30_000;
const ANALYSIS_DEADLINE_MS = 90_000;

/** A service running as an operator would run it. */
export interface DemoService {
  readonly url: string;
  /** Of the telephony port. */
  readonly streamPort: number;
  readonly key: string;
  readonly child: ChildProcess;
}

/** Starts `serve` on a free port. @throws Error when it is not ready in time */
async function startDemoService(dataDirectory: string, signal: AbortSignal): Promise<DemoService> {
  const program = join(packageRoot(), "dist", "cli", "main.js");
  const settings = `${dataDirectory}.json`;
  // The samples of this act are in English; with Swahili allowed as well, each sentence would first have to prove it.
  await writeFile(settings, JSON.stringify({ DEFAULT_LANGUAGES: ["en"] }));
  const child = spawn(process.execPath, [program, "serve", "--port", "0", "--stream-port", "0", "--data-dir", dataDirectory, "--config", settings], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  signal.addEventListener("abort", () => child.kill("SIGKILL"));
  const { url, streamPort } = await new Promise<Pick<DemoService, "url" | "streamPort">>((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error("the service did not start in time")), START_DEADLINE_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const found = /(https?:\/\/[^\s,;]+), for the exchange on \S*:(\d+)/.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve({ url: found[1] ?? "", streamPort: Number(found[2]) });
    });
    child.once("exit", () => reject(new Error("the service ended at start")));
  });
  return { url, streamPort, key: (await readFile(join(dataDirectory, "admin.key"), "utf8")).trim(), child };
}

/** @returns false when anything acknowledged or heard is missing, or was analysed twice. */
export async function surviveKill(
  dataDirectory: string,
  clips: DemoClips,
  { print, signal }: { readonly print: Print; readonly signal: AbortSignal },
): Promise<{ readonly isWhole: boolean; readonly service: DemoService }> {
  print("\n===== ACT 3: LIVE - a call of two legs as it is spoken, then kill -9 and restart =====");
  const first = await startDemoService(dataDirectory, signal);
  print(`The service runs at ${first.url}. A call comes in, caller and counsellor on a leg each (telephone audio, so many words are wrong):\n`);
  const [heard] = await playCalls({ ...callOptions(first, clips.live, signal), waitForAnalysis: false, onLine: (line) => print(`  ${line}`) });
  const isAllReceived = heard !== undefined && heard.receivedMs === heard.sentMs;
  print(`\nOf ${heard?.sentMs ?? 0} ms sent on both legs, ${heard?.receivedMs ?? 0} ms are in the ledger.`);
  print(`Now ${UPLOADS} uploads and another call, and kill -9 in the middle of them ...`);
  const clip = await openAsBlob(clips.upload);
  const taskIds = await Promise.all(Array.from({ length: UPLOADS }, () => upload(first, clip)));
  const cutOff = playCalls({ ...callOptions(first, clips.live, signal), apiKey: undefined, waitForAnalysis: false });
  await delay(KILL_AFTER_MS);
  const died = new Promise((resolve) => first.child.once("exit", resolve));
  first.child.kill("SIGKILL");
  const [cutCall] = await cutOff;
  await died;
  print(`All ${taskIds.length} uploads were acknowledged; the call had run for ${KILL_AFTER_MS} ms.`);
  const service = await startDemoService(dataDirectory, signal);
  const expected = UPLOADS + 2;
  await waitFor(signal, async () => (await countCompleted(service)) >= expected);
  const statuses = await Promise.all(taskIds.map(async (taskId) => await getJson<{ status: string; result?: unknown }>(service, `/audio/task/${taskId}`)));
  const present = statuses.filter(({ status, result }) => status === "completed" && result !== undefined).length;
  const extra = (await countCompleted(service)) - expected;
  const call = await getJson<{ duration_ms: number | null }>(service, `/api/v1/calls/${cutCall?.callId ?? ""}`);
  print(
    `After the restart: ${present} of ${taskIds.length} uploads are analysed, ${extra} extra; the call that was cut off is there with ${call.duration_ms ?? 0} ms.`,
  );
  const isCallThere = (call.duration_ms ?? 0) > KILL_AFTER_MS - LOST_AT_MOST_MS;
  return { isWhole: isAllReceived && isCallThere && present === taskIds.length && extra === 0, service };
}

function callOptions({ url, key, streamPort }: DemoService, file: string, signal: AbortSignal) {
  return {
    ...({ file, agentFile: undefined, protocol: "audiosocket", host: "127.0.0.1", port: streamPort, api: new URL(url), apiKey: key } as const),
    ...{ calls: 1, pace: 1, splitBytes: 0, skewMs: 0, dropAfterShare: 1, signal },
  };
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
