/** Decoding by ffmpeg and by the fallback: the same sound either way, and the same honesty about what can't be read. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Container } from "../../src/audio/container.js";
import { createRecordingDecoder, type DecodedRecording } from "../../src/audio/decoder.js";
import { isMissing } from "../support/requirements.js";
import { samplePath, shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

/** The clip with a chunk of notes before its data, as recorders write them. */
function withNotes(wav: Buffer, noteBytes: number): Buffer {
  const dataAt = wav.indexOf("data");
  const notes = Buffer.alloc(8 + noteBytes, 0x20);
  notes.write("LIST", 0, "latin1");
  notes.writeUInt32LE(noteBytes, 4);
  return Buffer.concat([wav.subarray(0, dataAt), notes, wav.subarray(dataAt)]);
}

function rms(path: string): number {
  const bytes = readFileSync(path);
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

describe.skipIf(isMissing("ffmpeg"))("the recording decoder", () => {
  let directory: TemporaryDirectory;
  let count = 0;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterEach(() => directory.remove());

  const decode = (prefer: "auto" | "fallback", content: Buffer, container: Container, maxDurationMs = 600_000): Promise<DecodedRecording> => {
    const workDirectory = join(directory.path, `work ${count++}: odd name`);
    mkdirSync(workDirectory);
    const path = join(workDirectory, "recording");
    writeFileSync(path, content);
    return createRecordingDecoder({ timeoutMs: 60_000, maxDurationMs, prefer }).decode({
      path,
      container,
      workDirectory,
      signal: new AbortController().signal,
    });
  };

  it("gives the same length and loudness by either way", async () => {
    const wav = shortClip("child-labour", 6);
    const [system, fallback] = await Promise.all([decode("auto", wav, "wav"), decode("fallback", wav, "wav")]);
    expect([system.durationMs, system.sourceSampleRateHz]).toEqual([6_000, 8_000]);
    expect(Math.abs(fallback.durationMs - system.durationMs)).toBeLessThanOrEqual(20);
    for (const [index, channel] of system.channels.entries()) {
      const other = fallback.channels[index];
      expect(other?.channel).toBe(channel.channel);
      expect(Math.abs(20 * Math.log10(rms(channel.path) / rms(other?.path ?? "")))).toBeLessThan(0.5);
    }
  });

  it("reads FLAC by either way", async () => {
    const flac = readFileSync(samplePath("silent-prank", "call-16k.flac"));
    const [system, fallback] = await Promise.all([decode("auto", flac, "flac"), decode("fallback", flac, "flac")]);
    expect(Math.abs(fallback.durationMs - system.durationMs)).toBeLessThanOrEqual(20);
  });

  it.each(["auto", "fallback"] as const)("finds the data behind any length of notes (%s)", async (prefer) => {
    expect((await decode(prefer, withNotes(shortClip("child-labour", 2), 100_000), "wav")).durationMs).toBe(2_000);
  });

  it.each(["auto", "fallback"] as const)("refuses what is longer than allowed (%s)", async (prefer) => {
    const code = prefer === "auto" ? "AUDIO_TOO_LARGE" : "AUDIO_DECODER_MISSING";
    await expect(decode(prefer, shortClip("child-labour", 5), "wav", 2_000)).rejects.toMatchObject({ code });
    await expect(decode(prefer, readFileSync(samplePath("silent-prank", "call-16k.flac")), "flac", 2_000)).rejects.toMatchObject({ code });
  });

  it("says in the fallback which sample rates it can't read", async () => {
    const wav = shortClip("child-labour", 1);
    wav.writeUInt32LE(1, 24);
    await expect(decode("fallback", wav, "wav", 86_400_000)).rejects.toMatchObject({ code: expect.stringMatching(/^AUDIO_/) });
  });

  it("takes two channels of the same sound for one", async () => {
    const wav = shortClip("child-labour", 2);
    const dataAt = wav.indexOf("data") + 8;
    for (let index = dataAt; index + 1 < wav.length; index += 2) wav[index + 1] = wav[index] ?? 0;
    const { channels, warnings } = await decode("auto", wav, "wav");
    expect(channels.map(({ channel }) => channel)).toEqual(["mixed"]);
    expect(warnings.join()).toContain("same sound");
  });
});
