/** What the live benchmark starts and looks at: the service, the exchange, the events of all calls, /proc. */
import { fork } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket } from "ws";

const CLOCK_TICK_MS = 10;

/** @returns the service with its key, and `kill`. */
export async function startLiveService(settings, env = {}) {
  const argv = { PORT: "0", STREAM_PORT: "0", DEFAULT_LANGUAGES: "en", ...settings };
  const child = start("live-service.mjs", [JSON.stringify(argv)], env);
  const { url, streamPort, adminKeyPath } = await firstMessage(child);
  const key = (await readFile(adminKeyPath, "utf8")).trim();
  const get = (path) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return {
    ...{ url, streamPort, key, pid: child.pid },
    resources: async () => (await get("/health/resources")).json(),
    metric: async (name) => Number(new RegExp(`^${name} (.+)$`, "m").exec(await (await get("/metrics")).text())?.[1]),
    kill: () => ended(child, () => child.kill("SIGKILL")),
  };
}

/** @returns `play`, which resolves with the report of `live-client.mjs` once every leg has been sent. */
export function startExchange(service) {
  const child = start("live-client.mjs", [], {});
  return {
    pid: child.pid,
    play: (legs) => {
      child.send({ port: service.streamPort, legs });
      return firstMessage(child);
    },
    stop: () => ended(child, () => child.send({ stop: true })),
  };
}

/** Follows all calls; `onEvent` gets each event with the time of its arrival. */
export async function followAll({ url, key }, onEvent) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/live?interim=true`, { headers: { authorization: `Bearer ${key}` } });
  const report = { events: 0, missing: 0, closeCode: undefined };
  const seqs = new Map();
  socket.on("message", (data) => {
    const receivedAtMs = Date.now();
    const event = JSON.parse(String(data));
    if (event.seq === undefined) return;
    report.events++;
    report.missing += event.seq - (seqs.get(event.call_id) ?? 0) - 1;
    seqs.set(event.call_id, event.seq);
    onEvent(event, receivedAtMs);
  });
  socket.on("close", (code) => {
    report.closeCode = code;
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return { report, close: () => socket.terminate() };
}

/** Waits until it holds. @returns whether it did in time */
export async function until(holds, deadlineMs) {
  const endMs = performance.now() + deadlineMs;
  while (!holds() && performance.now() < endMs) await wait(50);
  return holds();
}

export const residentMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** CPU so far in ms: of the process with all its threads, of its first thread, and of its child processes. */
export function cpuOf(pid) {
  return { process: cpuMs(`/proc/${pid}/stat`), mainThread: cpuMs(`/proc/${pid}/task/${pid}/stat`), children: childrenOf(pid).reduce(sumCpu, 0) };
}

const sumCpu = (sum, child) => sum + cpuMs(`/proc/${child}/stat`);

function cpuMs(path) {
  try {
    // The name in brackets may hold anything; times of user and system are the 14th and 15th field.
    const fields = readFileSync(path, "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
  } catch {
    return 0;
  }
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean));
}

function start(file, childArguments, env) {
  const stdio = ["ignore", "ignore", "inherit", "ipc"];
  return fork(new URL(file, import.meta.url), childArguments, { stdio, env: { ...process.env, ...env } });
}

function firstMessage(child) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.removeListener("exit", onExit);
      resolve(message);
    });
  });
}

function ended(child, stop) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", resolve);
    stop();
  });
}
