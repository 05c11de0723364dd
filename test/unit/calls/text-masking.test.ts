/** What masking found in a call is kept in the cache, sealed, for other processes. */
import { describe, expect, it } from "vitest";
import { createMemoryResultCache } from "../../../src/cache/backends/memory-result-cache.js";
import type { ResultCache } from "../../../src/cache/result-cache.js";
import { createTextMasking } from "../../../src/calls/text-masking.js";
import type { CallEvent } from "../../../src/core/call-event.js";
import { createBuiltinPiiDetector } from "../../../src/inference/backends/builtin/personal-data/builtin-pii-detector.js";
import { createEphemeralMasterKey } from "../../../src/security/master-key.js";
import { createSealerFactory } from "../../../src/security/sealing/sealed-text.js";
import { FakeClock } from "../../support/fake-clock.js";

const builtin = createBuiltinPiiDetector({ assetsDirectory: "data" });
const SAID = ["My name is Wanjiku Otieno and my friend is Baraka.", "Call me on +254 712 345 678 after four."];
const MASKED = ["My name is [NAME_1] and my friend is [NAME_2].", "Call me on [PHONE_NUMBER_1] after four."];
const SUMMARY = "Baraka and a Chebet asked for help.";

const sealers = createSealerFactory(createEphemeralMasterKey());
const callOf = (callId: string) => ({ callId, sealer: sealers.open(callId, sealers.wrap(callId, sealers.newCallKey())) });

/** A process of a service over the given cache. */
function startProcess(cache: ResultCache) {
  const clock = new FakeClock();
  const looks: (readonly string[])[] = [];
  const finals = SAID.map((text, index) => {
    const segment = { id: `s${index}`, channel: "caller", startMs: index * 1_000, endMs: index * 1_000 + 900, text, language: "en", score: null };
    return { type: "segment.final", payload: { segment } } as unknown as CallEvent;
  });
  const masking = createTextMasking({
    openDetector: () => ({
      revision: builtin.revision,
      detect(texts) {
        looks.push(texts);
        return builtin.detect(texts);
      },
    }),
    ...{ events: { listOfTypes: async () => finals }, cache, clock },
    onUnavailable: (error) => {
      throw error;
    },
  });
  return { masking, clock, looks };
}

const watched = () => {
  const kept = new Map<string, string>();
  const inner = createMemoryResultCache({ onLookup: () => {} });
  const cache: ResultCache = {
    get: (name) => inner.get(name),
    async set(name, value) {
      kept.set(name, value);
      await inner.set(name, value);
    },
    async remove(name) {
      kept.delete(name);
      await inner.remove(name);
    },
  };
  return { cache, kept };
};

describe("masking the texts of a call", () => {
  it("looks for personal data in the first process, and not in the next", async () => {
    const { cache } = watched();
    const call = callOf("call-1");
    const [here, there] = [startProcess(cache), startProcess(cache)];
    const mask = async ({ masking }: typeof here): Promise<readonly string[]> => {
      const cover = await masking.coverOf(call);
      return [...SAID, SUMMARY].map(cover.text);
    };
    expect(await mask(here)).toEqual([...MASKED, "[NAME_2] and a [NAME] asked for help."]);
    expect(here.looks.flat()).toEqual([...SAID, SUMMARY]);
    here.clock.advance(2_000);
    expect(await mask(there)).toEqual(await mask(here));
    expect(there.looks).toEqual([]);
    // Nor a second time in the first.
    expect(here.looks.flat()).toEqual([...SAID, SUMMARY]);
  });

  it("keeps nothing that can be read without the call's key", async () => {
    const { cache, kept } = watched();
    const { masking, clock } = startProcess(cache);
    (await masking.coverOf(callOf("call-1"))).text(SUMMARY);
    clock.advance(2_000);
    expect([...kept.keys()]).toEqual(["masking/call-1"]);
    expect([...kept.values()].join()).toMatch(/^s1\./);
    expect([...kept.values()].join()).not.toMatch(/NAME|found/);
  });

  it("finds again what it can't open: of a key that is gone, of another call, or spoiled", async () => {
    const { cache, kept } = watched();
    const [one, another] = [callOf("call-1"), callOf("call-1")];
    const here = startProcess(cache);
    await here.masking.coverOf(one);
    here.clock.advance(2_000);
    for (const value of [kept.get("masking/call-1") ?? "", "s1.AAAA", "", one.sealer.seal("masking.found", '{"revision":"x"}')]) {
      await cache.set("masking/call-1", value);
      const there = startProcess(cache);
      const cover = await there.masking.coverOf(another);
      expect(SAID.map(cover.text)).toEqual(MASKED);
      expect(there.looks).toHaveLength(1);
    }
  });

  it("leaves nothing of a call that was deleted, also what was to be kept a moment later", async () => {
    const { cache, kept } = watched();
    const { masking, clock } = startProcess(cache);
    await masking.coverOf(callOf("call-1"));
    clock.advance(2_000);
    expect(kept.size).toBe(1);
    (await masking.coverOf(callOf("call-1"))).text(SUMMARY);
    masking.forget("call-1");
    clock.advance(2_000);
    expect(kept.size).toBe(0);
  });
});
