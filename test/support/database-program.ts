/** A database server's program run for the tests alone: on a free port, in a directory of its own, gone when it is stopped. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter } from "node:path";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface TestServer {
  readonly port: number;
  /** Of the server's administrator, without a database. */
  readonly adminUrl: string;
  /** As if its machine lost power, and came back: the same data on the same port. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Whom a server runs as: it refuses root, or should. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** The account its package made when we are root, else ourselves. */
export function serverUser(account: string): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, account], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** A directory that the server's user may write to, with files that it alone may read. */
export async function makeServerDirectory(user: ServerUser, files: Readonly<Record<string, string>> = {}) {
  const directory = await makeTemporaryDirectory();
  await mkdir(`${directory.path}/data`, { mode: 0o700 });
  const paths = Object.keys(files).map((name) => `${directory.path}/${name}`);
  for (const [name, content] of Object.entries(files)) await writeFile(`${directory.path}/${name}`, content, { mode: 0o600 });
  const { uid, gid } = user;
  if (uid !== undefined && gid !== undefined) for (const path of [directory.path, `${directory.path}/data`, ...paths]) chownSync(path, uid, gid);
  return directory;
}

/** Programs of servers lie where a user's search path does not lead. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [process.env["PATH"] ?? "", "/usr/sbin", "/usr/lib/postgresql/15/bin"].join(delimiter), LC_ALL: "C" };
}

export function runServerTool(command: string, args: readonly string[], user: ServerUser): void {
  execFileSync(command, args, { ...user, env: serverEnvironment(), stdio: ["ignore", "ignore", "pipe"] });
}

export function spawnServer(command: string, args: readonly string[], user: ServerUser): ChildProcess {
  return spawn(command, args, { ...user, env: serverEnvironment(), stdio: "ignore" });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Ends it and waits for that. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}

/** Asks until it answers; fails when the program has ended or half a minute is over. */
export async function whenAnswering(child: ChildProcess, ask: () => Promise<void>): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error("the database server did not start", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
