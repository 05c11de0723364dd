/** A PostgreSQL server of the tests' own. */
import type { ChildProcess } from "node:child_process";
import pg from "pg";
import { endProcess, freePort, makeServerDirectory, runServerTool, serverUser, spawnServer, type TestServer, whenAnswering } from "./database-program.js";

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
  const port = await freePort();
  const speed = isDurable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
  const options = [
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${directory.path}`,
    "max_connections=200",
    ...speed,
    ...settings.map((line) => line.replace("DIRECTORY", directory.path)),
  ];
  const adminUrl = `postgres://openchs:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`;
  const run = async (): Promise<ChildProcess> => {
    const started = spawnServer("postgres", ["-D", data, "-p", String(port), ...options.flatMap((option) => ["-c", option])], user);
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
