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
  // Packages of ours start no service; should one of their dependencies try, policy-rc.d's answer is taken as it is.
  return spawnSync(program, programArguments, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } }).status === 0;
}
