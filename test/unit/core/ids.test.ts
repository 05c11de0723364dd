import { beforeEach, describe, expect, it, vi } from "vitest";

describe("newId and isId", () => {
  /** A fresh module each time: ids rise over the life of a process, and one test must not push another's forward. */
  let ids: typeof import("../../../src/core/ids.js");
  beforeEach(async () => {
    vi.resetModules();
    ids = await import("../../../src/core/ids.js");
  });

  it("lays an id out as RFC 9562 says for version 7", () => {
    const id = ids.newId(0x0123456789ab);
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("puts a small time into 48 bits with zeros in front", () => {
    expect(ids.newId(1)).toMatch(/^00000000-0001-7/);
  });

  it("gives ids that sort in the order they were made, also within one millisecond", () => {
    const made = Array.from({ length: 10_000 }, () => ids.newId(1_700_000_000_000));
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(made.length);
  });

  it("gives greater ids even when the clock goes back", () => {
    const before = ids.newId(1_700_000_000_000);
    const after = ids.newId(1_600_000_000_000);
    expect(after > before).toBe(true);
    expect(ids.newId(1_700_000_000_001) > after).toBe(true);
  });

  it("takes the time of the machine when none is given", () => {
    const beforeMs = Date.now();
    const ms = Number.parseInt(ids.newId().replaceAll("-", "").slice(0, 12), 16);
    expect(ms).toBeGreaterThanOrEqual(beforeMs);
    expect(ms).toBeLessThanOrEqual(Date.now() + 1);
  });

  it("knows a lower-case UUID from anything else", () => {
    expect(ids.isId(ids.newId())).toBe(true);
    expect(ids.isId("6ba7b810-9dad-11d1-80b4-00c04fd430c8")).toBe(true);
    const wrong = ["", "6BA7B810-9dad-11d1-80b4-00c04fd430c8", "6ba7b8109dad11d180b400c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8\n", "../../etc"];
    expect(wrong.filter(ids.isId)).toEqual([]);
  });
});
