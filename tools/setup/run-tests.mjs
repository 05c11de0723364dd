/**
 * Runs every tier, prints what ran and what was skipped and why, and ends with `N passed, N failed`. With CI=true a skip
 * is a failure: a machine that tests must have what the tests need.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const isCi = process.env.CI === "true";
const directory = mkdtempSync(join(tmpdir(), "openchs-tests-"));
const report = join(directory, "report.json");
const startedAtMs = Date.now();

/** Static checks count as one test each. */
const checks = [
  ["types", [process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit"]]],
  ["types of the dashboard", [process.execPath, ["node_modules/typescript/bin/tsc", "-p", "dashboard"]]],
  ["lint and format", [process.execPath, ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."]]],
].map(([name, [program, programArguments]]) => {
  const isOk = spawnSync(program, programArguments, { stdio: "inherit" }).status === 0;
  console.log(`${isOk ? "ok" : "FAILED"}: ${name}`);
  return isOk;
});

const vitest = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { stdio: "inherit", env: { ...process.env, FORCE_COLOR: process.env.FORCE_COLOR ?? (process.stdout.isTTY ? "1" : "0") } },
);

let results = { numPassedTests: 0, numFailedTests: 0, testResults: [] };
try {
  results = JSON.parse(readFileSync(report, "utf8"));
} catch {
  console.error("openchs-ai: the test runner left no report.");
}
rmSync(directory, { recursive: true, force: true });

const assertions = results.testResults.flatMap((file) => file.assertionResults);
const skipped = assertions.filter(({ status }) => status === "pending" || status === "skipped" || status === "todo");
for (const { fullName } of skipped) console.log(`SKIPPED: ${fullName}`);
const brokenFiles = results.testResults.filter(
  ({ status, assertionResults }) => status === "failed" && assertionResults.every((test) => test.status !== "failed"),
);
for (const { name } of brokenFiles) console.log(`FAILED to run: ${name}`);

const failed = results.numFailedTests + brokenFiles.length + checks.filter((isOk) => !isOk).length + (isCi ? skipped.length : 0);
const passed = results.numPassedTests + checks.filter(Boolean).length;
const isFailed = failed > 0 || vitest.status !== 0 || passed === checks.length;
console.log(`took ${Math.round((Date.now() - startedAtMs) / 1000)} s, ${skipped.length} skipped`);
console.log(`${passed} passed, ${isFailed ? Math.max(1, failed) : 0} failed`);
process.exit(isFailed ? 1 : 0);
