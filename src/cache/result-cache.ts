/**
 * The contract of what keeps results that were costly to make and can be made again: for a while, shared by the processes
 * of a service where there are several, and forgotten whenever room is needed. Nothing waits for it long, and whatever
 * goes wrong with it is the same as finding nothing. It does not seal: whoever keeps words of a call seals them first.
 */
export interface ResultCache {
  /** @returns undefined when nothing is kept under the name, or the cache can't be asked. Never rejects. */
  get(name: string): Promise<string | undefined>;
  /** In place of what was kept under the name. What is longer than `MOST_KEPT_CHARACTERS` is not kept. Never rejects. */
  set(name: string, value: string): Promise<void>;
  /** Never rejects; what can't be removed now ends after `KEPT_MS`. */
  remove(name: string): Promise<void>;
}

/** Since it was set. */
export const KEPT_MS = 60 * 60_000;
export const MOST_KEPT_CHARACTERS = 1_000_000;

/** What came of asking for one: `failed` where the cache could not be asked. */
export type LookupOutcome = "hit" | "miss" | "failed";
export type OnLookup = (outcome: LookupOutcome) => void;
