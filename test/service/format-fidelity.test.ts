/** Every format decodes to within 20 ms and 0.5 dB of the WAV it was made from, by ffmpeg and, where it can, by the fallback. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SNIFF_BYTES, sniffContainer } from "../../src/audio/container.js";
import { createRecordingDecoder, type DecodedRecording } from "../../src/audio/decoder.js";
import { encodeWithFfmpeg } from "../support/ffmpeg-encoder.js";
import { bandOfSource, RECORDING_FORMATS, type RecordingFormat, SOURCES, type SourceName } from "../support/recording-formats.js";
import { isMissing } from "../support/requirements.js";
import { samplePath } from "../support/sample-audio.js";
import { type Band, compareSignals } from "../support/signal-comparison.js";
import { ROOT } from "../support/source-tree.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

/** Both voices speak in these ten seconds; the fixtures are made of them too. */
const EXCERPT = ["-ss", "4", "-t", "10", "-i", samplePath("child-violence-home", "call-16k.flac")];
const MAX_LAG_MS = 20;
const MAX_LEVEL_DB = 0.5;
/** Far below what any codec here reaches and far above what another sound would. */
const MIN_CORRELATION = 0.8;

type Prefer = "auto" | "fallback";

interface Sound {
  readonly channel: string;
  /** At the recording's own level. */
  readonly samples: Float64Array;
}

function readSamples(s16le: Buffer, gainDb: number): Float64Array {
  const gain = 10 ** (gainDb / 20);
  return Float64Array.from({ length: Math.floor(s16le.length / 2) }, (_, index) => s16le.readInt16LE(index * 2) / gain);
}

function soundsOf({ channels }: DecodedRecording): readonly Sound[] {
  return channels.map(({ channel, path, sampleCount, gainDb }) => {
    const samples = readSamples(readFileSync(path), gainDb);
    if (samples.length !== sampleCount) throw new Error(`${channel} has ${samples.length} samples and says ${sampleCount}`);
    return { channel, samples };
  });
}

type Allowances = Pick<RecordingFormat, "extraMs" | "lateMs" | "codecGainDb">;

/** What is wrong with `sounds`, in words that name the channel. */
function faultsOf(expected: readonly Sound[], sounds: readonly Sound[], band: Band, allowances: Allowances = {}): readonly string[] {
  const { extraMs = MAX_LAG_MS, lateMs = MAX_LAG_MS, codecGainDb = 0 } = allowances;
  const names = (list: readonly Sound[]): string => list.map(({ channel }) => channel).join(" and ");
  if (names(expected) !== names(sounds)) return [`has ${names(sounds)} and not ${names(expected)}`];
  return sounds.flatMap(({ channel, samples }, index) => {
    const { lagMs, longerMs, louderDb, correlation } = compareSignals(expected[index]?.samples ?? new Float64Array(), samples, band);
    const faults: string[] = [];
    if (!(correlation >= MIN_CORRELATION)) faults.push(`is another sound (correlation ${correlation.toFixed(2)})`);
    if (!(lagMs >= -MAX_LAG_MS && lagMs <= lateMs)) faults.push(`is ${lagMs.toFixed(1)} ms late`);
    if (!(longerMs >= -MAX_LAG_MS && longerMs <= extraMs)) faults.push(`is ${longerMs.toFixed(1)} ms longer`);
    if (!(Math.abs(louderDb - codecGainDb) <= MAX_LEVEL_DB)) faults.push(`is ${louderDb.toFixed(2)} dB louder`);
    return faults.map((fault) => `${channel} ${fault}`);
  });
}

describe.skipIf(isMissing("ffmpeg"))("every format decodes to within 20 ms and 0.5 dB of the WAV it was made from", () => {
  let directory: TemporaryDirectory;
  let count = 0;
  const recordings = new Map<string, Buffer>();
  const references = new Map<string, Promise<readonly Sound[]>>();
  const decoders = {
    auto: createRecordingDecoder({ timeoutMs: 60_000, maxDurationMs: 600_000, prefer: "auto" }),
    fallback: createRecordingDecoder({ timeoutMs: 60_000, maxDurationMs: 600_000, prefer: "fallback" }),
  };

  const sourcePath = (source: SourceName): string => join(directory.path, `${source}.wav`);

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
    for (const [name, { sampleRateHz, channelCount }] of Object.entries(SOURCES)) {
      const options = ["-ac", String(channelCount), "-ar", String(sampleRateHz), "-c:a", "pcm_s16le"];
      writeFileSync(join(directory.path, `${name}.wav`), encodeWithFfmpeg(EXCERPT, options, "wav"));
    }
  });
  afterAll(() => directory.remove());

  const decode = async (prefer: Prefer, recording: Buffer, expectedContainer: string): Promise<readonly Sound[]> => {
    const workDirectory = join(directory.path, `work-${count++}`);
    mkdirSync(workDirectory);
    const path = join(workDirectory, "recording");
    writeFileSync(path, recording);
    const container = sniffContainer(recording.subarray(0, SNIFF_BYTES));
    if (container === undefined || container !== expectedContainer) throw new Error(`was taken for ${container} and not for ${expectedContainer}`);
    return soundsOf(await decoders[prefer].decode({ path, container, workDirectory, signal: new AbortController().signal }));
  };

  const referenceOf = (prefer: Prefer, source: SourceName): Promise<readonly Sound[]> => {
    const key = `${prefer} ${source}`;
    const reference = references.get(key) ?? decode(prefer, readFileSync(sourcePath(source)), "wav");
    references.set(key, reference);
    return reference;
  };

  const recordingOf = ({ name, madeBy, extension }: RecordingFormat, source: SourceName): Buffer => {
    const key = `${name} of ${source}`;
    const recording =
      recordings.get(key) ??
      ("fixture" in madeBy ? readFileSync(join(ROOT, "test", "fixtures", madeBy.fixture)) : encodeWithFfmpeg(["-i", sourcePath(source)], madeBy, extension));
    recordings.set(key, recording);
    return recording;
  };

  const faultsOfFormat = async (prefer: Prefer, format: RecordingFormat): Promise<readonly string[]> => {
    const faults = await Promise.all(
      format.sources.map(async (source) => {
        const band = format.band ?? bandOfSource(source);
        const found = await decode(prefer, recordingOf(format, source), format.container).then(
          async (sounds) => faultsOf(await referenceOf(prefer, source), sounds, band, format),
          (error: unknown) => [`was not decoded: ${String((error as { code?: unknown }).code ?? error)}`],
        );
        return found.map((fault) => `${source}: ${fault}`);
      }),
    );
    return faults.flat();
  };

  it("is measured with fixtures that are what their manifest says", () => {
    const fixtures = join(ROOT, "test", "fixtures");
    const manifest = JSON.parse(readFileSync(join(fixtures, "manifest.json"), "utf8")) as readonly { readonly file: string; readonly sha256: string }[];
    const sha256Of = (file: string): string =>
      createHash("sha256")
        .update(readFileSync(join(fixtures, file)))
        .digest("hex");
    expect(manifest.map(({ file }) => ({ file, sha256: sha256Of(file) }))).toEqual(manifest.map(({ file, sha256 }) => ({ file, sha256 })));
    const used = RECORDING_FORMATS.flatMap(({ madeBy }) => ("fixture" in madeBy ? [madeBy.fixture] : []));
    expect(manifest.map(({ file }) => file)).toEqual(expect.arrayContaining(used));
  });

  it.each(["auto", "fallback"] as const)("so do the WAVs themselves: what is decoded (%s) is what they hold", async (prefer) => {
    const faults: string[] = [];
    for (const source of Object.keys(SOURCES) as SourceName[]) {
      const { channelCount } = SOURCES[source];
      const expected = Array.from({ length: channelCount }, (_, index): Sound => {
        const channel = channelCount === 1 ? "mixed" : index === 0 ? "caller" : "agent";
        const options = ["-af", `pan=mono|c0=c${index}`, "-ar", "16000", "-f", "s16le"];
        return { channel, samples: readSamples(encodeWithFfmpeg(["-i", sourcePath(source)], options, "raw"), 0) };
      });
      faults.push(...faultsOf(expected, await referenceOf(prefer, source), bandOfSource(source)).map((fault) => `${source}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });

  it.each(RECORDING_FORMATS)("with ffmpeg: $name", async (format) => {
    expect(await faultsOfFormat("auto", format)).toEqual([]);
  });

  it.each(RECORDING_FORMATS.filter(({ fallback }) => fallback === "decodes"))("without ffmpeg: $name", async (format) => {
    expect(await faultsOfFormat("fallback", format)).toEqual([]);
  });

  it.each(RECORDING_FORMATS.filter(({ fallback }) => fallback === "needs ffmpeg"))("or says that ffmpeg is missing: $name", async (format) => {
    for (const source of format.sources) {
      await expect(decode("fallback", recordingOf(format, source), format.container), source).rejects.toMatchObject({ code: "AUDIO_DECODER_MISSING" });
    }
  });
});
