/**
 * Set-up that needs nobody: makes this clone able to run the demo or the tests, then runs them. What is there already
 * is left alone, so a second run installs nothing. Plain Node and no packages: it runs before anything is installed.
 *
 * Use: node tools/setup/run.mjs demo|test [arguments of the demo or of vitest]
 */
import { spawnSync } from "node:child_process";
import { buildWhenStale } from "./build.mjs";
import { installNpmPackages } from "./npm-packages.mjs";
import { installSystemPackages } from "./system-packages.mjs";

const [job, ...given] = process.argv.slice(2);
const jobArguments = given[0] === "--" ? given.slice(1) : given;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  console.error(`openchs-ai: Node ${process.versions.node} is too old; install Node 20.20 or newer.`);
  process.exit(1);
}
if (job !== "demo" && job !== "test") {
  console.error("openchs-ai: say demo or test.");
  process.exit(2);
}

installNpmPackages(job === "test" ? "all" : "runtime");
installSystemPackages(job);
buildWhenStale();
const program = job === "demo" ? ["dist/cli/main.js", "demo"] : ["tools/setup/run-tests.mjs"];
const { status, signal } = spawnSync(process.execPath, [...program, ...jobArguments], { stdio: "inherit" });
process.exit(status ?? (signal === null ? 1 : 130));
