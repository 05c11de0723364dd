/** ITU-T G.711: the telephone network's 8-bit logarithmic samples. */

/**
 * Expands A-law to linear PCM.
 *
 * @param alaw - `Uint8Array[n]`, one byte per sample.
 * @returns `Int16Array[n]`, values within ±32256.
 * @see ITU-T G.711 (11/88), table 1a
 */
export function expandAlaw(alaw: Uint8Array): Int16Array {
  return Int16Array.from(alaw, expandAlawByte);
}

/**
 * Expands mu-law to linear PCM.
 *
 * @param ulaw - `Uint8Array[n]`, one byte per sample.
 * @returns `Int16Array[n]`, values within ±32124.
 * @see ITU-T G.711 (11/88), table 2a
 */
export function expandUlaw(ulaw: Uint8Array): Int16Array {
  return Int16Array.from(ulaw, expandUlawByte);
}

function expandAlawByte(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 0x07;
  const mantissa = (code & 0x0f) << 4;
  const magnitude = exponent === 0 ? mantissa + 8 : (mantissa + 0x108) << (exponent - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}

function expandUlawByte(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 0x07)) - 0x84;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}
