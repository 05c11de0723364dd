/** The Range header, held against RFC 9110, section 14. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseByteRange } from "../../../src/gateway/byte-range.js";

const SIZE = 1_000;
const byteCounts = fc.integer({ min: 1, max: 17_179_869_184 });

describe("parseByteRange", () => {
  // Units are named in any case, and numbers are as long as somebody writes them (14.1 and 14.1.2).
  it.each([
    ["bytes=0-0", 0, 1],
    ["bytes=0-499", 0, 500],
    ["bytes=500-999", 500, 1_000],
    ["bytes=999-999", 999, 1_000],
    ["bytes=0-", 0, 1_000],
    ["bytes=999-", 999, 1_000],
    ["bytes=-1", 999, 1_000],
    ["bytes=-500", 500, 1_000],
    ["bytes=-1000", 0, 1_000],
    ["bytes=-1001", 0, 1_000],
    ["bytes=900-1000", 900, 1_000],
    ["bytes=0-99999999999999999999", 0, 1_000],
    ["bytes=-99999999999999999999", 0, 1_000],
    ["bytes=007-008", 7, 9],
    ["BYTES=0-4", 0, 5],
  ])("reads %s of a thousand bytes", (header, start, end) => {
    expect(parseByteRange(header, SIZE)).toEqual({ start, end });
  });

  it.each(["bytes=1000-", "bytes=1000-1000", "bytes=1000-2000", "bytes=-0", "bytes=9007199254740993-", "bytes=99999999999999999999-"])(
    "finds no byte of a thousand in %s",
    (header) => {
      expect(parseByteRange(header, SIZE)).toBe("unsatisfiable");
    },
  );

  it.each([
    undefined,
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=5",
    "bytes=5-2",
    "bytes=--5",
    "bytes=-5-",
    "bytes=1.5-2",
    "bytes=0x1-0x2",
    "bytes=1e1-",
    "bytes=+1-2",
    "bytes=٣-٤",
    "bytes=0-1,2-3",
    "bytes:0-1",
    "0-1",
    "seconds=0-1",
    "xbytes=0-1",
    "bytes=0-1;bytes=2-3",
  ])("takes %j for no range of its own, so that the whole is sent", (header) => {
    expect(parseByteRange(header, SIZE)).toBeUndefined();
  });

  it("finds no byte in a recording that has none", () => {
    for (const header of ["bytes=0-", "bytes=0-0", "bytes=5-9"]) expect(parseByteRange(header, 0)).toBe("unsatisfiable");
    expect(parseByteRange(undefined, 0)).toBeUndefined();
  });

  it("gives of any first and last byte what there is", () => {
    const positions = fc.tuple(byteCounts, fc.nat(20_000_000_000), fc.nat(20_000_000_000));
    fc.assert(
      fc.property(positions, ([byteCount, a, b]) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const expected = first >= byteCount ? "unsatisfiable" : { start: first, end: Math.min(last + 1, byteCount) };
        expect(parseByteRange(`bytes=${first}-${last}`, byteCount)).toEqual(expected);
        if (first !== last) expect(parseByteRange(`bytes=${last}-${first}`, byteCount)).toBeUndefined();
      }),
    );
  });

  it("gives of any open end and any suffix what there is", () => {
    fc.assert(
      fc.property(byteCounts, fc.nat(20_000_000_000), (byteCount, place) => {
        expect(parseByteRange(`bytes=${place}-`, byteCount)).toEqual(place >= byteCount ? "unsatisfiable" : { start: place, end: byteCount });
        const suffix = place === 0 ? "unsatisfiable" : { start: Math.max(0, byteCount - place), end: byteCount };
        expect(parseByteRange(`bytes=-${place}`, byteCount)).toEqual(suffix);
      }),
    );
  });

  it("makes of no text a range outside the recording, and throws at none", () => {
    const headers = fc.oneof(
      fc.string(),
      fc.string().map((text) => `bytes=${text}`),
      fc.stringMatching(/^bytes=[0-9 ,-]{0,30}$/),
    );
    fc.assert(
      fc.property(headers, fc.nat(5_000), (header, byteCount) => {
        const range = parseByteRange(header, byteCount);
        if (range === undefined || range === "unsatisfiable") return;
        expect(Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end)).toBe(true);
        expect(range.start >= 0 && range.start < range.end && range.end <= byteCount).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
