/** Just enough of protobuf's wire format to change a message and keep every field that is not understood. Pure. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** One field as it stands in a message. `value` is the payload for bytes, the raw encoding for all else. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  readonly value: Uint8Array;
}

/** @throws RangeError when the bytes are no message */
export function readFields(message: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const [key, afterKey] = readVarint(message, at);
    const wireType = key & 7;
    let start = afterKey;
    let end: number;
    if (wireType === VARINT) [, end] = readVarint(message, start);
    else if (wireType === FIXED64) end = start + 8;
    else if (wireType === FIXED32) end = start + 4;
    else if (wireType === BYTES) {
      const [length, afterLength] = readVarint(message, start);
      start = afterLength;
      end = start + length;
    } else throw new RangeError(`wire type ${wireType} is none`);
    if (end > message.length) throw new RangeError("a field ends beyond its message");
    fields.push({ number: Math.floor(key / 8), wireType, value: message.subarray(start, end) });
    at = end;
  }
  return fields;
}

export function writeFields(fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(({ number, wireType, value }) => {
    const key = varint(number * 8 + wireType);
    return wireType === BYTES ? [key, varint(value.length), value] : [key, value];
  });
  return Buffer.concat(parts);
}

export function bytesField(number: number, value: Uint8Array): Field {
  return { number, wireType: BYTES, value };
}

export function textField(number: number, text: string): Field {
  return bytesField(number, new TextEncoder().encode(text));
}

export function integerField(number: number, value: number): Field {
  return { number, wireType: VARINT, value: varint(value) };
}

export function textOf({ value }: Field): string {
  return new TextDecoder().decode(value);
}

/** @throws RangeError for integers beyond 2^53 */
export function integerOf({ value }: Field): number {
  return readVarint(value, 0)[0];
}

function readVarint(bytes: Uint8Array, from: number): readonly [number, number] {
  let value = 0;
  let scale = 1;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at + 1];
    scale *= 128;
  }
  throw new RangeError("a number has no end");
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  do {
    const byte = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left > 0 ? byte + 128 : byte);
  } while (left > 0);
  return Uint8Array.from(bytes);
}
