/** What is no audio at all: other people's files renamed, noise behind magic bytes, and scripts that would have a decoder read other files. */
import { gzipSync } from "node:zlib";
import type { HostileContent, HostileTargets } from "./hostile-files.js";
import { seededBytes } from "./seeded-bytes.js";

const LETTER = "Dear helpline, this is a letter and not a recording, however long it is looked at.\n";

/** An ID3v2.4 tag; a decoder that skips it takes what follows for the file. */
function id3Tag(contentBytes: number): Buffer {
  const size = [21, 14, 7, 0].map((shift) => (contentBytes >> shift) & 0x7f);
  return Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, ...size]), Buffer.alloc(contentBytes)]);
}

const RIFF_HEAD = Buffer.from("RIFF\xff\xff\xff\x7fWAVE", "latin1");

export function hostileTexts(targets: HostileTargets): readonly HostileContent[] {
  return [...otherFiles(), ...magicAndNoise(), ...scripts(targets), ...hiddenScripts(targets)];
}

function otherFiles(): readonly HostileContent[] {
  const refused = (name: string, content: string | Buffer): HostileContent => ({ name, fate: "refused", content: Buffer.from(content) });
  return [
    refused("empty.wav", ""),
    refused("one-byte.wav", "R"),
    refused("letter.wav", LETTER.repeat(50)),
    refused("page.wav", `<!DOCTYPE html><html><body><p>${LETTER}</p><audio src="file:///etc/passwd"></audio></body></html>`),
    refused("object.wav", JSON.stringify({ audio: "file:///etc/passwd", letter: LETTER })),
    refused("pdf.wav", Buffer.concat([Buffer.from("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "latin1"), seededBytes("pdf", 4_000)])),
    refused("zip.wav", Buffer.concat([Buffer.from("PK\x03\x04\x14\0\0\0\x08\0", "latin1"), seededBytes("zip", 4_000)])),
    refused("png.wav", Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), seededBytes("png", 4_000)])),
    refused("program.wav", Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01\0", "latin1"), seededBytes("elf", 4_000)])),
    refused("utf16.wav", Buffer.from(`\ufeff${LETTER.repeat(50)}`, "utf16le")),
    refused("zeros.wav", Buffer.alloc(100_000)),
    refused("gzip-bomb.mp3", gzipSync(Buffer.alloc(200_000_000), { level: 1 })),
    refused("only-a-10-mb-tag.mp3", id3Tag(10_000_000)),
    refused("tag-longer-than-the-file.mp3", id3Tag(100_000).subarray(0, 500)),
  ];
}

function magicAndNoise(): readonly HostileContent[] {
  const behind = (name: string, magic: string, fate: HostileContent["fate"]): HostileContent => ({
    name,
    fate,
    content: Buffer.concat([Buffer.from(magic, "latin1"), seededBytes(name, 40_000)]),
  });
  return [
    behind("noise.wav", "RIFF\x40\x9c\0\0WAVE", "refused"),
    behind("noise-rf64.wav", "RF64\xff\xff\xff\xffWAVE", "refused"),
    behind("noise.flac", "fLaC", "refused"),
    behind("noise.ogg", "OggS\0\x02", "refused"),
    behind("noise.m4a", "\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0", "refused"),
    behind("noise.webm", "\x1a\x45\xdf\xa3", "refused"),
    // In noise some decoders find frames: these formats have hardly any structure a noise could lack.
    behind("noise.mp3", "ID3\x04\0\0\0\0\0\0", "either"),
    behind("noise-frame.mp3", "\xff\xfb\x90\x64", "either"),
    behind("noise.amr", "#!AMR\n", "either"),
    behind("noise-wide.amr", "#!AMR-WB\n", "either"),
    behind("noise.aac", "\xff\xf1\x50\x80\x02\x1f\xfc", "either"),
    {
      name: "noise.gsm",
      fate: "either",
      content: Buffer.from(seededBytes("gsm frames", 40_000).map((byte, at) => (at % 33 === 0 ? 0xd0 | (byte & 0x0f) : byte))),
    },
  ];
}

const concatScript = (target: string): string => `ffconcat version 1.0\nfile '${target}'\n`;
const playlist = (target: string): string => `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${target}\n#EXT-X-ENDLIST\n`;

function scripts({ recordingPath, canaryUrl }: HostileTargets): readonly HostileContent[] {
  const refused = (name: string, content: string): HostileContent => ({ name, fate: "refused", content: Buffer.from(content) });
  const sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=call\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n";
  const manifest = `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="a"><BaseURL>${canaryUrl}</BaseURL></Representation></AdaptationSet></Period></MPD>`;
  return [
    refused("playlist.m3u8", playlist("file:///etc/passwd")),
    refused("playlist.wav", playlist("file:///etc/passwd")),
    refused("playlist-of-a-recording.wav", playlist(recordingPath)),
    refused("playlist-remote.m3u", `#EXTM3U\n#EXTINF:10,call\n${canaryUrl}\n`),
    refused("playlist-remote.wav", playlist(canaryUrl)),
    refused("concat.wav", concatScript("/etc/passwd")),
    refused("concat-of-a-recording.ffconcat", concatScript(recordingPath)),
    refused("session.sdp", sdp),
    refused("manifest.mpd", manifest),
    refused("subfile.wav", "subfile,,start,0,end,100,,:/etc/passwd"),
  ];
}

/** The same behind bytes that pass for a recording's first ones. */
function hiddenScripts({ recordingPath, canaryUrl }: HostileTargets): readonly HostileContent[] {
  const behind = (head: Buffer, name: string, content: string): HostileContent => ({
    name,
    fate: "refused",
    content: Buffer.concat([head, Buffer.from(content)]),
  });
  const ogg = Buffer.from("OggS\0\x02\0\0\0\0\0\0\0\0", "latin1");
  const mp4 = Buffer.from("\0\0\0\x14ftypM4A \0\0\0\0M4A ", "latin1");
  const amr = Buffer.from("#!AMR\n", "latin1");
  return [
    behind(id3Tag(0), "id3-playlist.mp3", playlist("file:///etc/passwd")),
    behind(id3Tag(0), "id3-playlist-of-a-recording.mp3", playlist(recordingPath)),
    behind(id3Tag(0), "id3-playlist-remote.mp3", playlist(canaryUrl)),
    behind(id3Tag(200), "id3-concat.mp3", concatScript("/etc/passwd")),
    behind(id3Tag(200), "id3-concat-of-a-recording.mp3", concatScript(recordingPath)),
    behind(RIFF_HEAD, "riff-playlist.wav", playlist("file:///etc/passwd")),
    behind(RIFF_HEAD, "riff-concat.wav", concatScript("/etc/passwd")),
    behind(ogg, "ogg-playlist.ogg", playlist(recordingPath)),
    behind(mp4, "mp4-concat.m4a", concatScript(recordingPath)),
    { name: "amr-playlist.amr", fate: "either", content: Buffer.concat([amr, Buffer.from(playlist("file:///etc/passwd"))]) },
  ];
}
