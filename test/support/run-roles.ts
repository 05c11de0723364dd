/** A helpline of several processes, as an operator starts them: over a real PostgreSQL or MariaDB and a real Redis. */
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestServer } from "./database-program.js";
import { spawnCli } from "./run-cli.js";
import { askMariadb, startMariadb } from "./start-mariadb.js";
import { startPostgres } from "./start-postgres.js";
import { type RedisServer, startRedis } from "./start-redis.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export type Role = "api" | "worker" | "stream";

export interface RoleProcess {
  readonly role: Role;
  readonly url: string;
  /** Of a `stream`. */
  readonly streamPort: number;
  readonly child: ChildProcess;
  readonly hasEnded: () => boolean;
  stderr(): string;
  /** @returns the exit code; null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Helpline {
  readonly redis: RedisServer;
  /** Where every process is told to look for the others. */
  readonly env: Readonly<Record<string, string>>;
  start(role: Role, commandLine?: readonly string[]): Promise<RoleProcess>;
  /** The first admin key: the first `api` that started has written it. */
  adminKey(): Promise<string>;
  close(): Promise<void>;
}

type DatabaseServer = Pick<TestServer, "stop"> & { readonly databaseUrl: string };

async function startDatabase(kind: "postgres" | "mariadb"): Promise<DatabaseServer> {
  if (kind === "postgres") {
    const server = await startPostgres();
    return { databaseUrl: `${server.adminUrl}/postgres`, stop: () => server.stop() };
  }
  const server = await startMariadb();
  await askMariadb(server.adminUrl, ["create database helpline"]);
  return { databaseUrl: `${server.adminUrl}/helpline`, stop: () => server.stop() };
}

export async function startHelpline(settings: Readonly<Record<string, string>> = {}, kind: "postgres" | "mariadb" = "postgres"): Promise<Helpline> {
  const directory = await makeTemporaryDirectory();
  const [redis, database] = await Promise.all([startRedis(), startDatabase(kind)]);
  const masterKeyFile = join(directory.path, "master.key");
  await writeFile(masterKeyFile, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  await mkdir(join(directory.path, "shared"));
  const env = {
    DATABASE_URL: database.databaseUrl,
    REDIS_URL: redis.url,
    AUDIO_STORE_URL: `file:${join(directory.path, "shared")}`,
    MASTER_KEY_FILE: masterKeyFile,
    DEFAULT_LANGUAGES: "en",
    MODEL_PROCESSES: "1",
    ...settings,
  };
  const processes: RoleProcess[] = [];
  const counts = new Map<Role, number>();
  return {
    redis,
    env,
    async start(role, commandLine = []) {
      const count = counts.get(role) ?? 0;
      counts.set(role, count + 1);
      const started = await startRole(role, [...commandLine, "--data-dir", join(directory.path, `${role}-${count}`)], env);
      processes.push(started);
      return started;
    },
    async adminKey() {
      const apis = Array.from({ length: counts.get("api") ?? 0 }, (_, index) => join(directory.path, `api-${index}`, "admin.key"));
      const keys = (await Promise.all(apis.map((path) => readFile(path, "utf8").catch(() => "")))).filter((key) => key !== "");
      if (keys.length !== 1) throw new Error(`${keys.length} of ${apis.length} api processes have made a first admin key`);
      return keys[0]?.trim() ?? "";
    },
    async close() {
      await Promise.all(processes.map((each) => (each.hasEnded() ? null : each.end("SIGKILL"))));
      await Promise.all([redis.remove(), database.stop()]);
      await directory.remove();
    },
  };
}

async function startRole(role: Role, commandLine: readonly string[], env: Readonly<Record<string, string>>): Promise<RoleProcess> {
  const child = spawnCli([role, "--port", "0", ...(role === "stream" ? ["--stream-port", "0"] : []), ...commandLine], { env });
  let stderr = "";
  let hasEnded = false;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exited = new Promise<number | null>((resolve) =>
    child.once("exit", (code) => {
      hasEnded = true;
      resolve(code);
    }),
  );
  const said = await new Promise<RegExpExecArray>((resolve, reject) => {
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const found = /listens on (https?:\/\/[^\s,]+)(?:, for the exchange on \S+:(\d+))?\n/.exec(stdout);
      if (found !== null) resolve(found);
    });
    void exited.then((code) => reject(new Error(`${role} ended with ${code}: ${stderr}`)));
  });
  return {
    ...{ role, child, url: said[1] ?? "", streamPort: Number(said[2]), hasEnded: () => hasEnded, stderr: () => stderr },
    async end(signal) {
      child.kill(signal);
      return exited;
    },
  };
}
