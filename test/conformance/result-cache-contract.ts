/** What a cache of results is to do, whatever keeps them, as tests: src/cache/result-cache.ts. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type LookupOutcome, MOST_KEPT_CHARACTERS, type ResultCache } from "../../src/cache/result-cache.js";

export interface ResultCacheHarness {
  readonly cache: ResultCache;
  /** Of every lookup so far, in order. */
  readonly outcomes: readonly LookupOutcome[];
  close(): Promise<void>;
}

export function describeResultCache(name: string, start: () => Promise<ResultCacheHarness>): void {
  describe(`result cache contract: ${name}`, () => {
    const open = async (): Promise<ResultCacheHarness> => {
      const harness = await start();
      onTestFinished(() => harness.close());
      return harness;
    };

    it("gives back what was set, as it was, and tells of every lookup", async () => {
      const { cache, outcomes } = await open();
      const value = `{"of":"a call","with":"Ñ 😀 \u0000 ${"x".repeat(70_000)}"}`;
      expect(await cache.get("masking/one")).toBeUndefined();
      await cache.set("masking/one", value);
      expect(await cache.get("masking/one")).toBe(value);
      await cache.set("masking/empty", "");
      expect(await cache.get("masking/empty")).toBe("");
      expect(outcomes).toEqual(["miss", "hit", "hit"]);
    });

    it("keeps the newest of a name, and each name apart", async () => {
      const { cache } = await open();
      await cache.set("one", "old");
      await cache.set("other", "another's");
      await cache.set("one", "new");
      expect([await cache.get("one"), await cache.get("other")]).toEqual(["new", "another's"]);
    });

    it("forgets what is removed, and nothing else", async () => {
      const { cache } = await open();
      for (const each of ["one", "other"]) await cache.set(each, each);
      await cache.remove("one");
      await cache.remove("never set");
      expect([await cache.get("one"), await cache.get("other")]).toEqual([undefined, "other"]);
    });

    it("does not keep what is too long, nor what stood there before it", async () => {
      const { cache } = await open();
      await cache.set("one", "x".repeat(MOST_KEPT_CHARACTERS));
      expect(await cache.get("one")).toHaveLength(MOST_KEPT_CHARACTERS);
      await cache.set("one", "x".repeat(MOST_KEPT_CHARACTERS + 1));
      expect(await cache.get("one")).toBeUndefined();
    });

    it("never fails, however much it is given at once", async () => {
      const { cache } = await open();
      const names = Array.from({ length: 500 }, (_, index) => `many/${index}`);
      await Promise.all(names.map((each) => cache.set(each, "x".repeat(50_000))));
      const found = await Promise.all(names.map((each) => cache.get(each)));
      expect(found.some((value) => value !== undefined)).toBe(true);
      expect(found.every((value) => value === undefined || value.length === 50_000)).toBe(true);
    });
  });
}
