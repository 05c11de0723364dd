/** 16-bit floats to 32 and back. */
import { describe, expect, it } from "vitest";
import { floatOfHalf, halfBits } from "../../../src/inference/backends/onnx/half-float.js";

describe("half floats", () => {
  it.each([
    [0, 0x0000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [1 / 3, 0x3555],
    [1e6, 0x7c00],
    [-Number.POSITIVE_INFINITY, 0xfc00],
    [1e-9, 0x0000],
  ])("writes %d as the standard does", (value, bits) => {
    expect(halfBits(value).toString(16)).toBe(bits.toString(16));
  });

  it("rounds to the nearest, and to even between two", () => {
    // 1 + 1/2048 lies between 1 and 1 + 1/1024.
    expect(halfBits(1 + 1 / 2048)).toBe(0x3c00);
    expect(halfBits(1 + 3 / 2048)).toBe(0x3c02);
    expect(halfBits(1 + 1 / 2048 + 1e-6)).toBe(0x3c01);
    expect(halfBits(2 ** -24 * 1.5)).toBe(0x0002);
    expect(halfBits(2047.9999)).toBe(0x6800);
  });

  it("gives back every number there is", () => {
    for (let bits = 0; bits < 65_536; bits++) {
      const value = floatOfHalf(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(floatOfHalf(halfBits(value)))).toBe(true);
      // Zero has two signs.
      else if (bits !== 0x8000) expect(halfBits(value)).toBe(bits);
    }
  });
});
