/** GPT-2's way to write bytes as printable characters, which byte-level tokenizers use in their vocabularies. Pure. */

const BYTE_OF: ReadonlyMap<string, number> = byteCharacters();

/** @returns the bytes a token of a byte-level vocabulary stands for */
export function tokenBytes(token: string): Uint8Array {
  return Uint8Array.from([...token], (character) => BYTE_OF.get(character) ?? 0x3f);
}

function byteCharacters(): ReadonlyMap<string, number> {
  const isPrintable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPrintable(byte) ? byte : next++), byte]));
}
