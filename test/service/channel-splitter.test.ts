import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { splitChannels } from "../../src/audio/channel-splitter.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const RATE = 16_000;

/** A sine of the given level: its RMS is `dbfs` below the RMS of full scale 32768. */
function tone(dbfs: number, seconds: number, offset = 0, hz = 400): Int16Array {
  const peak = 32_768 * 10 ** (dbfs / 20) * Math.SQRT2;
  return Int16Array.from({ length: Math.round(RATE * seconds) }, (_, index) => Math.round(offset + peak * Math.sin((2 * Math.PI * hz * index) / RATE)));
}

function interleave(...channels: readonly Int16Array[]): Int16Array {
  const [first] = channels;
  return Int16Array.from(
    { length: (first?.length ?? 0) * channels.length },
    (_, index) => channels[index % channels.length]?.[Math.floor(index / channels.length)] ?? 0,
  );
}

const mean = (samples: Int16Array): number => samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
const rmsDbfs = (samples: Int16Array): number => 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length / 32_768 ** 2);

async function split(samples: Int16Array, channelCount: number, cutBytes = 0) {
  const temporary = await makeTemporaryDirectory();
  onTestFinished(temporary.remove);
  const inputPath = join(temporary.path, "interleaved.s16");
  const bytes = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  await writeFile(inputPath, bytes.subarray(0, bytes.length - cutBytes));
  const result = await splitChannels({ inputPath, channelCount, sampleRateHz: RATE, outputPath: (channel) => join(temporary.path, `${channel}.s16`) });
  const outputs = await Promise.all(
    result.channels.map(async ({ path }) => {
      const content = await readFile(path);
      return new Int16Array(content.buffer.slice(content.byteOffset, content.byteOffset + content.length));
    }),
  );
  return { result, outputs };
}

describe("splitChannels", () => {
  it("gives each channel its own file with its own samples", async () => {
    const { result, outputs } = await split(interleave(tone(-20, 1), tone(-20, 1, 0, 1_000)), 2);
    expect(result.isDualMono).toBe(false);
    expect(result.channels.map(({ sampleCount }) => sampleCount)).toEqual([RATE, RATE]);
    const [left, right] = outputs;
    // A sine crosses zero upwards once a period.
    const rises = (samples: Int16Array | undefined): number =>
      (samples ?? []).filter((sample, index, all) => index > 0 && sample >= 0 && (all[index - 1] ?? 0) < 0).length;
    expect(rises(left)).toBeGreaterThan(390);
    expect(rises(left)).toBeLessThan(410);
    expect(rises(right)).toBeGreaterThan(990);
    expect(rises(right)).toBeLessThan(1_010);
  });

  it.each([-45, -30, -20, -10])("brings speech at %i dBFS to -20 dBFS and says by how much", async (dbfs) => {
    const { result, outputs } = await split(tone(dbfs, 2), 1);
    expect(result.channels[0]?.gainDb).toBeCloseTo(-20 - dbfs, 0);
    expect(rmsDbfs(outputs[0] ?? new Int16Array(0))).toBeCloseTo(-20, 0);
  });

  it("takes a constant offset out", async () => {
    const { outputs } = await split(tone(-20, 1, 1_000), 1);
    expect(Math.abs(mean(outputs[0] ?? new Int16Array(0)))).toBeLessThan(1);
  });

  it("brings quiet speech to the same level although a constant offset lies under it", async () => {
    const { outputs } = await split(tone(-40, 2, 3_000), 1);
    expect(rmsDbfs(outputs[0] ?? new Int16Array(0))).toBeCloseTo(-20, 0);
  });

  it("does not blow the noise of an empty channel up into speech", async () => {
    const { result, outputs } = await split(interleave(tone(-25, 1), tone(-75, 1)), 2);
    expect(result.channels[1]?.gainDb).toBe(0);
    expect(rmsDbfs(outputs[1] ?? new Int16Array(0))).toBeLessThan(-60);
  });

  it("does not blow it up either when a constant offset lies under it", async () => {
    const { outputs } = await split(tone(-75, 1, 300), 1);
    expect(rmsDbfs(outputs[0] ?? new Int16Array(0))).toBeLessThan(-60);
  });

  it("lets no peak wrap around", async () => {
    const quiet = tone(-35, 3);
    // One loud tenth of a second in three: the gain is set by the rest.
    quiet.set(tone(-4, 0.1), RATE);
    const { outputs } = await split(quiet, 1);
    const loud = (outputs[0] ?? new Int16Array(0)).subarray(RATE, RATE + 1_600);
    const before = tone(-4, 0.1);
    expect([...loud].every((sample, index) => Math.abs(before[index] ?? 0) < 50 || Math.sign(sample) === Math.sign(before[index] ?? 0))).toBe(true);
    expect(Math.max(...loud)).toBeLessThanOrEqual(32_767);
    expect(Math.max(...loud)).toBeGreaterThan(29_000);
  });

  it("keeps two channels with the same sound as one, and says so", async () => {
    const sound = tone(-20, 1);
    const { result, outputs } = await split(interleave(sound, sound), 2);
    expect(result.isDualMono).toBe(true);
    expect(outputs.map(({ length }) => length)).toEqual([RATE]);
  });

  it("keeps channels apart that differ in one place only", async () => {
    const [left, right] = [tone(-20, 1), tone(-20, 1)];
    right[RATE - 1] = 12_000;
    const { result } = await split(interleave(left, right), 2);
    expect(result).toMatchObject({ isDualMono: false, channels: { length: 2 } });
  });

  it("works across its blocks as within one", async () => {
    const seconds = 9;
    const { result, outputs } = await split(interleave(tone(-30, seconds), tone(-26, seconds)), 2);
    expect(result.channels.map(({ gainDb }) => Math.round(gainDb))).toEqual([10, 6]);
    const expected = tone(-20, seconds);
    const worst = (samples: Int16Array): number => samples.reduce((most, sample, index) => Math.max(most, Math.abs(sample - (expected[index] ?? 0))), 0);
    for (const samples of outputs) {
      expect(samples).toHaveLength(RATE * seconds);
      expect(worst(samples)).toBeLessThan(100);
    }
  });

  it("gives no channels for an empty file and drops a last frame that is not whole", async () => {
    expect((await split(new Int16Array(0), 2)).result.channels).toEqual([]);
    const cut = await split(interleave(tone(-20, 1), tone(-30, 1)), 2, 3);
    expect(cut.result.channels.map(({ sampleCount }) => sampleCount)).toEqual([RATE - 1, RATE - 1]);
    expect(cut.outputs.map(({ length }) => length)).toEqual([RATE - 1, RATE - 1]);
  });
});
