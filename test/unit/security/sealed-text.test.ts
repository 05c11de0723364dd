import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createEphemeralMasterKey, createMasterKey } from "../../../src/security/master-key.js";
import { createSealerFactory, type SealedText } from "../../../src/security/sealing/sealed-text.js";

const unreadable = expect.objectContaining({ code: "SECURITY_DECRYPTION_FAILED" });

function openCall(callId = "call-1") {
  const factory = createSealerFactory(createEphemeralMasterKey());
  const wrapped = factory.wrap(callId, factory.newCallKey());
  return { factory, wrapped, sealer: factory.open(callId, wrapped) };
}

/** The sealed value with one bit of its bytes changed. */
function flipBit(sealed: SealedText, bit: number): SealedText {
  const body = Buffer.from(sealed.slice(3), "base64");
  const at = Math.floor(bit / 8) % body.length;
  body[at] = (body[at] ?? 0) ^ (1 << (bit % 8));
  return `s1.${body.toString("base64")}` as SealedText;
}

describe("sealed text", () => {
  it("opens to what was sealed, whatever it was", () => {
    const { sealer } = openCall();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ maxLength: 40 }), (text, context) => {
        expect(sealer.open(context, sealer.seal(context, text))).toBe(text);
      }),
    );
  });

  it("is laid out as version, nonce, ciphertext and tag, and shows nothing of the text", () => {
    const sealed = openCall().sealer.seal("segment.text/1", "her name is Distinctive");
    expect(sealed).toMatch(/^s1\.[A-Za-z0-9+/]+={0,2}$/);
    const body = Buffer.from(sealed.slice(3), "base64");
    expect(body).toHaveLength(12 + 23 + 16);
    expect(body.includes("Distinctive")).toBe(false);
  });

  it("seals the same text differently each time", () => {
    const { sealer } = openCall();
    expect(new Set(Array.from({ length: 100 }, () => sealer.seal("c", "same"))).size).toBe(100);
  });

  it("does not open in another place, row or call", () => {
    const { factory, sealer, wrapped } = openCall("call-1");
    const sealed = sealer.seal("segment.text/1", "text");
    expect(() => sealer.open("segment.text/2", sealed)).toThrowError(unreadable);
    expect(() => sealer.open("segment.words/1", sealed)).toThrowError(unreadable);
    const other = factory.open("call-2", factory.wrap("call-2", factory.newCallKey()));
    expect(() => other.open("segment.text/1", sealed)).toThrowError(unreadable);
    expect(() => factory.open("call-2", wrapped)).toThrowError(unreadable);
  });

  it("does not open a value moved to another call although both have the same key", () => {
    const factory = createSealerFactory(createEphemeralMasterKey());
    const key = factory.newCallKey();
    const [one, two] = [factory.open("one", factory.wrap("one", key)), factory.open("two", factory.wrap("two", key))];
    expect(() => two.open("text", one.seal("text", "words"))).toThrowError(unreadable);
  });

  it("does not open a call's key under another master key", () => {
    const { wrapped } = openCall("call-1");
    expect(() => createSealerFactory(createEphemeralMasterKey()).open("call-1", wrapped)).toThrowError(unreadable);
  });

  it("opens under a master key of the same secret", () => {
    const secret = Buffer.alloc(32, 7);
    const first = createSealerFactory(createMasterKey(secret));
    const wrapped = first.wrap("call-1", first.newCallKey());
    const sealed = first.open("call-1", wrapped).seal("text", "words");
    expect(
      createSealerFactory(createMasterKey(Buffer.from(secret)))
        .open("call-1", wrapped)
        .open("text", sealed),
    ).toBe("words");
  });

  it("notices any flipped bit", () => {
    const { sealer } = openCall();
    const sealed = sealer.seal("text", "some words");
    const bits = (12 + 10 + 16) * 8;
    for (let bit = 0; bit < bits; bit++) expect(() => sealer.open("text", flipBit(sealed, bit)), `bit ${bit}`).toThrowError(unreadable);
  });

  it("notices a value that is cut, empty or of another version", () => {
    const { sealer } = openCall();
    const sealed = sealer.seal("text", "some words");
    const broken = ["", "s1.", "s1.AAAA", sealed.slice(0, 20), sealed.slice(3), `s2.${sealed.slice(3)}`, "plain words"];
    for (const value of broken) expect(() => sealer.open("text", value as SealedText), value).toThrowError(unreadable);
  });
});

describe("the master key", () => {
  it("must be 32 bytes", () => {
    for (const length of [0, 16, 31, 33, 64]) {
      expect(() => createMasterKey(Buffer.alloc(length))).toThrowError(expect.objectContaining({ code: "SECURITY_MASTER_KEY_INVALID" }));
    }
  });

  it("derives another 32 bytes for each purpose, the same each time", () => {
    const key = createMasterKey(Buffer.alloc(32, 1));
    expect(key.derive("a")).toHaveLength(32);
    expect(key.derive("a").equals(key.derive("a"))).toBe(true);
    expect(key.derive("a").equals(key.derive("b"))).toBe(false);
    expect(key.derive("a").equals(createMasterKey(Buffer.alloc(32, 2)).derive("a"))).toBe(false);
  });

  it("pseudonymizes a number so that it can be compared and not read", () => {
    const key = createMasterKey(Buffer.alloc(32, 1));
    const pseudonym = key.pseudonymize("caller", "+254700000001");
    expect(pseudonym).toMatch(/^[0-9a-f]{64}$/);
    expect(key.pseudonymize("caller", "+254700000001")).toBe(pseudonym);
    expect(key.pseudonymize("caller", "+254700000002")).not.toBe(pseudonym);
    expect(key.pseudonymize("agent", "+254700000001")).not.toBe(pseudonym);
    expect(createEphemeralMasterKey().pseudonymize("caller", "+254700000001")).not.toBe(pseudonym);
  });
});
