/** Which container a recording is, told from its first bytes. Names and declared types are hints and are not asked. */

/** Headerless formats of telephone exchanges: nothing in the file says what it is, so the sender must. Mono. */
export const RAW_FORMATS = ["gsm", "slin", "slin16", "ulaw", "alaw"] as const;
export type RawFormat = (typeof RAW_FORMATS)[number];

export const CONTAINERS = ["wav", "flac", "mp3", "ogg", "mp4", "webm", "amr", "aac", ...RAW_FORMATS] as const;
export type Container = (typeof CONTAINERS)[number];

/** Samples a second of each raw format. */
export const RAW_SAMPLE_RATES_HZ: Readonly<Record<RawFormat, number>> = { gsm: 8_000, slin: 8_000, slin16: 16_000, ulaw: 8_000, alaw: 8_000 };

/** True for a format that has no header of its own. */
export function isRawFormat(container: Container): container is RawFormat {
  return RAW_FORMATS.some((format) => format === container);
}

/** A GSM 06.10 frame: 33 bytes, the first with 0xD in its high half. */
const GSM_FRAME_BYTES = 33;
/** As many frames must look right before a file without any header is taken for GSM: a sixth of a second. */
const MIN_GSM_FRAMES = 8;

/** Bytes `sniffContainer` wants to see; fewer are fine when the file is shorter. */
export const SNIFF_BYTES = 64 * GSM_FRAME_BYTES;

/**
 * @param head - the first bytes of the file.
 * @returns undefined when it is none of ours: text, playlists and scripts among them.
 * @see the magic numbers in RFC 9639 (FLAC), RFC 3533 (Ogg), RFC 9559 (Matroska), RFC 4867 (AMR), ISO 14496-12 (MP4)
 */
export function sniffContainer(head: Uint8Array): Container | undefined {
  const ascii = (start: number, end: number): string => String.fromCharCode(...head.subarray(start, end));
  const riff = ascii(0, 4);
  if ((riff === "RIFF" || riff === "RF64") && ascii(8, 12) === "WAVE") return "wav";
  if (riff === "fLaC") return "flac";
  if (riff === "OggS") return "ogg";
  if (ascii(4, 8) === "ftyp") return "mp4";
  if (head[0] === 0x1a && head[1] === 0x45 && head[2] === 0xdf && head[3] === 0xa3) return "webm";
  if (ascii(0, 5) === "#!AMR") return "amr";
  if (ascii(0, 3) === "ID3") return "mp3";
  return sniffMpegFrame(head) ?? (isGsm(head) ? "gsm" : undefined);
}

function isGsm(head: Uint8Array): boolean {
  const frameCount = Math.floor(head.length / GSM_FRAME_BYTES);
  return (
    frameCount >= MIN_GSM_FRAMES && Array.from({ length: frameCount }, (_, frame) => head[frame * GSM_FRAME_BYTES] ?? 0).every((byte) => byte >> 4 === 0xd)
  );
}

/** MPEG audio has no magic, only a frame header: 11 sync bits, then fields with forbidden values. */
function sniffMpegFrame(head: Uint8Array): Container | undefined {
  const [first, second, third] = head;
  if (first !== 0xff || second === undefined || third === undefined) return undefined;
  if ((second & 0xf6) === 0xf0) return "aac";
  // Nobody writes layer I any more, and its sync is the byte order mark of UTF-16 text.
  const isLayerOne = (second & 0x06) === 0x06;
  const hasSync = (second & 0xe0) === 0xe0;
  const isReserved = (second & 0x18) === 0x08 || (second & 0x06) === 0x00 || isLayerOne || (third & 0xf0) === 0xf0 || (third & 0x0c) === 0x0c;
  return hasSync && !isReserved ? "mp3" : undefined;
}
