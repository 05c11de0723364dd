/** Installs the npm packages of the lockfile, telling first how much will be downloaded. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const STAMP = "node_modules/.openchs-setup.json";

/** @param {"runtime" | "all"} profile - `runtime` runs the product, `all` also tests it. */
export function installNpmPackages(profile) {
  const lockfileSha256 = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  const stamp = existsSync(STAMP) ? JSON.parse(readFileSync(STAMP, "utf8")) : {};
  if (stamp.lockfileSha256 === lockfileSha256 && (stamp.profile === "all" || stamp.profile === profile)) return;
  const size = JSON.parse(readFileSync("tools/setup/install-size.json", "utf8"));
  const bytes = profile === "all" ? size.allPackedBytes : size.runtimePackedBytes;
  console.error(`openchs-ai: installing npm packages, ${Math.round(bytes / 1e6)} MB to download (less what npm's cache holds) ...`);
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...(profile === "all" ? [] : ["--omit=dev"])], {
    stdio: ["ignore", "ignore", "inherit"],
    // The CPU libraries are in the package; its installer would go on to download CUDA.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", ONNXRUNTIME_NODE_INSTALL_CUDA: "skip" },
  });
  if (result.status !== 0) {
    console.error("openchs-ai: npm could not install the packages (see above). Check the network or npm's proxy settings and run this again.");
    process.exit(1);
  }
  writeFileSync(STAMP, JSON.stringify({ lockfileSha256, profile }));
}
