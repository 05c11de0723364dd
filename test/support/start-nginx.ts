/** NGINX with the files of `deploy/nginx`, in which nothing is changed but addresses, ports and paths. */
import { spawn } from "node:child_process";
import { open, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { endProcess, freePort, serverEnvironment } from "./database-program.js";
import { DEPLOY } from "./deployment-files.js";
import type { ServerCertificates } from "./server-certificates.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";
import { until } from "./until.js";

export interface NginxServer {
  readonly ports: { readonly https: number; readonly http: number; readonly exchange: number; readonly exchangeTls: number };
  /** What it logged of requests and of errors. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface NginxOptions {
  readonly certificates: ServerCertificates;
  /** Names of the files' upstream servers, such as `api-1:8125`, and where each really is. */
  readonly upstreams: Readonly<Record<string, string>>;
}

const FILES = ["nginx.conf", "upstreams.conf", "http.conf", "stream-upstreams.conf", "stream.conf", "exchanges.conf"];

/** Listens already. @throws when a name that is to be replaced stands in no file any more */
export async function startNginx({ certificates, upstreams }: NginxOptions): Promise<NginxServer> {
  const directory = await makeTemporaryDirectory();
  const [https, http, exchange, exchangeTls] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const replaced: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(upstreams).map(([name, address]) => [`server ${name} `, `server ${address} `])),
    ...{
      "listen 8443 ": `listen ${https} `,
      "listen 8080;": `listen ${http};`,
      "listen 8301 ": `listen ${exchange} `,
      "listen 8302 ": `listen ${exchangeTls} `,
    },
    ...{ "[::]:8443 ": `[::]:${https} `, "[::]:8080;": `[::]:${http};`, "[::]:8301 ": `[::]:${exchange} `, "[::]:8302 ": `[::]:${exchangeTls} ` },
    // In this order: the directory may lie in /tmp itself.
    "/tmp/": `${directory.path}/`,
    "/etc/nginx/tls/": `${directory.path}/`,
  };
  const found = new Set<string>();
  for (const file of FILES) {
    let text = await readFile(join(DEPLOY, "nginx", file), "utf8");
    for (const [from, to] of Object.entries(replaced)) {
      if (text.includes(from)) found.add(from);
      text = text.replaceAll(from, to);
    }
    await writeFile(join(directory.path, file), text);
  }
  const stray = Object.keys(replaced).filter((name) => !found.has(name));
  if (stray.length > 0) throw new Error(`the files of NGINX do not hold ${stray.join(", ")}`);
  for (const [name, content] of Object.entries(certificates.files)) await writeFile(join(directory.path, name), content, { mode: 0o600 });
  const logPath = join(directory.path, "log");
  const log = await open(logPath, "a");
  // As root it would hand its work to an account that may not enter the directory.
  const globals = `daemon off;${process.getuid?.() === 0 ? " user root;" : ""}`;
  const child = spawn("nginx", ["-c", join(directory.path, "nginx.conf"), "-g", globals], {
    env: serverEnvironment(),
    stdio: ["ignore", log.fd, log.fd],
  });
  await log.close();
  try {
    await until("NGINX listens", async () => child.exitCode !== null || (await isReached(http)));
    if (child.exitCode !== null) throw new Error(`NGINX did not start: ${await readFile(logPath, "utf8")}`);
  } catch (error) {
    await endProcess(child, "SIGKILL");
    await directory.remove();
    throw error;
  }
  return {
    ports: { https, http, exchange, exchangeTls },
    log: () => readFile(logPath, "utf8"),
    async stop() {
      await endProcess(child, "SIGTERM");
      await directory.remove();
    },
  };
}

function isReached(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1").once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
