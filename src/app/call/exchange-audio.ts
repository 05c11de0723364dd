/** A WAV file as an exchange would send it: one leg a channel, at the file's own rate. */
import { open } from "node:fs/promises";
import { toS16 } from "../../audio/wav.js";
import { readWavHeader } from "../../audio/wav-file.js";
import { AppError } from "../../core/errors.js";

export interface ExchangeAudio {
  readonly sampleRateHz: number;
  /** One entry a channel: `Int16Array`, mono. */
  readonly channels: readonly Int16Array[];
}

const MAX_BYTES = 512 * 1024 * 1024;

/** @throws AppError `AUDIO_FILE_NOT_FOUND`, `AUDIO_UNSUPPORTED_FORMAT`, `AUDIO_CORRUPT`, `AUDIO_TOO_LARGE` */
export async function readExchangeAudio(path: string): Promise<ExchangeAudio> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new AppError("AUDIO_FILE_NOT_FOUND", "There is no such file; check the path.", { cause });
  });
  try {
    const { size } = await file.stat();
    if (size > MAX_BYTES) throw new AppError("AUDIO_TOO_LARGE", "The file is larger than 512 MB; play a part of it.");
    const header = await readWavHeader(file).catch((cause: unknown) => {
      throw new AppError("AUDIO_UNSUPPORTED_FORMAT", "Only WAV files can be played into a call; make one with: ffmpeg -i FILE -ar 8000 call.wav", { cause });
    });
    const bytes = Buffer.alloc(Math.min(header.declaredDataBytes, size - header.dataOffset));
    await file.read(bytes, 0, bytes.length, header.dataOffset);
    const samples = toS16(bytes, header);
    const { channelCount, sampleRateHz } = header;
    const frames = Math.floor(samples.length / channelCount);
    const channels = Array.from({ length: channelCount }, (_, channel) =>
      Int16Array.from({ length: frames }, (_sample, frame) => samples[frame * channelCount + channel] ?? 0),
    );
    return { sampleRateHz, channels };
  } finally {
    await file.close();
  }
}
