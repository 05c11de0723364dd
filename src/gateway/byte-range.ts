/** The `Range` header, for one range of bytes. */
import type { ByteRange } from "../storage/audio-store.js";

/**
 * @returns undefined: send the whole (no header, several ranges, or a unit that is not bytes); "unsatisfiable": there is no
 * such byte.
 * @see RFC 9110 section 14
 */
export function parseByteRange(header: string | undefined, byteCount: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const suffix = Math.min(byteCount, Number(last));
    return suffix === 0 ? "unsatisfiable" : { start: byteCount - suffix, end: byteCount };
  }
  const start = Number(first);
  const end = last === "" ? byteCount : Math.min(byteCount, Number(last) + 1);
  // Backwards is no range at all and is left out of account.
  if (last !== "" && Number(last) < start) return undefined;
  return start < byteCount ? { start, end } : "unsatisfiable";
}
