/** A helpline of several processes for benchmarks: PostgreSQL and Redis of its own, roles that can be killed and come back. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startPostgres } from "./database-servers.mjs";
import { freePort, startRedis } from "./redis-server.mjs";

const CLI = new URL("../dist/cli/main.js", import.meta.url).pathname;
const RESTART_MS = 500;

/** @param counts - how many of each role, e.g. `{ api: 1, stream: 2, worker: 2 }` */
export async function startHelpline(directory, counts, settings = {}) {
  const redis = await startRedis(directory);
  const postgres = await startPostgres(directory);
  const masterKeyFile = join(directory, "master.key");
  writeFileSync(masterKeyFile, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  mkdirSync(join(directory, "shared"));
  const env = {
    ...process.env,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    AUDIO_STORE_URL: `file:${join(directory, "shared")}`,
    MASTER_KEY_FILE: masterKeyFile,
    DEFAULT_LANGUAGES: "en",
    MODEL_PROCESSES: "1",
    LOG_LEVEL: "error",
    ...settings,
  };
  const roles = [];
  for (const [role, count] of Object.entries(counts)) {
    for (let index = 0; index < count; index++) {
      const [port, streamPort] = [await freePort(), await freePort()];
      const dataDirectory = join(directory, `${role}-${index}`);
      const words = [role, "--port", String(port), "--data-dir", dataDirectory, ...(role === "stream" ? ["--stream-port", String(streamPort)] : [])];
      roles.push({ role, port, streamPort, dataDirectory, words, url: `http://127.0.0.1:${port}`, kills: 0 });
    }
  }
  for (const each of roles) run(each, env);
  await Promise.all(roles.map(isUp));
  // Of several the first to start made it.
  const adminKeyPath = roles.map(({ dataDirectory }) => join(dataDirectory, "admin.key")).find((path) => existsSync(path));
  return {
    roles,
    redis,
    postgres,
    adminKey: readFileSync(adminKeyPath, "utf8").trim(),
    /** As a supervisor such as systemd does: it is back at once. */
    async killAndRestart(each) {
      each.kills++;
      const gone = new Promise((resolve) => each.child.once("exit", resolve));
      each.child.kill("SIGKILL");
      await gone;
      run(each, env);
    },
    /** As a rolling restart does: told to stop, waited for, started, and up before the next. @returns its exit code */
    async restart(each) {
      const gone = new Promise((resolve) => each.child.once("exit", resolve));
      each.isStopped = true;
      each.child.kill("SIGTERM");
      const exitCode = await gone;
      each.isStopped = false;
      run(each, env);
      await isUp(each);
      return exitCode;
    },
    async stop() {
      for (const each of roles) each.isStopped = true;
      for (const { child } of roles) child.kill("SIGKILL");
      await redis.stop();
      await postgres.stop();
    },
  };
}

function run(each, env) {
  each.child = spawn(process.execPath, [CLI, ...each.words], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  each.child.stderr.setEncoding("utf8").on("data", (text) => {
    said = `${said}${text}`.slice(-2_000);
  });
  // One that ends by itself is told of, and is back like one that was killed.
  each.child.once("exit", (code) => {
    if (code === null || each.isStopped) return;
    console.error(`${each.role} ended with ${code}: ${said}`);
    setTimeout(() => each.isStopped || run(each, env), RESTART_MS);
  });
}

async function isUp({ url, role, child }) {
  for (;;) {
    const answer = await fetch(`${url}/health/live`).catch(() => undefined);
    if (answer?.ok) return;
    if (child.exitCode !== null) throw new Error(`${role} ended with ${child.exitCode}`);
    await delay(100);
  }
}
