/** Who spoke how much and who cut in, from speech times alone; words play no part. Pure. */
import type { ConversationMetrics } from "../core/analysis-result.js";
import type { Channel } from "../core/transcript.js";

export interface ChannelSpeech {
  readonly channel: Channel;
  /** Sorted, half-open, integer milliseconds. */
  readonly utterances: readonly { readonly startMs: number; readonly endMs: number }[];
}

/** Speech that begins while the other still speaks for this long is an interruption; less is turn-taking. */
const INTERRUPTION_OVERLAP_MS = 300;

export function measureConversation(channels: readonly ChannelSpeech[], durationMs: number): ConversationMetrics {
  const talkMs: Partial<Record<Channel, number>> = {};
  for (const { channel, utterances } of channels) {
    talkMs[channel] = utterances.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  }
  return { talkMs, interruptions: countInterruptions(channels), longestSilenceMs: longestSilence(channels, durationMs) };
}

function countInterruptions(channels: readonly ChannelSpeech[]): number {
  let count = 0;
  for (const one of channels) {
    for (const other of channels) {
      if (one === other) continue;
      for (const { startMs } of one.utterances) {
        if (other.utterances.some((turn) => turn.startMs < startMs && turn.endMs - startMs >= INTERRUPTION_OVERLAP_MS)) count++;
      }
    }
  }
  return count;
}

function longestSilence(channels: readonly ChannelSpeech[], durationMs: number): number {
  const spans = channels.flatMap(({ utterances }) => utterances).sort((a, b) => a.startMs - b.startMs);
  let longestMs = 0;
  let heardUntilMs = 0;
  for (const { startMs, endMs } of spans) {
    longestMs = Math.max(longestMs, startMs - heardUntilMs);
    heardUntilMs = Math.max(heardUntilMs, endMs);
  }
  return Math.max(longestMs, durationMs - heardUntilMs);
}
