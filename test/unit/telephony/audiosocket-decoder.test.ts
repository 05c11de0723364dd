import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AudioSocketDecoder } from "../../../src/telephony/audiosocket/audiosocket-decoder.js";
import type { StreamMessage } from "../../../src/telephony/stream-message.js";

const OPTIONS = { mayBe16kUnder8kKind: false };

/** As measured with Asterisk 22.10: id, one audio message of 20 ms, then one of an odd 276 bytes, DTMF, an unknown kind. */
const STREAM = Buffer.concat([
  Buffer.from("0100106619d336b46840e0945e09e4d1d60081", "hex"),
  Buffer.from("100140", "hex"),
  Buffer.alloc(320, 1),
  Buffer.from("100114", "hex"),
  Buffer.alloc(276, 2),
  Buffer.from("03000135", "hex"),
  Buffer.from("420002ffff", "hex"),
  Buffer.from("1202807f00", "hex"),
  Buffer.alloc(638, 0),
  Buffer.from("000000", "hex"),
]);

function decodeIn(pieces: readonly Buffer[]): readonly StreamMessage[] {
  const decoder = new AudioSocketDecoder(OPTIONS);
  const messages = pieces.flatMap((piece) => decoder.push(piece));
  expect(decoder.pendingBytes).toBe(0);
  return messages;
}

describe("the AudioSocket decoder", () => {
  it("reads every kind of message by its length", () => {
    const messages = decodeIn([STREAM]);
    expect(messages.map(({ kind }) => kind)).toEqual(["id", "audio", "audio", "dtmf", "skipped", "audio", "hangup"]);
    expect(messages[0]).toEqual({ kind: "id", streamId: "6619d336-b468-40e0-945e-09e4d1d60081" });
    expect(messages[1]).toMatchObject({ sampleRateHz: 8_000, samples: new Int16Array(160).fill(0x0101) });
    expect(messages[2]).toMatchObject({ samples: new Int16Array(138).fill(0x0202) });
    expect(messages[5]).toMatchObject({ kind: "audio", sampleRateHz: 16_000 });
    expect((messages[5] as { samples: Int16Array }).samples[0]).toBe(0x7f);
  });

  it("gives the same messages wherever the stream is cut in two, and byte by byte", () => {
    const whole = decodeIn([STREAM]);
    for (let at = 1; at < STREAM.length; at++) expect(decodeIn([STREAM.subarray(0, at), STREAM.subarray(at)])).toEqual(whole);
    expect(decodeIn([...STREAM].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it("tells that a message was cut off at the end", () => {
    const decoder = new AudioSocketDecoder(OPTIONS);
    decoder.push(STREAM.subarray(0, STREAM.length - 1));
    expect(decoder.pendingBytes).toBe(2);
  });

  it("refuses an id that is not sixteen bytes", () => {
    expect(() => new AudioSocketDecoder(OPTIONS).push(Buffer.from("010004deadbeef", "hex"))).toThrow(RangeError);
  });

  it("throws nothing else on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          new AudioSocketDecoder(OPTIONS).push(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
