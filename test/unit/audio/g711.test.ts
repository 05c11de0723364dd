import { describe, expect, it } from "vitest";
import { expandAlaw, expandUlaw } from "../../../src/audio/g711.js";

const ALL_CODES = Uint8Array.from({ length: 256 }, (_, code) => code);

/** Values midway between the decision values of G.711 tables 1 and 2; each chord doubles the step of the one before. */
function quantized(decisionValues: readonly number[]): number[] {
  return decisionValues.slice(1).map((value, index) => (value + (decisionValues[index] ?? 0)) / 2);
}

/** Table 2a: decision values 0, 1, 3, ... 31, then sixteen steps of 4, of 8, ... up to the virtual 8159; 14 bits. */
function ulawMagnitudes(): number[] {
  const decisions = [1];
  for (let step = 2; step <= 256; step *= 2) {
    for (let count = 0; count < (step === 2 ? 15 : 16); count++) decisions.push((decisions.at(-1) ?? 0) + step);
  }
  return [0, ...quantized(decisions)];
}

/** Table 1a: decision values 0, 2, ... 64 (two chords of one step), then sixteen steps of 4, ... up to 4096; 13 bits. */
function alawMagnitudes(): number[] {
  const decisions = [0];
  for (const step of [2, 2, 4, 8, 16, 32, 64, 128]) {
    for (let count = 0; count < 16; count++) decisions.push((decisions.at(-1) ?? 0) + step);
  }
  return quantized(decisions);
}

describe("G.711", () => {
  it("expands all 256 mu-law codes to the values of table 2a, scaled to 16 bits", () => {
    const magnitudes = ulawMagnitudes();
    expect(magnitudes).toHaveLength(128);
    expect(magnitudes.at(-1)).toBe(8_031);
    // Codes are sent inverted: 0xFF is positive zero, 0x80 the positive peak, 0x00 the negative one.
    const expected = Array.from(ALL_CODES, (code) => {
      const magnitude = 4 * (magnitudes[127 - (code & 0x7f)] ?? Number.NaN);
      return magnitude === 0 || code >= 0x80 ? magnitude : -magnitude;
    });
    expect([...expandUlaw(ALL_CODES)]).toEqual(expected);
  });

  it("expands all 256 A-law codes to the values of table 1a, scaled to 16 bits", () => {
    const magnitudes = alawMagnitudes();
    expect(magnitudes).toHaveLength(128);
    expect(magnitudes.at(-1)).toBe(4_032);
    // Even bits are sent inverted; the top bit is set for positive values.
    const expected = Array.from(ALL_CODES, (code) => {
      const plain = code ^ 0x55;
      const magnitude = 8 * (magnitudes[plain & 0x7f] ?? Number.NaN);
      return plain >= 0x80 ? magnitude : -magnitude;
    });
    expect([...expandAlaw(ALL_CODES)]).toEqual(expected);
  });

  it("knows the codes for silence and for the peaks", () => {
    expect([...expandUlaw(Uint8Array.of(0xff, 0x7f, 0x80, 0x00))]).toEqual([0, 0, 32_124, -32_124]);
    expect([...expandAlaw(Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a))]).toEqual([8, -8, 32_256, -32_256]);
  });

  it("expands nothing to nothing", () => {
    expect(expandUlaw(new Uint8Array(0))).toHaveLength(0);
    expect(expandAlaw(new Uint8Array(0))).toHaveLength(0);
  });
});
