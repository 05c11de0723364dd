/** Cursors of lists: they come back as they were given, fit a URL, and nothing else is taken for one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { newId } from "../../../src/core/ids.js";
import { decodeCursor, encodeCursor } from "../../../src/gateway/cursor.js";

const anything = z.array(z.union([z.string(), z.number()]));
const callPosition = z.tuple([z.number(), z.string()]);
const refused = { code: "GATEWAY_BAD_REQUEST" };

/** What was thrown; a test that expects a throw fails on "nothing". */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return "nothing";
}

describe("cursors", () => {
  const places = fc.array(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true })), {
    maxLength: 6,
  });

  it("come back as the place they were made of", () => {
    fc.assert(
      fc.property(places, (place) => {
        // JSON has no negative zero.
        const position = place.map((value) => (Object.is(value, -0) ? 0 : value));
        expect(decodeCursor(encodeCursor(position), anything)).toEqual(position);
      }),
      { numRuns: 500 },
    );
  });

  it("stand in a URL as they are", () => {
    fc.assert(
      fc.property(places, (place) => {
        const cursor = encodeCursor(place);
        expect(encodeURIComponent(cursor)).toBe(cursor);
        expect(new URL(`http://x/?cursor=${cursor}&limit=1`).searchParams.get("cursor")).toBe(cursor);
      }),
    );
  });

  it("are short enough to be sent back, for a place in any of our lists", () => {
    for (const place of [[Date.now(), newId()], [newId()], [Number.MAX_SAFE_INTEGER, newId()]]) expect(encodeCursor(place).length).toBeLessThanOrEqual(200);
  });

  it("are different for different places", () => {
    fc.assert(
      fc.property(places, places, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        expect(encodeCursor(one)).not.toBe(encodeCursor(other));
      }),
    );
  });

  it.each([
    ["another number of values", [1]],
    ["more values", [1, "a", 2]],
    ["values the other way round", ["a", 1]],
    ["values of another kind", ["1", "a"]],
    ["no value", []],
  ])("of another list are refused: %s", (_what, place) => {
    expect(thrownBy(() => decodeCursor(encodeCursor(place), callPosition))).toMatchObject(refused);
  });

  it.each([
    ["nothing", ""],
    ["a word", "nonsense"],
    ["an encoded word", Buffer.from("nonsense").toString("base64url")],
    ["an encoded object", Buffer.from('{"a":1}').toString("base64url")],
    ["an encoded null", Buffer.from("null").toString("base64url")],
    ["half of a list", Buffer.from('[1,"a"').toString("base64url")],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x80]).toString("base64url")],
    ["characters of no alphabet", "%%%///+++==="],
    ["a very deep list", Buffer.from("[".repeat(20_000)).toString("base64url")],
  ])("that nobody gave are refused: %s", (_what, cursor) => {
    expect(thrownBy(() => decodeCursor(cursor, callPosition))).toMatchObject(refused);
  });

  it("of any text are refused or fit the list, and nothing else happens", () => {
    const texts = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((json) => Buffer.from(json).toString("base64url")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(callPosition.safeParse(decodeCursor(text, callPosition)).success).toBe(true);
        } catch (error) {
          expect(error).toMatchObject(refused);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("tell nothing of a refused one in the message", () => {
    const told = thrownBy(() => decodeCursor("Zuhura-hat-angerufen", callPosition));
    expect(String((told as Error).message)).not.toContain("Zuhura");
  });
});
