/**
 * Installs the Debian packages a job needs, when it may (root and apt-get); otherwise prints the one line to run and
 * goes on without, visibly.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Each with what it is for and how to see that it is there. */
const PACKAGES = {
  pocketsphinx: { jobs: ["demo", "test"], gives: "English speech recognition", isThere: () => hasProgram("pocketsphinx_batch") },
  "pocketsphinx-en-us": { jobs: ["demo", "test"], gives: "its English model", isThere: () => existsSync("/usr/share/pocketsphinx/model/en-us/en-us") },
  chromium: { jobs: ["test"], gives: "the browser that the dashboard is tested in", isThere: () => hasProgram("chromium") },
  ffmpeg: { jobs: ["test"], gives: "decoding of every audio format", isThere: () => hasProgram("ffmpeg") },
  "redis-server": { jobs: ["test"], gives: "the queue of several processes", isThere: () => hasProgram("redis-server") },
  postgresql: { jobs: ["test"], gives: "the database of several processes", isThere: () => existsSync("/usr/lib/postgresql") },
  "nginx-light": { jobs: ["test"], gives: "the proxy in front of the service", isThere: () => existsSync("/usr/sbin/nginx") },
  "libnginx-mod-stream": { jobs: ["test"], gives: "its part for live calls", isThere: () => existsSync("/usr/lib/nginx/modules/ngx_stream_module.so") },
  "swift-proxy": { jobs: ["test"], gives: "the object store that recordings are kept in", isThere: () => hasProgram("swift-proxy-server") },
  "swift-account": { jobs: ["test"], gives: "its accounts", isThere: () => hasProgram("swift-account-server") },
  "swift-container": { jobs: ["test"], gives: "its buckets", isThere: () => hasProgram("swift-container-server") },
  "swift-object": { jobs: ["test"], gives: "its objects", isThere: () => hasProgram("swift-object-server") },
  prometheus: { jobs: ["test"], gives: "what evaluates rules and dashboards", isThere: () => hasProgram("promtool") && hasProgram("prometheus") },
  nftables: { jobs: ["test"], gives: "the firewall whose rules are tested", isThere: () => existsSync("/usr/sbin/nft") },
  iproute2: { jobs: ["test"], gives: "the network that the firewall is tested in", isThere: () => existsSync("/usr/sbin/ip") || existsSync("/sbin/ip") },
  "mariadb-server": { jobs: ["test"], gives: "another such database", isThere: () => existsSync("/usr/sbin/mariadbd") },
};

/** @param {"demo" | "test"} job */
export function installSystemPackages(job) {
  const missing = Object.entries(PACKAGES).filter(([, { jobs, isThere }]) => jobs.includes(job) && !isThere());
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  const line = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
  const isAllowed = process.getuid?.() === 0 && hasProgram("apt-get");
  if (!isAllowed) {
    console.error(`openchs-ai: going on WITHOUT ${missing.map(([name, { gives }]) => `${name} (${gives})`).join(", ")}. To have it, run: sudo ${line}`);
    return;
  }
  console.error(`openchs-ai: installing Debian packages: ${names.join(" ")} ...`);
  const install = () => run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...names]);
  // Package lists may be missing or old: try, and refresh them only if that fails.
  if (!install() && !(run("apt-get", ["update", "-q"]) && install())) {
    console.error(`openchs-ai: apt-get could not install them; going on WITHOUT. Later: sudo ${line}`);
  }
}

function hasProgram(name) {
  return spawnSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" }).status === 0;
}

function run(program, programArguments) {
  // Tests start servers of their own: with this run level the packages start none.
  return spawnSync(program, programArguments, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } }).status === 0;
}
