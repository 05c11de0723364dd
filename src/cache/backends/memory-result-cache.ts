/** Results kept by one process for itself; those not asked for the longest go first. */
import { LRUCache } from "lru-cache";
import { KEPT_MS, MOST_KEPT_CHARACTERS, type OnLookup, type ResultCache } from "../result-cache.js";

/** Of all values together. */
const MOST_CHARACTERS = 16_000_000;

/** Holds nothing at first. */
export function createMemoryResultCache({ onLookup }: { readonly onLookup: OnLookup }): ResultCache {
  const kept = new LRUCache<string, string>({
    maxSize: MOST_CHARACTERS,
    maxEntrySize: MOST_KEPT_CHARACTERS,
    sizeCalculation: (value) => Math.max(1, value.length),
    ttl: KEPT_MS,
  });
  return {
    async get(name) {
      const value = kept.get(name);
      onLookup(value === undefined ? "miss" : "hit");
      return value;
    },
    async set(name, value) {
      kept.set(name, value);
    },
    async remove(name) {
      kept.delete(name);
    },
  };
}
