/** Database servers of a benchmark's own, with the settings of a fresh installation. */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./redis-server.mjs";

const PATH = `${process.env.PATH}:/usr/lib/postgresql/15/bin:/usr/sbin`;

/** Servers refuse to run as root: makes `data`, and gives it to the account when we are. */
function accountFor(name, directory, data) {
  mkdirSync(data, { mode: 0o700 });
  if (process.getuid() !== 0) return {};
  const id = (flag) => Number(execFileSync("id", [flag, name], { encoding: "utf8" }));
  const user = { uid: id("-u"), gid: id("-g") };
  chownSync(data, user.uid, user.gid);
  execFileSync("chmod", ["711", directory]);
  return user;
}

/** PostgreSQL with commits on the disk, for this machine alone. */
export async function startPostgres(directory) {
  const data = join(directory, "postgres");
  const user = accountFor("postgres", directory, data);
  const options = { ...user, env: { ...process.env, PATH, LC_ALL: "C" } };
  execFileSync("initdb", ["-D", data, "-U", "openchs", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"], { ...options, stdio: "ignore" });
  const port = await freePort();
  let child;
  const start = async () => {
    child = spawn("postgres", ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${data}`], {
      ...options,
      stdio: "ignore",
    });
    for (;;) {
      try {
        execFileSync("pg_isready", ["-h", "127.0.0.1", "-p", String(port), "-q"], options);
        return;
      } catch {
        await delay(100);
      }
    }
  };
  const stop = (signal = "SIGQUIT") =>
    new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill(signal);
    });
  await start();
  return { url: `postgres://openchs@127.0.0.1:${port}/postgres`, stop, restart: () => stop().then(start) };
}

/** MariaDB with commits on the disk, for this machine alone. */
export async function startMariadb(directory) {
  const data = join(directory, "mariadb");
  const user = accountFor("mysql", directory, data);
  const options = { ...user, env: { ...process.env, PATH } };
  const [socket, port] = [join(data, "socket"), await freePort()];
  execFileSync("mariadb-install-db", ["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db"], {
    ...options,
    stdio: "ignore",
  });
  const places = [`--datadir=${data}`, `--socket=${socket}`, `--pid-file=${join(data, "pid")}`, "--bind-address=127.0.0.1", `--port=${port}`];
  const child = spawn("mariadbd", ["--no-defaults", ...places, "--innodb-buffer-pool-size=512M"], { ...options, stdio: "ignore" });
  const ask = (statement) => execFileSync("mariadb", ["--no-defaults", "-u", "root", `--socket=${socket}`, "-e", statement], { ...options, stdio: "ignore" });
  for (;;) {
    try {
      ask("create database bench; create user openchs@'127.0.0.1'; grant all on bench.* to openchs@'127.0.0.1'");
      break;
    } catch {
      if (child.exitCode !== null) throw new Error("MariaDB did not start");
      await delay(200);
    }
  }
  const stop = () =>
    new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill("SIGTERM");
    });
  return { url: `mysql://openchs@127.0.0.1:${port}/bench`, stop };
}
