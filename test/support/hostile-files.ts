/** Recordings as an attacker, a broken recorder or a hurried export would send them; the same bytes on every run. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeWithFfmpeg } from "./ffmpeg-encoder.js";
import { hostileEncodings } from "./hostile-encodings.js";
import { hostileTexts } from "./hostile-texts.js";
import { hostileWavs } from "./hostile-wavs.js";
import { samplePath } from "./sample-audio.js";
import { wavFile } from "./wav-file.js";

/** What may become of a file: it must be refused, it must be analysed fully or partially, or either. */
export type HostileFate = "refused" | "analysed" | "either";

export interface HostileContent {
  readonly name: string;
  readonly fate: HostileFate;
  readonly content: Buffer;
}

export interface HostileFile {
  readonly name: string;
  readonly path: string;
  readonly fate: HostileFate;
}

/** What scripts among the files point at; none of it may be opened. */
export interface HostileTargets {
  /** A good recording elsewhere on the disk: whoever follows the pointer analyses it. */
  readonly recordingPath: string;
  /** Nobody may ask for it. */
  readonly canaryUrl: string;
}

/** In the first seconds of this sample the agent says her greeting. */
const SPEECH_SECONDS = 3;
const SOURCE = ["-t", String(SPEECH_SECONDS), "-i", samplePath("child-violence-home", "call-16k.flac")];

/** A short good WAV: 16 bit, 8 kHz, mono. */
export function goodRecording(): Buffer {
  return wavFile({ data: encodeWithFfmpeg(SOURCE, ["-ac", "1", "-ar", "8000", "-f", "s16le"], "raw") });
}

/**
 * @param directory - an existing one; every file lies directly in it.
 * @param canaryUrl - where remote playlists point; nobody listens there when it is not given.
 */
export function writeHostileFiles(directory: string, canaryUrl = "http://127.0.0.1:9/call.wav"): readonly HostileFile[] {
  const good = goodRecording();
  const recordingPath = join(directory, "good.wav");
  writeFileSync(recordingPath, good);
  const files = [
    { name: "good.wav", fate: "analysed" as const, content: good },
    ...hostileWavs(good.subarray(44)),
    ...hostileTexts({ recordingPath, canaryUrl }),
    ...hostileEncodings(recordingPath),
    ...hostileNames(good),
  ];
  return files.map(({ name, fate, content }) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return { name, path, fate };
  });
}

/** Names that a shell, a terminal, an option parser or ffmpeg's protocols would take for more than names. */
function hostileNames(good: Buffer): readonly HostileContent[] {
  const names = [
    "$(touch pwned).wav",
    "`touch pwned`.wav",
    "a;touch pwned;b.wav",
    "a|touch pwned",
    "a&touch pwned&.wav",
    ">pwned",
    "-i.wav",
    "--help.wav",
    "-",
    "a name with  spaces .wav",
    "two\nlines.wav",
    "\"double\" and 'single'.wav",
    "%s%n%d.wav",
    "مكالمة الطفل – 電話 🧒.wav",
    "concat:good.wav|empty.wav",
    "file:good.wav",
    "http:good.wav",
    "pipe:0",
    `${"long".repeat(49)}.wav`,
  ];
  return [
    ...names.map((name) => ({ name, fate: "analysed" as const, content: good })),
    { name: "no\nsound in\r\ntwo lines.wav", fate: "refused", content: Buffer.from("openchs-ai: nothing to hear here\n") },
    { name: "\u001b[31mred\u001b[0m.wav", fate: "refused", content: Buffer.from("no sound, in red\n") },
  ];
}
