/**
 * Who spoke how much, who cut in and how long answers took, from speech times alone; words play no part. Two people on
 * one channel can't be told apart: what needs two channels is null then. Pure.
 */
import type { ConversationMetrics } from "../core/analysis-result.js";
import type { Channel } from "../core/transcript.js";

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export interface ChannelSpeech {
  readonly channel: Channel;
  /** Sorted, half-open, integer milliseconds. */
  readonly utterances: readonly Span[];
}

/** Speech that begins while the other still speaks for this long is an interruption; less is turn-taking. */
const INTERRUPTION_OVERLAP_MS = 300;

/** `durationMs` is that of the recording: silence at its end counts. */
export function measureConversation(channels: readonly ChannelSpeech[], durationMs: number): ConversationMetrics {
  const talkMs: Partial<Record<Channel, number>> = {};
  for (const { channel, utterances } of channels) talkMs[channel] = totalMs(utterances);
  const silences = silentSpans(channels, durationMs);
  return {
    talkMs,
    silenceMs: totalMs(silences),
    longestSilenceMs: silences.reduce((longest, { startMs, endMs }) => Math.max(longest, endMs - startMs), 0),
    ...betweenTwo(channels),
  };
}

type BetweenTwo = Pick<ConversationMetrics, "overlaps" | "overlapMs" | "interruptions" | "interruptionsBy" | "responseDelayMs">;

function betweenTwo(channels: readonly ChannelSpeech[]): BetweenTwo {
  const [one, other] = channels;
  if (one === undefined || other === undefined) return { overlaps: null, overlapMs: null, interruptions: null, interruptionsBy: {}, responseDelayMs: {} };
  const shared = overlapSpans(one.utterances, other.utterances);
  const interruptionsBy = { [one.channel]: countInterruptions(one, other), [other.channel]: countInterruptions(other, one) };
  return {
    overlaps: shared.length,
    overlapMs: totalMs(shared),
    interruptions: Object.values(interruptionsBy).reduce((sum, count) => sum + count, 0),
    interruptionsBy,
    responseDelayMs: { [one.channel]: medianDelay(one, other), [other.channel]: medianDelay(other, one) },
  };
}

/** How often `speaker` began while `other` was speaking and went on. */
function countInterruptions(speaker: ChannelSpeech, other: ChannelSpeech): number {
  return speaker.utterances.filter(({ startMs }) => other.utterances.some((turn) => turn.startMs < startMs && turn.endMs - startMs >= INTERRUPTION_OVERLAP_MS))
    .length;
}

/**
 * Median time from the end of the other's speech to the beginning of `speaker`'s next, where the other was the last to
 * speak and nobody spoke between; null when that never happened.
 */
function medianDelay(speaker: ChannelSpeech, other: ChannelSpeech): number | null {
  const delays = speaker.utterances.flatMap(({ startMs }) => {
    const ownEndMs = latestEndBefore(speaker.utterances, startMs);
    const otherEndMs = latestEndBefore(other.utterances, startMs);
    const isAnswer = otherEndMs !== null && (ownEndMs === null || otherEndMs > ownEndMs) && !isSpeaking(other.utterances, startMs);
    return isAnswer ? [startMs - otherEndMs] : [];
  });
  const sorted = delays.sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : Math.round((low + high) / 2);
}

function latestEndBefore(utterances: readonly Span[], atMs: number): number | null {
  return utterances.reduce<number | null>((latest, { endMs }) => (endMs <= atMs ? Math.max(latest ?? endMs, endMs) : latest), null);
}

function isSpeaking(utterances: readonly Span[], atMs: number): boolean {
  return utterances.some(({ startMs, endMs }) => startMs < atMs && endMs > atMs);
}

function overlapSpans(one: readonly Span[], other: readonly Span[]): readonly Span[] {
  return one.flatMap((turn) =>
    other.flatMap((against) => {
      const startMs = Math.max(turn.startMs, against.startMs);
      const endMs = Math.min(turn.endMs, against.endMs);
      return startMs < endMs ? [{ startMs, endMs }] : [];
    }),
  );
}

/** Stretches in which nobody speaks, before the first word and after the last as well. */
function silentSpans(channels: readonly ChannelSpeech[], durationMs: number): readonly Span[] {
  const spans = channels.flatMap(({ utterances }) => utterances).sort((a, b) => a.startMs - b.startMs);
  const silences: Span[] = [];
  let heardUntilMs = 0;
  for (const { startMs, endMs } of spans) {
    if (startMs > heardUntilMs) silences.push({ startMs: heardUntilMs, endMs: startMs });
    heardUntilMs = Math.max(heardUntilMs, endMs);
  }
  if (durationMs > heardUntilMs) silences.push({ startMs: heardUntilMs, endMs: durationMs });
  return silences;
}

function totalMs(spans: readonly Span[]): number {
  return spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}
