/** Identifiers: UUIDs, version 7 for ours, so that newer ids sort after older ones. */

const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The last id's place in time: ids made in one millisecond by one process count up, so that they sort in order. */
const lastId = { ms: 0, counter: 0 };

/**
 * A new UUID version 7 in lower case; greater than every one this process made before.
 *
 * @param nowMs - epoch milliseconds, becomes the first 48 bits.
 * @see RFC 9562 section 5.7 and 6.2 (method 1, a counter of 12 bits)
 */
export function newId(nowMs: number = Date.now()): string {
  let ms = Math.max(nowMs, lastId.ms);
  let counter = ms === lastId.ms ? lastId.counter + 1 : 0;
  if (counter > 0xfff) {
    ms += 1;
    counter = 0;
  }
  lastId.ms = ms;
  lastId.counter = counter;
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(ms / 0x10000));
  view.setUint16(4, ms % 0x10000);
  view.setUint16(6, 0x7000 | counter);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** True for a lower-case UUID of any version. */
export function isId(value: string): boolean {
  return UUID_PATTERN.test(value);
}

/** Ids of live calls come from the exchange: a UUID, or an id line such as `1755070077.79708`. */
export const CALL_ID_PATTERN = /^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$/;
