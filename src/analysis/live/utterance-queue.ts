/**
 * The utterances of one channel on their way to text, in order: which is due for a final or an interim look, and what
 * an answer settles. Speech that goes on is settled every five seconds up to a quiet place; the rest of it stays open
 * and only that rest is decoded again. Pure; times are audio time of the channel, in milliseconds.
 */
import type { Segmenter, SpeechSpan } from "../../audio/segmenter.js";

/** Speech that goes on is settled when this much of it is not. */
const MAX_UNSETTLED_MS = 5_000;
/** Of a part that is settled in the middle of speech, the cut lies in what comes after this share. */
const CUT_AFTER_SHARE = 0.6;
/** New audio after which speech in progress is looked at again; the first words are wanted sooner. */
const INTERIM_EVERY_MS = 1_000;
const FIRST_INTERIM_MS = 600;
/** A pause in which speech is looked at, in the hope that it has ended: the answer is then the final one already. */
const HOPEFUL_PAUSE_MS = 150;
/** Sound after the end of speech that a recognizer gets with it. */
const TAIL_MS = 160;

/** One segment to be. */
export interface OpenSegment {
  readonly segmentId: string;
  startMs: number;
  /** Null while somebody speaks. */
  endMs: number | null;
  /** Monotonic, when it could first be settled. */
  dueSinceMs: number;
  /** Last interim text, for agreement. */
  interimText: string;
  /** End of what the last interim look covered. */
  lookedAtMs: number;
  /** The last speech the last look covered, once that pause was looked at. */
  lookedSpeechEndMs: number;
}

/** A part of an open segment to recognize. */
export interface DueWindow {
  readonly kind: "final" | "interim";
  readonly segment: OpenSegment;
  readonly startMs: number;
  /** Of an interim look: the end of speech so far. */
  readonly endMs: number;
  /** Sound goes with it up to here: a pause after a word helps to hear it. */
  readonly audioEndMs: number;
}

export interface UtteranceQueueOptions {
  readonly segmenter: Segmenter;
  readonly nextSegmentId: () => string;
  readonly nowMs: () => number;
  /** Speech that was none after all (a click): an interim of it must be taken back. */
  readonly onDropped: (segment: OpenSegment) => void;
}

export class UtteranceQueue {
  readonly #options: UtteranceQueueOptions;
  readonly #segments: OpenSegment[] = [];
  #final: DueWindow | undefined;
  #interim: DueWindow | undefined;
  #settledUntilMs = 0;

  constructor(options: UtteranceQueueOptions) {
    this.#options = options;
  }

  /** A frame was scored. */
  push(speechScore: number): void {
    const { segmenter } = this.#options;
    this.#follow(segmenter.push(speechScore));
  }

  /** The audio ends or pauses here: what is open is over. */
  flush(): void {
    this.#follow(this.#options.segmenter.flush());
  }

  /** What could be recognized now, and since when. */
  due(): { readonly kind: "final" | "interim"; readonly dueSinceMs: number } | undefined {
    const [head] = this.#segments;
    if (head !== undefined && this.#final === undefined && this.#isFinalDue(head)) return { kind: "final", dueSinceMs: head.dueSinceMs };
    const last = this.#segments.at(-1);
    if (last === undefined || last.endMs !== null || this.#interim !== undefined || this.#final?.segment === last) return undefined;
    const overdueMs = this.#interimOverdueMs(last);
    return overdueMs < 0 ? undefined : { kind: "interim", dueSinceMs: this.#options.nowMs() - overdueMs };
  }

  /** The window for what `due` told; it counts as being worked on until `settled`. */
  take(kind: "final" | "interim"): DueWindow | undefined {
    const segment = kind === "final" ? this.#segments[0] : this.#segments.at(-1);
    if (segment === undefined) return undefined;
    const { segmenter } = this.#options;
    const nowMs = segmenter.frameEndMs;
    if (kind === "interim") {
      const speechEndMs = segmenter.lastSpeechEndMs ?? nowMs;
      segment.lookedAtMs = nowMs;
      segment.lookedSpeechEndMs = speechEndMs;
      this.#interim = { kind, segment, startMs: segment.startMs, endMs: speechEndMs, audioEndMs: Math.min(nowMs, speechEndMs + TAIL_MS) };
      return this.#interim;
    }
    const endMs = segment.endMs ?? segmenter.quietestMs(segment.startMs + (nowMs - segment.startMs) * CUT_AFTER_SHARE, nowMs);
    const audioEndMs = segment.endMs === null ? endMs : Math.min(nowMs, endMs + TAIL_MS);
    this.#final = { kind, segment, startMs: segment.startMs, endMs, audioEndMs };
    return this.#final;
  }

  /** The window was answered, or given up. */
  release(window: DueWindow): void {
    if (this.#final === window) this.#final = undefined;
    if (this.#interim === window) this.#interim = undefined;
  }

  /** True when an interim's answer is that of a whole segment which has ended meanwhile. */
  isWhole({ segment, startMs, endMs }: DueWindow): boolean {
    return this.#segments[0] === segment && segment.startMs === startMs && segment.endMs === endMs && this.#final?.segment !== segment;
  }

  /** True while the window's segment waits to be settled. */
  isOpen({ segment, startMs }: DueWindow): boolean {
    return this.#segments.includes(segment) && segment.startMs === startMs;
  }

  /**
   * Everything up to `untilMs` is settled. What is left of a segment in which somebody speaks on goes on under a new id.
   */
  settle({ segment }: DueWindow, untilMs: number): void {
    const index = this.#segments.indexOf(segment);
    if (index === -1) return;
    this.#settledUntilMs = untilMs;
    const isOver = segment.endMs !== null && untilMs >= segment.endMs;
    if (isOver) this.#segments.splice(index, 1);
    else this.#segments[index] = { ...newSegment(this.#options.nextSegmentId(), untilMs, this.#options.nowMs()), endMs: segment.endMs };
  }

  /** Nothing is waiting for text. */
  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  /** An interim look at the very end of this segment is on its way: it may be the final text. */
  isAnswerComing(segment: OpenSegment): boolean {
    return this.#interim !== undefined && this.#interim.segment === segment && this.isWhole(this.#interim);
  }

  /** Start of the earliest audio that is still needed. */
  get neededFromMs(): number {
    return this.#segments[0]?.startMs ?? this.#options.segmenter.openSinceMs ?? this.#options.segmenter.frameEndMs;
  }

  /** Milliseconds of speech that wait for text. */
  get pendingMs(): number {
    const untilMs = this.#options.segmenter.lastSpeechEndMs ?? this.#options.segmenter.frameEndMs;
    return this.#segments.reduce((sum, { startMs, endMs }) => sum + Math.max(0, (endMs ?? untilMs) - startMs), 0);
  }

  /** Since when the oldest final waits; undefined when none does. */
  get finalDueSinceMs(): number | undefined {
    const [head] = this.#segments;
    return head !== undefined && (head.endMs !== null || this.#isFinalDue(head)) ? head.dueSinceMs : undefined;
  }

  #isFinalDue(head: OpenSegment): boolean {
    if (head.endMs !== null) return !this.isAnswerComing(head);
    return this.#options.segmenter.frameEndMs - head.startMs >= MAX_UNSETTLED_MS;
  }

  /** For how long somebody could have looked; below 0 when there is nothing new to see. */
  #interimOverdueMs(segment: OpenSegment): number {
    const { frameEndMs, lastSpeechEndMs } = this.#options.segmenter;
    const speechEndMs = lastSpeechEndMs ?? frameEndMs;
    const pauseMs = frameEndMs - speechEndMs;
    if (pauseMs >= HOPEFUL_PAUSE_MS) return segment.lookedSpeechEndMs === speechEndMs ? -1 : pauseMs - HOPEFUL_PAUSE_MS;
    const isFirst = segment.lookedAtMs <= segment.startMs;
    return frameEndMs - Math.max(segment.lookedAtMs, segment.startMs) - (isFirst ? FIRST_INTERIM_MS : INTERIM_EVERY_MS);
  }

  #follow(closed: SpeechSpan | undefined): void {
    const { segmenter, onDropped } = this.#options;
    const last = this.#segments.at(-1);
    const open = last?.endMs === null ? last : undefined;
    if (closed !== undefined && open !== undefined) this.#close(open, closed.endMs);
    else if (closed !== undefined) this.#open(closed.startMs, closed.endMs);
    else if (open !== undefined && segmenter.openSinceMs === null) {
      this.#segments.pop();
      onDropped(open);
    }
    const isFollowed = this.#segments.at(-1)?.endMs === null;
    if (segmenter.openSinceMs !== null && !isFollowed) this.#open(segmenter.openSinceMs, null);
    const head = this.#segments.at(-1);
    if (head?.endMs === null && segmenter.frameEndMs - head.startMs < MAX_UNSETTLED_MS) head.dueSinceMs = this.#options.nowMs();
  }

  /** An utterance that was cut for its length may begin in what is settled already. */
  #open(fromMs: number, endMs: number | null): void {
    const startMs = Math.max(fromMs, this.#settledUntilMs);
    if (endMs === null || endMs > startMs) this.#segments.push({ ...newSegment(this.#options.nextSegmentId(), startMs, this.#options.nowMs()), endMs });
  }

  #close(segment: OpenSegment, endMs: number): void {
    segment.endMs = Math.max(segment.startMs, endMs);
    segment.dueSinceMs = this.#options.nowMs();
    // Settled up to its end already, but for silence.
    if (segment.endMs === segment.startMs && this.#final?.segment !== segment) this.#segments.splice(this.#segments.indexOf(segment), 1);
  }
}

function newSegment(segmentId: string, startMs: number, nowMs: number): OpenSegment {
  return { segmentId, startMs, endMs: null, dueSinceMs: nowMs, interimText: "", lookedAtMs: startMs, lookedSpeechEndMs: startMs };
}
