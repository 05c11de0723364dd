/** Compressed recordings that are cut off, hold nothing, point elsewhere or unfold to hours; made by ffmpeg. */
import { encodeWithFfmpeg } from "./ffmpeg-encoder.js";
import type { HostileContent } from "./hostile-files.js";

/** Without dates, versions and random serial numbers: the same bytes on every run. */
const BIT_EXACT = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"];
const CUT_TENTHS = [3, 6, 9] as const;

interface Encoding {
  readonly extension: string;
  readonly options: readonly string[];
  /** What may become of the first tenths of it. */
  readonly fateWhenCut: HostileContent["fate"];
  /** So few bytes that no sound is in them. */
  readonly headBytes: number;
}

const ENCODINGS: readonly Encoding[] = [
  { extension: "mp3", options: ["-c:a", "libmp3lame", "-b:a", "32k"], fateWhenCut: "analysed", headBytes: 80 },
  { extension: "flac", options: ["-c:a", "flac"], fateWhenCut: "analysed", headBytes: 42 },
  // Short pages, so that there are whole ones in every part.
  { extension: "ogg", options: ["-c:a", "libopus", "-b:a", "32k", "-page_duration", "200000"], fateWhenCut: "analysed", headBytes: 60 },
  { extension: "webm", options: ["-c:a", "libopus", "-b:a", "32k"], fateWhenCut: "analysed", headBytes: 60 },
  // Its index comes last: without it nobody can say where a frame begins.
  { extension: "m4a", options: ["-c:a", "aac", "-b:a", "48k"], fateWhenCut: "refused", headBytes: 60 },
];

/** @param sourcePath - a short good recording. */
export function hostileEncodings(sourcePath: string): readonly HostileContent[] {
  const input = ["-i", sourcePath];
  const cut = ENCODINGS.flatMap(({ extension, options, fateWhenCut, headBytes }): readonly HostileContent[] => {
    const whole = encodeWithFfmpeg(input, [...options, ...BIT_EXACT], extension);
    return [
      ...CUT_TENTHS.map((tenths) => ({
        name: `cut-at-${tenths}-tenths.${extension}`,
        fate: fateWhenCut,
        content: whole.subarray(0, Math.floor((whole.length * tenths) / 10)),
      })),
      { name: `only-the-head.${extension}`, fate: "refused", content: whole.subarray(0, headBytes) },
    ];
  });
  return [...cut, ...hostileM4as(input), ...emptyEncodings(input), ...longEncodings()];
}

function hostileM4as(input: readonly string[]): readonly HostileContent[] {
  const indexFirst = encodeWithFfmpeg(input, ["-c:a", "aac", "-b:a", "48k", "-movflags", "+faststart", ...BIT_EXACT], "m4a");
  const indexLast = encodeWithFfmpeg(input, ["-c:a", "aac", "-b:a", "48k", ...BIT_EXACT], "m4a");
  return [
    ...CUT_TENTHS.map(
      (tenths): HostileContent => ({
        name: `index-first-cut-at-${tenths}-tenths.m4a`,
        fate: "either",
        content: indexFirst.subarray(0, Math.floor((indexFirst.length * tenths) / 10)),
      }),
    ),
    { name: "external-data.m4a", fate: "either", content: withExternalData(indexLast, "file:///etc/passwd") },
  ];
}

function boxAt(mp4: Buffer, kind: string, from: number, to: number): number {
  for (let at = from; at + 8 <= to; at += Math.max(8, mp4.readUInt32BE(at))) if (mp4.toString("latin1", at + 4, at + 8) === kind) return at;
  throw new Error(`the M4A has no ${kind}`);
}

/** The M4A, saying that its sound is in another file (ISO 14496-12, 8.7.2). */
function withExternalData(m4a: Buffer, url: string): Buffer {
  const parents: number[] = [];
  let from = 0;
  let to = m4a.length;
  for (const kind of ["moov", "trak", "mdia", "minf", "dinf", "dref"]) {
    const at = boxAt(m4a, kind, from, to);
    parents.push(at);
    from = at + 8;
    to = at + m4a.readUInt32BE(at);
  }
  const entryAt = from + 8;
  const oldBytes = m4a.readUInt32BE(entryAt);
  const location = Buffer.from(`${url}\0`, "latin1");
  const entry = Buffer.concat([Buffer.from("\0\0\0\0url \0\0\0\0", "latin1"), location]);
  entry.writeUInt32BE(entry.length, 0);
  const changed = Buffer.concat([m4a.subarray(0, entryAt), entry, m4a.subarray(entryAt + oldBytes)]);
  for (const at of parents) changed.writeUInt32BE(m4a.readUInt32BE(at) + entry.length - oldBytes, at);
  return changed;
}

function emptyEncodings(input: readonly string[]): readonly HostileContent[] {
  const nothing = (codec: string, extension: string): Buffer => encodeWithFfmpeg(input, ["-t", "0", "-c:a", codec, ...BIT_EXACT], extension);
  const vorbis = encodeWithFfmpeg(input, ["-c:a", "libvorbis", ...BIT_EXACT], "ogg");
  return [
    { name: "opus-of-zero-length.ogg", fate: "refused", content: nothing("libopus", "ogg") },
    { name: "only-headers.ogg", fate: "refused", content: vorbis.subarray(0, firstSoundPageAt(vorbis)) },
    { name: "flac-of-zero-length.flac", fate: "refused", content: nothing("flac", "flac") },
    { name: "m4a-of-zero-length.m4a", fate: "refused", content: nothing("aac", "m4a") },
  ];
}

/** The first page with a position above zero; the pages before it hold headers (RFC 3533). */
function firstSoundPageAt(ogg: Buffer): number {
  for (let at = 0; at >= 0; at = ogg.indexOf("OggS", at + 4, "latin1")) if (ogg.readBigInt64LE(at + 6) > 0n) return at;
  throw new Error("the OGG has no sound");
}

/** Small files, long silences. The service's default limit is four hours. */
function longEncodings(): readonly HostileContent[] {
  const silence = (seconds: number): readonly string[] => ["-f", "lavfi", "-t", String(seconds), "-i", "anullsrc=r=8000:cl=mono"];
  const sixHours = encodeWithFfmpeg(silence(6 * 3_600), ["-c:a", "flac", ...BIT_EXACT], "flac");
  return [
    { name: "six-hours.flac", fate: "refused", content: sixHours },
    { name: "six-hours-of-unsaid-length.flac", fate: "refused", content: withoutLength(sixHours) },
    { name: "half-an-hour.flac", fate: "analysed", content: encodeWithFfmpeg(silence(1_800), ["-c:a", "flac", ...BIT_EXACT], "flac") },
  ];
}

/** STREAMINFO's 36 bits of total samples at zero: unknown (RFC 9639, 8.2). */
function withoutLength(flac: Buffer): Buffer {
  const changed = Buffer.from(flac);
  changed.writeUInt8(changed.readUInt8(21) & 0xf0, 21);
  changed.fill(0, 22, 26);
  return changed;
}
