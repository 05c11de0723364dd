/**
 * Measures what an install downloads and writes tools/setup/install-size.json, which set-up shows before it spends it.
 * Run it after every change of package-lock.json; a test compares the lockfile's hash.
 *
 * Use: node tools/measure-install-size.mjs
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes of the package archives npm fetched into a fresh cache. */
function packedBytes(installArguments) {
  const directory = mkdtempSync(join(tmpdir(), "openchs-size-"));
  try {
    for (const file of ["package.json", "package-lock.json", ".npmrc"]) cpSync(file, join(directory, file));
    execFileSync("npm", ["ci", "--ignore-scripts", "--cache", join(directory, "cache"), ...installArguments], { cwd: directory, stdio: "ignore" });
    const sizes = new Map();
    const index = join(directory, "cache", "_cacache", "index-v5");
    for (const name of readdirSync(index, { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue;
      for (const line of readFileSync(join(name.parentPath ?? name.path, name.name), "utf8").split("\n")) {
        const entry = line.includes("\t") ? JSON.parse(line.slice(line.indexOf("\t") + 1)) : undefined;
        if (entry?.key.startsWith("pacote:tarball:")) sizes.set(entry.key, entry.size);
      }
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const lockfileSha256 = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
const measured = { lockfileSha256, runtimePackedBytes: packedBytes(["--omit=dev"]), allPackedBytes: packedBytes([]) };
writeFileSync("tools/setup/install-size.json", `${JSON.stringify(measured, null, 2)}\n`);
console.log(measured);
