/** The system tier runs what an operator runs: the built program. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./source-tree.js";

export function setup(): void {
  execFileSync(process.execPath, ["--input-type=module", "--eval", `import("${join(ROOT, "tools/setup/build.mjs")}").then((m) => m.buildWhenStale())`], {
    cwd: ROOT,
    stdio: "inherit",
  });
}
