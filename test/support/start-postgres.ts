/** A PostgreSQL server of the tests' own. */
import { type ChildProcess, execFileSync } from "node:child_process";
import pg from "pg";
import {
  endProcess,
  freePort,
  makeServerDirectory,
  runServerTool,
  type ServerUser,
  serverUser,
  spawnServer,
  type TestServer,
  whenAnswering,
} from "./database-program.js";
import type { TemporaryDirectory } from "./temporary-directory.js";

const PASSWORD = "p@ss:w/rd";

export interface PostgresOptions {
  /** Commits reach the disk. Off for speed. */
  readonly isDurable?: boolean;
  /** `name=value`; `DIRECTORY` is where `files` lie. */
  readonly settings?: readonly string[];
  /** For the server's user alone to read. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function startPostgres({ isDurable = false, settings = [], files = {} }: PostgresOptions = {}): Promise<TestServer> {
  const user = serverUser("postgres");
  const directory = await makeServerDirectory(user, { ...files, password: PASSWORD });
  const data = `${directory.path}/data`;
  // A locale that sorts otherwise than by bytes would show an order that depends on it; C.UTF-8 is what every system has.
  runServerTool(
    "initdb",
    ["-D", data, "-U", "openchs", "-A", "scram-sha-256", "--pwfile", `${directory.path}/password`, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
    user,
  );
  const speed = isDurable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
  return serve(user, directory, [...speed, ...settings.map((line) => line.replace("DIRECTORY", directory.path))]);
}

export interface StandbyServer extends TestServer {
  /** Stops taking over what the primary does, or goes on. */
  setPaused(isPaused: boolean): Promise<void>;
  /** As a machine that has stopped: connections stay open and nothing answers. */
  setFrozen(isFrozen: boolean): void;
}

/** A copy of a server, kept by streaming replication. */
export async function startStandby(primary: TestServer): Promise<StandbyServer> {
  const user = serverUser("postgres");
  const directory = await makeServerDirectory(user);
  const from = `host=127.0.0.1 port=${primary.port} user=openchs password=${PASSWORD}`;
  runServerTool("pg_basebackup", ["-D", `${directory.path}/data`, "-d", from, "-R", "-X", "stream", "-c", "fast", "--no-sync"], user);
  const server = await serve(user, directory, []);
  return {
    ...server,
    setPaused: (isPaused) => askPostgres(`${server.adminUrl}/postgres`, [`select pg_wal_replay_${isPaused ? "pause" : "resume"}()`]),
    setFrozen: (isFrozen) => server.signal(isFrozen ? "SIGSTOP" : "SIGCONT"),
  };
}

/** Runs a server over a data directory that is there. */
async function serve(user: ServerUser, directory: TemporaryDirectory, settings: readonly string[]) {
  const port = await freePort();
  const options = ["listen_addresses=127.0.0.1", `unix_socket_directories=${directory.path}`, "max_connections=200", ...settings];
  const adminUrl = `postgres://openchs:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;
  const run = async (): Promise<ChildProcess> => {
    const words = ["-D", `${directory.path}/data`, "-p", String(port), ...options.flatMap((option) => ["-c", option])];
    const started = spawnServer("postgres", words, user);
    await whenAnswering(started, () => askPostgres(`${adminUrl}/postgres`, ["select 1"]));
    return started;
  };
  let child = await run();
  return {
    port,
    adminUrl,
    async crash() {
      await endProcess(child, "SIGKILL");
      child = await run();
    },
    /** To it and the processes it has made, one for each connection. */
    signal(signal: NodeJS.Signals) {
      const { pid = 0 } = child;
      const children = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
        .trim()
        .split("\n");
      for (const each of [pid, ...children.map(Number)]) process.kill(each, signal);
    },
    async stop() {
      // Immediate: nothing of it is needed any more.
      await endProcess(child, "SIGQUIT");
      await directory.remove();
    },
  };
}

/** Statements of an administrator, each by itself. */
export async function askPostgres(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
