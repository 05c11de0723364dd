/**
 * One channel of a live call: received audio becomes frames, frames become utterances, utterances become windows for a
 * recognizer, and answers become text on the call's timeline. It keeps the channel's ledger. It neither waits nor
 * blocks: whoever feeds it is never held up.
 */
import { ChannelTimeline, type ReceivedSpan } from "../../audio/live/channel-timeline.js";
import { Framer } from "../../audio/live/framer.js";
import { LevelTracker } from "../../audio/live/level-tracker.js";
import { SampleHistory } from "../../audio/live/sample-history.js";
import { DEFAULT_SEGMENTER_OPTIONS, Segmenter } from "../../audio/segmenter.js";
import { type LiveLedger, toLiveLedger } from "../../core/live-ledger.js";
import type { Channel, SuspectKind } from "../../core/transcript.js";
import {
  LIVE_FRAME_MS,
  type LiveSampleRateHz,
  type LiveVoiceActivity,
  liveFrameSamples,
  type VoiceActivityStream,
} from "../../inference/live-voice-activity.js";
import { type HeardLanguage, hearLanguage } from "./language-hysteresis.js";
import { stableLength } from "./local-agreement.js";
import type { LiveOutcome, RecognitionAnswer, RecognitionWindow } from "./recognition-window.js";
import { placeSegment, settledPart } from "./settled-part.js";
import { type DueWindow, type OpenSegment, UtteranceQueue } from "./utterance-queue.js";

export interface LiveChannelOptions {
  readonly channel: Channel;
  readonly voiceActivity: LiveVoiceActivity;
  /** Rate the recognizer is given; `push` takes samples at this rate. */
  readonly sampleRateHz: LiveSampleRateHz;
  /** Unique within the call. */
  readonly nextSegmentId: () => string;
  readonly nowMs: () => number;
  readonly suspectKind: (text: string) => SuspectKind | undefined;
  /** There may be something to recognize. */
  readonly onDue: () => void;
  readonly onOutcome: (outcome: LiveOutcome) => void;
}

/** Sound before a window, as far as nothing of it was settled already. */
const LEAD_MS = 200;
const LEVEL_BLOCK_MS = 100;
/** Speech that waits for longer than this is given up: the recording of the call has it. */
const MAX_BACKLOG_MS = 300_000;

interface Given {
  readonly window: RecognitionWindow;
  readonly due: DueWindow;
  readonly abort: AbortController;
}

export class LiveChannel {
  readonly timeline = new ChannelTimeline();
  readonly #options: LiveChannelOptions;
  readonly #history = new SampleHistory();
  readonly #levels = new LevelTracker();
  readonly #levelBlocks: Framer;
  readonly #framer: Framer;
  readonly #voice: VoiceActivityStream;
  readonly #segmenter = new Segmenter({ ...DEFAULT_SEGMENTER_OPTIONS, frameMs: LIVE_FRAME_MS });
  readonly #queue: UtteranceQueue;
  readonly #given = new Map<RecognitionWindow, Given>();
  #framesPushed = 0;
  #framesScored = 0;
  /** Utterances end after the frame with this number: the audio pauses there. */
  #flushAtFrame: number | undefined;
  #settledUntilMs = 0;
  /** Audio time of the last break. */
  #receivedUntilMs = 0;
  #speechMs = 0;
  #failedMs = 0;
  #language: HeardLanguage = {};

  constructor(options: LiveChannelOptions) {
    this.#options = options;
    this.#framer = new Framer(liveFrameSamples(options.sampleRateHz), (frame) => {
      this.#framesPushed++;
      this.#voice.push(frame);
    });
    this.#levelBlocks = new Framer((options.sampleRateHz * LEVEL_BLOCK_MS) / 1000, (block) => this.#levels.push(block));
    this.#queue = new UtteranceQueue({
      segmenter: this.#segmenter,
      nextSegmentId: options.nextSegmentId,
      nowMs: options.nowMs,
      onDropped: (segment) => this.#takeBack(segment),
    });
    this.#voice = options.voiceActivity.openStream(options.sampleRateHz, (score) => this.#hear(score));
  }

  get channel(): Channel {
    return this.#options.channel;
  }

  /** Counts audio that arrived and says where it lies; what is to be analysed of it follows by `push`. */
  receive(durationMs: number, arrivedAtMs: number, options: { readonly isPaused: boolean }): ReceivedSpan {
    return this.timeline.receive(durationMs, arrivedAtMs, options);
  }

  /** Samples to analyse, at `sampleRateHz`. */
  push(samples: Int16Array): void {
    this.#history.append(samples);
    this.#levelBlocks.push(samples);
    this.#framer.push(samples);
  }

  /** The audio pauses or ends here: what was being said is over. */
  flush(): void {
    const frameSamples = liveFrameSamples(this.#options.sampleRateHz);
    const padding = (this.#framesPushed + 1) * frameSamples - this.#history.end;
    this.#receivedUntilMs = this.timeline.audioMs;
    // A frame that is filled up with silence is a frame of history and timeline as well, or positions would drift apart.
    if (padding < frameSamples) {
      this.#history.append(new Int16Array(padding));
      this.timeline.pad((padding * 1000) / this.#options.sampleRateHz);
    }
    this.#framer.flush();
    this.#flushAtFrame = this.#framesPushed;
    this.#flushWhenScored();
  }

  /** What a recognizer could do for this channel now. */
  due(): ReturnType<UtteranceQueue["due"]> {
    return this.#queue.due();
  }

  /** The window for it; counts as being worked on until `settle`. */
  take(kind: "final" | "interim"): RecognitionWindow | undefined {
    const due = this.#queue.take(kind);
    if (due === undefined) return undefined;
    const abort = new AbortController();
    const leadMs = Math.min(LEAD_MS, Math.max(0, due.startMs - this.#settledUntilMs));
    const window = {
      kind,
      ...{ segmentId: due.segment.segmentId, startMs: due.startMs, endMs: due.endMs, leadMs },
      audio: this.#cut(due.startMs - leadMs, due.audioEndMs),
      signal: abort.signal,
    };
    this.#given.set(window, { window, due, abort });
    return window;
  }

  /** Takes a recognizer's answer. */
  settle(window: RecognitionWindow, answer: RecognitionAnswer): void {
    const given = this.#given.get(window);
    if (given === undefined) return;
    this.#given.delete(window);
    this.#queue.release(given.due);
    if (window.kind === "interim" && !this.#queue.isWhole(given.due)) this.#lookedAt(given, answer);
    else if (window.kind === "final" || answer.errorCode === undefined) this.#settleFinal(given, answer);
    this.#history.forgetBefore(this.#toPosition(this.#queue.neededFromMs - LEAD_MS));
    this.#options.onDue();
  }

  /** Nothing waits for text any more; only true for good after `flush`. */
  get isDrained(): boolean {
    return this.#framesScored === this.#framesPushed && this.#queue.isEmpty && this.#given.size === 0;
  }

  ledger(): LiveLedger {
    const { receivedMs, pausedMs, gapMs } = this.timeline;
    return toLiveLedger({ receivedMs, pausedMs, gapMs, speechMs: this.#speechMs, failedMs: this.#failedMs, pendingMs: this.#queue.pendingMs });
  }

  /** How long the oldest finished speech waits for its text. */
  lagMs(nowMs: number): number {
    const dueSinceMs = this.#queue.finalDueSinceMs;
    return dueSinceMs === undefined ? 0 : Math.max(0, Math.round(nowMs - dueSinceMs));
  }

  /** No frame comes any more. */
  close(): void {
    this.#voice.close();
  }

  /** Nobody waits for answers any more; speech without text counts as failed. */
  giveUp(): void {
    for (const { abort, due } of this.#given.values()) {
      abort.abort();
      this.#queue.release(due);
    }
    this.#given.clear();
    for (let due = this.#queue.take("final"); due !== undefined; due = this.#queue.take("final")) {
      this.#fail(due, due.endMs, "MODEL_DEADLINE_EXCEEDED");
      this.#queue.release(due);
    }
  }

  #hear(score: number): void {
    this.#framesScored++;
    this.#queue.push(score);
    this.#flushWhenScored();
    if (this.#queue.pendingMs > MAX_BACKLOG_MS) this.#giveUpOldest();
    if (this.#queue.isEmpty) this.#history.forgetBefore(this.#toPosition(this.#segmenter.frameEndMs - LEAD_MS));
    if (this.#queue.due() !== undefined) this.#options.onDue();
  }

  #flushWhenScored(): void {
    if (this.#flushAtFrame === undefined || this.#framesScored < this.#flushAtFrame) return;
    this.#flushAtFrame = undefined;
    this.#queue.flush();
    this.#options.onDue();
  }

  #lookedAt({ due, window }: Given, { heard, errorCode }: RecognitionAnswer): void {
    if (errorCode !== undefined || !this.#queue.isOpen(due)) return;
    const { segment } = due;
    const text = heard?.text ?? "";
    // An engine that knows what it listened to tells at once; otherwise two looks must agree.
    const stable = heard?.stableLength ?? stableLength(segment.interimText, text);
    if (text === "" && segment.interimText === "") return;
    segment.interimText = text;
    this.#options.onOutcome({ kind: "interim", segment: this.#place(window, due.endMs, heard, text), stableLength: stable });
  }

  #settleFinal({ due, window }: Given, answer: RecognitionAnswer): void {
    if (!this.#queue.isOpen(due)) return;
    const isSpeechGoingOn = due.segment.endMs === null || due.endMs < due.segment.endMs;
    if (answer.errorCode !== undefined || answer.heard === undefined) {
      this.#fail(due, due.endMs, answer.errorCode);
      return;
    }
    const part = settledPart(answer.heard, { windowMs: window.leadMs + due.endMs - due.startMs, isSpeechGoingOn });
    const untilMs = part.untilMs === null ? due.endMs : due.startMs + part.untilMs - window.leadMs;
    const words = part.text.split(/\s+/u).filter((word) => word !== "").length;
    const { state, tag } = hearLanguage(this.#language, answer.heard.language, words);
    this.#language = state;
    const suspect = this.#options.suspectKind(part.text);
    const heard = { ...answer.heard, words: part.words, language: tag };
    const segment = { ...this.#place(window, untilMs, heard, part.text), ...(suspect === undefined ? {} : { suspect }) };
    this.#speechMs += this.#advance(due, untilMs);
    this.#options.onOutcome({ kind: "final", segment, lowQuality: answer.lowQuality });
  }

  #fail(due: DueWindow, untilMs: number, errorCode: RecognitionAnswer["errorCode"]): void {
    const place = { startMs: Math.floor(this.timeline.toCallMs(due.startMs)), endMs: Math.ceil(this.timeline.toCallEndMs(untilMs)) };
    this.#failedMs += this.#advance(due, untilMs);
    this.#options.onOutcome({ kind: "failed", segmentId: due.segment.segmentId, ...place, ...(errorCode === undefined ? {} : { errorCode }) });
  }

  #advance(due: DueWindow, untilMs: number): number {
    this.#queue.settle(due, untilMs);
    this.#settledUntilMs = untilMs;
    // The last frame before a break is filled up with silence that was never received.
    const isAtBreak = due.startMs < this.#receivedUntilMs && untilMs > this.#receivedUntilMs;
    return Math.max(0, (isAtBreak ? this.#receivedUntilMs : untilMs) - due.startMs);
  }

  #takeBack(segment: OpenSegment): void {
    if (segment.interimText === "") return;
    const startMs = Math.floor(this.timeline.toCallMs(segment.startMs));
    this.#options.onOutcome({ kind: "failed", segmentId: segment.segmentId, startMs, endMs: startMs });
  }

  #giveUpOldest(): void {
    const due = this.#queue.take("final");
    if (due === undefined) return;
    for (const [window, given] of this.#given) {
      if (given.due.segment !== due.segment) continue;
      given.abort.abort();
      this.#given.delete(window);
      this.#queue.release(given.due);
    }
    this.#fail(due, due.endMs, "MODEL_OVERLOADED");
    this.#queue.release(due);
  }

  #place({ segmentId, startMs, leadMs }: RecognitionWindow, untilMs: number, heard: RecognitionAnswer["heard"], text: string) {
    const toCall = (ms: number): number => Math.round(this.timeline.toCallMs(startMs - leadMs + ms));
    const times = { startMs: Math.round(this.timeline.toCallMs(startMs)), endMs: Math.round(this.timeline.toCallEndMs(untilMs)) };
    return placeSegment({ segmentId, channel: this.channel, ...times, text, heard, toCall, language: this.#language.current });
  }

  #cut(startMs: number, endMs: number): RecognitionWindow["audio"] {
    const { sampleRateHz } = this.#options;
    const blocks = Math.floor(endMs / LEVEL_BLOCK_MS);
    const samples = this.#levels.normalize(this.#history.view(this.#toPosition(startMs), this.#toPosition(endMs)), blocks);
    return { samples, sampleRateHz, sampleCount: samples.length, sourceSampleRateHz: sampleRateHz };
  }

  #toPosition(audioMs: number): number {
    return Math.max(0, Math.round((audioMs * this.#options.sampleRateHz) / 1000));
  }
}
