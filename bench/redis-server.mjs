/** A Redis of a benchmark's own, as an operator is told to run it: AOF on, nothing evicted. */
import { spawn } from "node:child_process";
import { createConnection, createServer } from "node:net";

/** On a free port; it comes back on the same one, with what it had written. */
export async function startRedis(directory) {
  const port = await freePort();
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"];
  let child;
  const start = async () => {
    child = spawn("redis-server", settings, { stdio: "ignore" });
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error("Redis did not start");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const stop = () =>
    new Promise((resolve) => {
      child.once("exit", resolve);
      child.kill("SIGTERM");
    });
  await start();
  return { url: `redis://127.0.0.1:${port}`, stop, restart: () => stop().then(start) };
}

/** Calls `work` with the server's address; the server ends with it, whatever happens. */
export async function withRedis(directory, work) {
  const { url, stop } = await startRedis(directory);
  try {
    return await work(url);
  } finally {
    await stop();
  }
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" }, () => socket.write("PING\r\n"));
    const end = (isAnswer) => {
      socket.destroy();
      resolve(isAnswer);
    };
    socket.once("data", (answer) => end(answer.toString().startsWith("+PONG")));
    socket.once("error", () => end(false));
  });
}
