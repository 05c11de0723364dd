import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** One project a tier; CONTRIBUTING.md says what each may use. */
const tier = (name: string, timeoutMs: number, extra: object = {}, config: object = {}) => ({
  ...config,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeoutMs, hookTimeout: timeoutMs, pool: "forks" as const, ...extra },
});

const BUILD = "test/support/build-dist.ts";
/** The built program: threads and processes that it spawns start at once, where from source each would translate it anew. */
const BUILT = { resolve: { alias: [{ find: /^(?:\.\.\/)+src\/(.*)$/, replacement: fileURLToPath(new URL("dist/$1", import.meta.url)) }] } };

/** Tests of the built program that start several processes, a browser or a load that must keep up. */
const ALONE = ["chaos", "dashboard", "deployment", "live-crash", "live-load", "roles", "roles-mariadb", "watch-recovery"].map(
  (name) => `test/system/${name}.test.ts`,
);

export default defineConfig({
  test: {
    maxWorkers: 2,
    // tsx, which lets threads and processes run from source, would keep a cache in the temporary directory.
    env: { TSX_DISABLE_CACHE: "1" },
    projects: [
      tier("unit", 10_000),
      tier("architecture", 20_000),
      tier("conformance", 60_000, { globalSetup: BUILD }, BUILT),
      tier("service", 60_000, { globalSetup: BUILD }, BUILT),
      tier("system", 240_000, { globalSetup: BUILD, exclude: ALONE }),
      // What they spawn takes both cores already.
      tier("system-alone", 240_000, { globalSetup: BUILD, include: ALONE, fileParallelism: false }),
    ],
  },
});
