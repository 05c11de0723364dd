/** A MariaDB server of the tests' own. */
import type { ChildProcess } from "node:child_process";
import mysql from "mysql2/promise";
import { endProcess, freePort, makeServerDirectory, runServerTool, serverUser, spawnServer, type TestServer, whenAnswering } from "./database-program.js";

const PASSWORD = "p@ss:w/rd";

export interface MariadbOptions {
  /** Commits reach the disk. Off for speed. */
  readonly isDurable?: boolean;
  /** Options of the command line; `DIRECTORY` is where `files` lie. */
  readonly settings?: readonly string[];
  /** For the server's user alone to read. */
  readonly files?: Readonly<Record<string, string>>;
}

export async function startMariadb({ isDurable = false, settings = [], files = {} }: MariadbOptions = {}): Promise<TestServer> {
  const user = serverUser("mysql");
  const directory = await makeServerDirectory(user, files);
  const data = `${directory.path}/data`;
  const install = ["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=16M"];
  runServerTool("mariadb-install-db", install, user);
  const port = await freePort();
  const speed = isDurable ? [] : ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-doublewrite=0", "--sync-binlog=0"];
  const socket = `${directory.path}/mariadb.sock`;
  const places = ["--no-defaults", `--datadir=${data}`, `--socket=${socket}`, `--pid-file=${directory.path}/pid`, "--bind-address=127.0.0.1", `--port=${port}`];
  const sizes = [
    "--innodb-log-file-size=16M",
    "--innodb-buffer-pool-size=64M",
    "--max-connections=200",
    "--skip-name-resolve",
    "--character-set-server=latin1",
  ];
  const args = [...places, ...sizes, ...speed, ...settings.map((line) => line.replace("DIRECTORY", directory.path))];
  // The root of a fresh server has no password and no way in but the socket's; its users are made by it.
  const run = async (): Promise<ChildProcess> => {
    const started = spawnServer("mariadbd", args, user);
    await whenAnswering(started, () =>
      askMariadb({ socketPath: socket, user: "root" }, [
        "drop user if exists ''@'localhost'",
        `create user if not exists openchs@'127.0.0.1' identified by '${PASSWORD}'`,
        "grant all privileges on *.* to openchs@'127.0.0.1' with grant option",
      ]),
    );
    return started;
  };
  let child = await run();
  return {
    port,
    adminUrl: `mysql://openchs:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    async crash() {
      await endProcess(child, "SIGKILL");
      child = await run();
    },
    async stop() {
      await endProcess(child, "SIGKILL");
      await directory.remove();
    },
  };
}

/** Statements of an administrator, each by itself. */
export async function askMariadb(place: string | mysql.ConnectionOptions, statements: readonly string[]): Promise<void> {
  const connection = await mysql.createConnection(place as string);
  connection.on("error", () => {});
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
