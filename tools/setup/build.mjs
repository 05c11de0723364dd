/** Builds dist/ when the sources changed since it was built. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const STAMP = "dist/.source-sha256";

export function buildWhenStale() {
  const sourceSha256 = hashSources();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === sourceSha256) return;
  console.error("openchs-ai: building ...");
  rmSync("dist", { recursive: true, force: true });
  for (const [program, ...programArguments] of [
    ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"],
    ["node_modules/vite/bin/vite.js", "build", "dashboard", "--config", "dashboard/vite.config.ts", "--logLevel", "warn"],
  ]) {
    const result = spawnSync(process.execPath, [program, ...programArguments], { stdio: "inherit" });
    if (result.status !== 0) process.exit(1);
  }
  writeFileSync(STAMP, sourceSha256);
}

function hashSources() {
  const hash = createHash("sha256");
  const files = ["src", "dashboard"].flatMap((directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  for (const file of ["tsconfig.json", "tsconfig.build.json", "package-lock.json", ...files.sort()]) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}
