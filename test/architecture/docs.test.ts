/** The docs are true: generated pages equal the code, mapped paths exist, README's promises are kept by package.json. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generatedPages } from "../support/generated-pages.js";
import { listFiles, ROOT } from "../support/source-tree.js";

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

describe("the docs", () => {
  it("equal what the code generates", async () => {
    for (const [path, content] of Object.entries(await generatedPages())) {
      expect(read(path), `${path} is stale; run npm run docs:generate`).toBe(content);
    }
  });

  it("map every layer to files and tests that exist", () => {
    const paths = [...read("docs/layer-map.md").matchAll(/`([a-z0-9./-]+\/[a-z0-9./-]*)`/gi)].map(([, path]) => path ?? "");
    expect(paths.length).toBeGreaterThan(30);
    expect(paths.filter((path) => !path.startsWith("app/") && !path.startsWith("/") && !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("link only to files that exist", () => {
    const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...listFiles(join(ROOT, "docs"), ".md").map((path) => path.slice(ROOT.length + 1))];
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g)]
        .map(([, target]) => target ?? "")
        .filter((target) => !existsSync(join(ROOT, page, "..", target)))
        .map((target) => `${page} links to ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it("number the decision records without a gap", () => {
    const numbers = readdirSync(join(ROOT, "docs/decisions")).map((name) => Number(name.slice(0, 4)));
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });

  it("open the README with what it is and the two commands", () => {
    const beginning = read("README.md").split("\n").slice(0, 30).join("\n");
    const scripts = (JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts;
    expect(beginning).toContain("npm run demo");
    expect(beginning).toContain("npm test");
    expect(scripts["demo"]).toBeDefined();
    expect(scripts["test"]).toBeDefined();
  });

  it("state the download size of the lockfile that is committed, under 200 MB for the product and the demo", () => {
    const size = JSON.parse(read("tools/setup/install-size.json")) as { lockfileSha256: string; runtimePackedBytes: number };
    expect(size.lockfileSha256, "run node tools/measure-install-size.mjs").toBe(createHash("sha256").update(read("package-lock.json")).digest("hex"));
    expect(size.runtimePackedBytes).toBeLessThan(200_000_000);
  });
});
