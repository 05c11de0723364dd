/** Real Redis servers for tests: one, or a cluster of six, each with a directory of its own, gone afterwards. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeTemporaryDirectory } from "./temporary-directory.js";
import { until } from "./until.js";

const run = promisify(execFile);

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** In order, with what was written on the disk; or killed, as by a power cut. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** On the same port and directory. */
  start(): Promise<void>;
  /** Stops answering without closing anything, until it is thawed. */
  freeze(): void;
  thaw(): void;
  cli(...words: readonly string[]): Promise<string>;
  /** Every command that has changed something since the start, as it stands on the disk. */
  written(): Promise<string>;
  remove(): Promise<void>;
}

export interface RedisServerOptions {
  readonly arguments?: readonly string[];
  /** Settings of this file in place of those that tests have otherwise. */
  readonly file?: string;
}

/** A server that keeps everything (AOF, no eviction) and answers already. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const directory = await makeTemporaryDirectory();
  const port = await findFreePort();
  await mkdir(join(directory.path, "data"));
  let child: ChildProcess | undefined;
  const cli = async (...words: readonly string[]): Promise<string> => (await run("redis-cli", ["-p", String(port), ...words])).stdout.trim();
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli,
    async start() {
      const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", join(directory.path, "data"), "--save", ""];
      const keeping = ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--daemonize", "no"];
      const given = options.file === undefined ? [...settings, ...keeping] : [options.file, ...settings];
      child = spawn("redis-server", [...given, ...(options.arguments ?? [])], { stdio: "ignore" });
      await until("Redis answers", () => answers(port), 15_000, 20);
    },
    async stop(signal = "SIGTERM") {
      const running = child;
      child = undefined;
      if (running === undefined) return;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.kill(signal);
      await ended;
    },
    async written() {
      const log = join(directory.path, "data", "appendonlydir");
      const files = (await readdir(log)).filter((name) => name.endsWith(".aof"));
      return (await Promise.all(files.map((name) => readFile(join(log, name), "latin1")))).join("\n");
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    async remove() {
      child?.kill("SIGCONT");
      await server.stop("SIGKILL");
      await directory.remove();
    },
  };
  await server.start();
  return server;
}

export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly nodes: readonly string[];
  remove(): Promise<void>;
}

/** Three masters with a replica each; every slot is served when this resolves. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"];
  const servers = await Promise.all(Array.from({ length: 6 }, () => startRedis({ arguments: settings })));
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  await run("redis-cli", ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"]);
  await until(
    "every server knows that all slots are served",
    async () => (await Promise.all(servers.map(({ cli }) => cli("cluster", "info")))).every((info) => info.includes("cluster_state:ok")),
    30_000,
    100,
  );
  return {
    servers,
    nodes: servers.map(({ url }) => url),
    async remove() {
      await Promise.all(servers.map((server) => server.remove()));
    },
  };
}

/** Below the range from which the system takes ports for connections; the bus of a cluster is 10,000 above. */
async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 11_000 + Math.floor(Math.random() * 11_000);
    if ((await canListen(port)) && (await canListen(port + 10_000))) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" }, () => socket.write("PING\r\n"));
    const end = (isAnswer: boolean): void => {
      socket.destroy();
      resolve(isAnswer);
    };
    socket.once("data", (answer) => end(answer.toString().startsWith("+PONG")));
    socket.once("error", () => end(false));
  });
}
