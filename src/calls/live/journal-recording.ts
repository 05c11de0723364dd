/**
 * A call's journal as a recording: where each channel was received, and all channels on one timeline as a WAV stream.
 * The same for a call that ended and for one whose process died.
 */
import { Readable } from "node:stream";
import { createResampler, type Resampler } from "../../audio/resampler.js";
import { streamingWavHeader } from "../../audio/wav.js";
import type { ChannelCoverage } from "../../core/live-call.js";
import type { Channel } from "../../core/transcript.js";
import type { JournalAudio, LiveJournal } from "../../storage/live-journal.js";

export interface JournalSummary {
  /** Highest rate received, 48 kHz at most. */
  readonly sampleRateHz: number;
  readonly durationMs: number;
  readonly coverage: readonly ChannelCoverage[];
}

/** Breaks shorter than this are rounding, not a gap. */
const SAME_SPAN_MS = 1;
const BLOCK_MS = 1_000;
/** Of a recording: what the decoder takes. */
const MAX_SAMPLE_RATE_HZ = 48_000;

/** @returns undefined when nothing was received. */
export async function summarizeJournal(
  journal: LiveJournal,
  call: { readonly callId: string; readonly key: Buffer; readonly channels: readonly Channel[] },
): Promise<JournalSummary | undefined> {
  const tracks = call.channels.map(() => ({ receivedMs: 0, pausedMs: 0, gapMs: 0, endMs: -1, spans: [] as { startMs: number; endMs: number }[] }));
  let sampleRateHz = 0;
  for await (const { channel, sampleRateHz: rate, startMs, sampleCount, samples } of journal.read(call.callId, call.key)) {
    const track = tracks[channel];
    if (track === undefined) continue;
    const lengthMs = (sampleCount * 1000) / rate;
    sampleRateHz = Math.max(sampleRateHz, Math.min(rate, MAX_SAMPLE_RATE_HZ));
    if (track.endMs >= 0 && startMs - track.endMs > SAME_SPAN_MS) track.gapMs += startMs - track.endMs;
    track.endMs = startMs + lengthMs;
    track.receivedMs += lengthMs;
    if (samples === null) track.pausedMs += lengthMs;
    else extend(track.spans, startMs, track.endMs);
  }
  if (sampleRateHz === 0) return undefined;
  const coverage = call.channels.map((channel, index) => toCoverage(channel, tracks[index]));
  return { sampleRateHz, durationMs: Math.round(Math.max(...tracks.map(({ endMs }) => endMs), 0)), coverage };
}

interface Track {
  readonly receivedMs: number;
  readonly pausedMs: number;
  readonly gapMs: number;
  readonly spans: readonly { readonly startMs: number; readonly endMs: number }[];
}

function toCoverage(channel: Channel, track: Track | undefined): ChannelCoverage {
  const { receivedMs = 0, pausedMs = 0, gapMs = 0, spans = [] } = track ?? {};
  return {
    channel,
    // As the ledger of the live call rounds them.
    receivedMs: Math.floor(receivedMs + 1e-6),
    pausedMs: Math.round(pausedMs),
    gapMs: Math.round(gapMs),
    spans: spans.map(({ startMs, endMs }) => ({ startMs: Math.round(startMs), endMs: Math.round(endMs) })),
  };
}

function extend(spans: { startMs: number; endMs: number }[], startMs: number, endMs: number): void {
  const last = spans.at(-1);
  if (last !== undefined && startMs - last.endMs <= SAME_SPAN_MS) last.endMs = endMs;
  else spans.push({ startMs, endMs });
}

/** The recording: silence stands where nothing was received or the call was paused. */
export function journalRecording(
  journal: LiveJournal,
  call: { readonly callId: string; readonly key: Buffer; readonly channelCount: number },
  summary: JournalSummary,
): Readable {
  return Readable.from(interleaved(journal, call, summary), { objectMode: false, highWaterMark: 1024 * 1024 });
}

async function* interleaved(
  journal: LiveJournal,
  { callId, key, channelCount }: { readonly callId: string; readonly key: Buffer; readonly channelCount: number },
  { sampleRateHz, durationMs }: JournalSummary,
): AsyncGenerator<Buffer> {
  yield streamingWavHeader({ channelCount, sampleRateHz });
  // One reading a channel: legs that arrived at different speeds then need not wait for each other in memory.
  const tracks = Array.from({ length: channelCount }, (_, channel) => channelBlocks(journal.read(callId, key), { channel, sampleRateHz, durationMs }));
  for (;;) {
    const blocks = await Promise.all(tracks.map((track) => track.next()));
    const frames = Math.max(0, ...blocks.map((block) => (block.done === true ? 0 : block.value.length)));
    if (frames === 0) return;
    const samples = new Int16Array(frames * channelCount);
    for (const [channel, block] of blocks.entries()) {
      if (block.done === true) continue;
      for (let index = 0; index < block.value.length; index++) samples[index * channelCount + channel] = block.value[index] ?? 0;
    }
    yield Buffer.from(samples.buffer);
  }
}

/** A channel in blocks of one second, gaps filled with silence, until the end of the call. */
async function* channelBlocks(
  records: AsyncGenerator<JournalAudio>,
  { channel, sampleRateHz, durationMs }: { readonly channel: number; readonly sampleRateHz: number; readonly durationMs: number },
): AsyncGenerator<Int16Array> {
  const total = Math.round((durationMs * sampleRateHz) / 1000);
  const blockSamples = (BLOCK_MS * sampleRateHz) / 1000;
  let block = new Int16Array(Math.min(blockSamples, total));
  let blockStart = 0;
  let position = 0;
  const resamplers = new Map<number, Resampler>();
  try {
    for await (const record of records) {
      if (record.channel !== channel || record.samples === null) continue;
      const samples = await toRate(record, sampleRateHz, resamplers);
      // Later than what is written already, whatever rounding or a resampler's delay says.
      position = Math.max(position, Math.round((record.startMs * sampleRateHz) / 1000));
      for (let offset = 0; offset < samples.length && position < total; ) {
        while (position >= blockStart + block.length) {
          yield block;
          blockStart += block.length;
          block = new Int16Array(Math.min(blockSamples, total - blockStart));
        }
        const count = Math.min(samples.length - offset, blockStart + block.length - position);
        block.set(samples.subarray(offset, offset + count), position - blockStart);
        position += count;
        offset += count;
      }
    }
    while (blockStart < total) {
      yield block;
      blockStart += block.length;
      block = new Int16Array(Math.min(blockSamples, total - blockStart));
    }
  } finally {
    for (const resampler of resamplers.values()) resampler.close();
  }
}

async function toRate({ samples, sampleRateHz }: JournalAudio, toHz: number, resamplers: Map<number, Resampler>): Promise<Int16Array> {
  if (samples === null) return new Int16Array();
  if (sampleRateHz === toHz) return samples;
  const resampler = resamplers.get(sampleRateHz) ?? (await createResampler(1, sampleRateHz, toHz));
  resamplers.set(sampleRateHz, resampler);
  return resampler.process(samples);
}
