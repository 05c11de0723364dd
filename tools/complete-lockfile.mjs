/**
 * Completes package-lock.json after an install from a registry that lacks some platforms' optional packages. npm then
 * leaves them out, and `npm ci` refuses the lockfile. The version is that which the package asking for it pins; os, cpu
 * and libc follow from the name, so that on other platforms npm skips the entry, and on its own finds it.
 *
 * Use: node tools/complete-lockfile.mjs
 */
import { readFileSync, writeFileSync } from "node:fs";

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS = ["arm64", "x64", "arm", "ppc64", "riscv64", "s390x", "ia32"];

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const added = {};
for (const asking of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(asking.optionalDependencies ?? {})) {
    if (Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`))) continue;
    const system = SYSTEMS.find((candidate) => name.includes(candidate));
    const processor = PROCESSORS.find((candidate) => new RegExp(`-${candidate}(-|$)`).test(name));
    if (system === undefined || processor === undefined) throw new Error(`can't tell the platform of ${name}`);
    added[`node_modules/${name}`] = {
      version,
      cpu: [processor],
      ...(asking.dev === true ? { dev: true } : {}),
      ...(/musl/.test(name) ? { libc: ["musl"] } : {}),
      optional: true,
      os: [system],
    };
  }
}
const packages = Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1));
writeFileSync("package-lock.json", `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
console.log(`${Object.keys(added).length} entries added`);
