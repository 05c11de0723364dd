/** Every format a recorder, exchange or telephone may send, with how it is made and what its decoding is held to. */
import type { Band } from "./signal-comparison.js";

export const SOURCES = {
  "8 kHz mono": { sampleRateHz: 8_000, channelCount: 1 },
  "8 kHz stereo": { sampleRateHz: 8_000, channelCount: 2 },
  "16 kHz mono": { sampleRateHz: 16_000, channelCount: 1 },
  "16 kHz stereo": { sampleRateHz: 16_000, channelCount: 2 },
  "44.1 kHz mono": { sampleRateHz: 44_100, channelCount: 1 },
  "44.1 kHz stereo": { sampleRateHz: 44_100, channelCount: 2 },
} as const;
export type SourceName = keyof typeof SOURCES;

export interface RecordingFormat {
  readonly name: string;
  readonly container: string;
  readonly extension: string;
  readonly sources: readonly SourceName[];
  /** For ffmpeg, or the file in test/fixtures that was made of the source. */
  readonly madeBy: readonly string[] | { readonly fixture: string };
  /** What the fallback decoder does with it: a change must be a decision, not an accident. */
  readonly fallback: "decodes" | "needs ffmpeg";
  /** What both the source and the codec keep, where that is less than the source's band. */
  readonly band?: Band;
  /** How much longer it may be where the codec has no true length field: what fills up its last block is sound like any other. */
  readonly extraMs?: number;
  /** How much later it may be where the codec does not say how much it needs to get going. */
  readonly lateMs?: number;
  /** What the codec itself makes the excerpt louder by, as its own reference decoder shows. */
  readonly codecGainDb?: number;
}

const TELEPHONE: readonly SourceName[] = ["8 kHz mono", "8 kHz stereo"];
/** One of each rate, both numbers of channels. */
const FEW: readonly SourceName[] = ["8 kHz mono", "16 kHz mono", "44.1 kHz stereo"];
const SOME: readonly SourceName[] = ["8 kHz stereo", ...FEW];
const CD: readonly SourceName[] = ["44.1 kHz mono", "44.1 kHz stereo"];
/** The telephone's, which codecs for speech keep. */
const SPEECH_BAND: Band = { fromHz: 300, toHz: 3_200 };

/** The band a source of this rate has. */
export function bandOfSource(source: SourceName): Band {
  return { fromHz: 200, toHz: SOURCES[source].sampleRateHz === 8_000 ? 3_400 : 7_000 };
}

const wav = (name: string, codec: string, fallback: RecordingFormat["fallback"], sources: readonly SourceName[] = FEW): RecordingFormat => ({
  name: `WAV, ${name}`,
  container: "wav",
  extension: "wav",
  sources,
  madeBy: ["-c:a", codec],
  fallback,
});

/** Blocks of 128 bytes, at most 32 ms: the encoder fills up the last one and counts what it put there as sound. */
const adpcm = (name: string, codec: string): RecordingFormat => ({
  ...wav(name, codec, "needs ffmpeg", [...TELEPHONE, "16 kHz mono"]),
  madeBy: ["-c:a", codec, "-block_size", "128"],
  extraMs: 32,
});

const mp3 = (bitRate: string, sources: readonly SourceName[], options: readonly string[] = []): RecordingFormat => ({
  name: `MP3, ${bitRate}bit/s of ${sources[0]}`,
  container: "mp3",
  extension: "mp3",
  sources,
  madeBy: ["-c:a", "libmp3lame", "-b:a", bitRate, ...options],
  fallback: "decodes",
});

const speechCodec = (format: Omit<RecordingFormat, "sources" | "band" | "extraMs">): RecordingFormat => ({
  ...format,
  sources: ["8 kHz mono"],
  band: SPEECH_BAND,
  extraMs: 20,
});

/** opencore-amr's own decoder makes of the fixtures 0.53 dB less than went in. */
const amr = (name: string, fixture: string): RecordingFormat =>
  speechCodec({ name, container: "amr", extension: "amr", madeBy: { fixture }, fallback: "decodes", codecGainDb: -0.53 });

export const RECORDING_FORMATS: readonly RecordingFormat[] = [
  wav("PCM of 8 bit", "pcm_u8", "decodes"),
  wav("PCM of 16 bit", "pcm_s16le", "decodes"),
  // Raised by the decoder: what it says it raised it by is what it did.
  { ...wav("PCM of 16 bit, whispered", "pcm_s16le", "decodes"), madeBy: ["-af", "volume=-30dB", "-c:a", "pcm_s16le"], codecGainDb: -30 },
  wav("PCM of 24 bit", "pcm_s24le", "decodes"),
  wav("PCM of 32 bit", "pcm_s32le", "decodes"),
  wav("float of 32 bit", "pcm_f32le", "decodes"),
  wav("float of 64 bit", "pcm_f64le", "decodes"),
  wav("A-law", "pcm_alaw", "decodes", [...TELEPHONE, "16 kHz mono"]),
  wav("mu-law", "pcm_mulaw", "decodes", [...TELEPHONE, "16 kHz mono"]),
  adpcm("Microsoft ADPCM", "adpcm_ms"),
  // Its steps of 4 bits are late on steep slopes: sox's decoder makes of it, too, up to 0.57 dB less than went in.
  { ...adpcm("IMA ADPCM", "adpcm_ima_wav"), codecGainDb: -0.3 },
  { ...wav("GSM 06.10", "libgsm_ms", "needs ffmpeg", ["8 kHz mono"]), band: SPEECH_BAND },
  mp3("16k", ["8 kHz mono"]),
  mp3("32k", TELEPHONE),
  mp3("48k", ["16 kHz mono"]),
  mp3("64k", ["16 kHz mono", "16 kHz stereo", "44.1 kHz mono"]),
  mp3("128k", CD),
  { name: "FLAC", container: "flac", extension: "flac", sources: SOME, madeBy: ["-c:a", "flac"], fallback: "decodes" },
  { name: "Vorbis in OGG", container: "ogg", extension: "ogg", sources: SOME, madeBy: ["-c:a", "libvorbis", "-q:a", "5"], fallback: "decodes" },
  { name: "Opus in OGG", container: "ogg", extension: "ogg", sources: SOME, madeBy: ["-c:a", "libopus", "-b:a", "64k"], fallback: "decodes" },
  { name: "Opus in WebM", container: "webm", extension: "webm", sources: SOME, madeBy: ["-c:a", "libopus", "-b:a", "64k"], fallback: "needs ffmpeg" },
  { name: "AAC in M4A", container: "mp4", extension: "m4a", sources: SOME, madeBy: ["-c:a", "aac", "-b:a", "96k"], fallback: "decodes" },
  // ADTS has no field for the length, nor one for the 1024 samples that AAC needs to get going: 23.2 ms at 44.1 kHz.
  {
    name: "AAC in ADTS",
    container: "aac",
    extension: "aac",
    sources: CD,
    madeBy: ["-c:a", "aac", "-b:a", "96k"],
    fallback: "decodes",
    extraMs: 40,
    lateMs: 24,
  },
  // Frames of 20 ms without a length field: the last is filled up.
  speechCodec({ name: "GSM 06.10, raw", container: "gsm", extension: "gsm", madeBy: ["-c:a", "libgsm"], fallback: "needs ffmpeg" }),
  amr("AMR", "speech-amr-nb.amr"),
  amr("AMR with pauses not sent", "speech-amr-nb-dtx.amr"),
];
