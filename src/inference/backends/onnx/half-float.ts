/** 16-bit floats, as `fp16` models have them, to 32 bits and back. Pure. */

const FLOAT = new Float32Array(1);
const FLOAT_BITS = new Uint32Array(FLOAT.buffer);

/** IEEE 754 binary16, rounded to the nearest, ties to even; too large becomes infinite. */
export function halfBits(value: number): number {
  FLOAT[0] = value;
  const bits = FLOAT_BITS[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below the smallest normal one: counted in steps of 2^-24.
    const steps = Math.abs(value) * 2 ** 24;
    const down = Math.floor(steps);
    const rest = steps - down;
    return sign | (rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

const FLOATS = Float32Array.from({ length: 65_536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

export function floatOfHalf(bits: number): number {
  return FLOATS[bits] ?? Number.NaN;
}
