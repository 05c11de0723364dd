import { defineConfig } from "vitest/config";

/** One project a tier; house.md section 11 says what each may use. */
const tier = (name: string, timeoutMs: number) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeoutMs, hookTimeout: timeoutMs, pool: "forks" as const },
});

export default defineConfig({
  test: {
    projects: [tier("unit", 10_000), tier("architecture", 20_000), tier("conformance", 60_000), tier("service", 60_000), tier("system", 240_000)],
    passWithNoTests: false,
  },
});
