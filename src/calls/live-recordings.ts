/**
 * Live calls, recorded: legs come in from the telephone exchange, are paired into calls, laid on one timeline and
 * stored encrypted while they last; at hang-up the call goes the way of every recording.
 *
 * A stream id ending in 1 is the caller's leg and in 2 the counsellor's of the same call; any other is a call of one
 * channel. What was received of a call is lost if the process dies before the call ends; see docs/operations.md.
 */
import { PassThrough } from "node:stream";
import { LegTimeline } from "../audio/leg-timeline.js";
import { createResampler, type Resampler } from "../audio/resampler.js";
import { streamingWavHeader } from "../audio/wav.js";
import type { CallLeg } from "../core/call.js";
import type { Clock, Timer } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { Authorized } from "../security/authorization.js";
import type { RecordingIntake, StagedRecording } from "./recording-intake.js";

/** One leg of a live call, as the door that receives it sees it. */
export interface LiveLeg {
  /** `Int16Array`, mono, in order of arrival. */
  write(samples: Int16Array, sampleRateHz: number): void;
  end(): void;
}

export interface LiveRecordings {
  openLeg(streamId: string): LiveLeg;
  /** Ends every call and waits until all are stored. */
  close(): Promise<void>;
}

export interface LiveRecordingsOptions {
  readonly intake: RecordingIntake;
  readonly authorized: Authorized<"recording:create">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a call with no leg left waits for one to come back. */
  readonly lingerMs: number;
  readonly language: string;
  readonly speechEngine: string;
}

/** Takes legs at once; nothing is stored before the first sample. */
export function createLiveRecordings(options: LiveRecordingsOptions): LiveRecordings {
  const calls = new Map<string, LiveCallRecording>();
  const storing = new Set<Promise<void>>();
  const finish = (key: string, call: LiveCallRecording): void => {
    if (calls.get(key) === call) calls.delete(key);
    const stored = call.finish().catch(() => options.logger.error("A live call could not be stored"));
    storing.add(stored);
    void stored.finally(() => storing.delete(stored));
  };
  return {
    openLeg(streamId) {
      const { key, channel } = pairing(streamId);
      const call = calls.get(key) ?? new LiveCallRecording(options, { callId: streamId, isPaired: channel !== undefined, onDone: (done) => finish(key, done) });
      calls.set(key, call);
      return call.openLeg(streamId, channel === "agent" ? 1 : 0);
    },
    async close() {
      for (const [key, call] of [...calls]) finish(key, call);
      await Promise.all(storing);
    },
  };
}

function pairing(streamId: string): { readonly key: string; readonly channel?: "caller" | "agent" } {
  const last = streamId.at(-1);
  if (last !== "1" && last !== "2") return { key: streamId };
  return { key: streamId.slice(0, -1), channel: last === "1" ? "caller" : "agent" };
}

interface LiveCallIdentity {
  readonly callId: string;
  readonly isPaired: boolean;
  readonly onDone: (call: LiveCallRecording) => void;
}

class LiveCallRecording {
  readonly #options: LiveRecordingsOptions;
  readonly #identity: LiveCallIdentity;
  readonly #startedAtMs: number;
  /** Where the timeline begins; a clock that is set during a call must not tear it. */
  readonly #startedAtMonotonicMs: number;
  readonly #content = new PassThrough({ highWaterMark: 4 * 1024 * 1024 });
  readonly #legs: CallLeg[] = [];
  #openLegs = 0;
  #linger: Timer | undefined;
  #timeline: LegTimeline | undefined;
  #sampleRateHz = 0;
  #received: Promise<StagedRecording> | undefined;
  #isFinished = false;

  constructor(options: LiveRecordingsOptions, identity: LiveCallIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.#startedAtMs = options.clock.nowMs();
    this.#startedAtMonotonicMs = options.clock.monotonicMs();
  }

  openLeg(streamId: string, channel: number): LiveLeg {
    this.#linger?.cancel();
    this.#openLegs++;
    if (!this.#legs.some((leg) => leg.streamId === streamId)) {
      this.#legs.push({ streamId, channel: channel === 1 ? "agent" : "caller" });
    }
    const input = new LegInput((samples) => this.#write(channel, samples));
    let isOpen = true;
    return {
      write: (samples, sampleRateHz) => {
        this.#begin(sampleRateHz);
        input.write(samples, sampleRateHz, this.#sampleRateHz);
      },
      end: () => {
        if (!isOpen) return;
        isOpen = false;
        input.close();
        this.#timeline?.end(channel);
        this.#openLegs--;
        if (this.#openLegs === 0 && !this.#isFinished) {
          this.#linger = this.#options.clock.schedule(this.#options.lingerMs, () => this.#identity.onDone(this));
        }
      },
    };
  }

  /** Stores the call and queues its analysis. A call in which nothing was received leaves nothing. */
  async finish(): Promise<void> {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#linger?.cancel();
    if (this.#timeline === undefined || this.#received === undefined) return;
    this.#push(this.#timeline.takeRest());
    this.#content.end();
    const staged = await this.#received;
    const { authorized, intake, language, speechEngine, clock } = this.#options;
    const live = { legs: this.#legs, startedAtMs: this.#startedAtMs, endedAtMs: clock.nowMs() };
    const settings = { language, includeTranslation: true, speechEngine, live };
    await intake.commit(authorized, staged, { ...settings, callId: this.#identity.callId }, { keepOnConflict: true }).catch((error: unknown) => {
      // The exchange used an id again: it is another call all the same, under an id of ours.
      if (error instanceof AppError && error.code === "CALL_ID_CONFLICT") return intake.commit(authorized, staged, settings);
      throw error;
    });
  }

  /** The first audio decides the recording's rate. */
  #begin(sampleRateHz: number): void {
    if (this.#timeline !== undefined || this.#isFinished) return;
    this.#sampleRateHz = sampleRateHz;
    const channelCount = this.#identity.isPaired ? 2 : 1;
    this.#timeline = new LegTimeline({ channelCount, sampleRateHz });
    this.#content.write(streamingWavHeader({ channelCount, sampleRateHz }));
    this.#received = this.#options.intake.receive(this.#options.authorized, this.#content);
    // Awaited at the end; a failure before then must not end the process.
    this.#received.catch(() => {});
  }

  #write(channel: number, samples: Int16Array): void {
    if (this.#timeline === undefined || this.#isFinished) return;
    this.#timeline.write(channel, samples, this.#options.clock.monotonicMs() - this.#startedAtMonotonicMs);
    this.#push(this.#timeline.takeSettled());
  }

  #push(frames: Int16Array): void {
    if (frames.length > 0) this.#content.write(Buffer.from(frames.buffer, frames.byteOffset, frames.byteLength));
  }
}

/** A leg's samples at the recording's rate, in order, although making a resampler takes a moment. */
class LegInput {
  readonly #onSamples: (samples: Int16Array) => void;
  #resampler: { readonly rateHz: number; readonly ready: Promise<Resampler> } | undefined;
  #order: Promise<void> = Promise.resolve();

  constructor(onSamples: (samples: Int16Array) => void) {
    this.#onSamples = onSamples;
  }

  write(samples: Int16Array, fromHz: number, toHz: number): void {
    if (fromHz === toHz) {
      this.#onSamples(samples);
      return;
    }
    if (this.#resampler?.rateHz !== fromHz) this.#resampler = { rateHz: fromHz, ready: createResampler(1, fromHz, toHz) };
    const { ready } = this.#resampler;
    this.#order = this.#order.then(async () => this.#onSamples((await ready).process(samples)));
  }

  close(): void {
    const resampler = this.#resampler;
    if (resampler !== undefined) void this.#order.then(async () => (await resampler.ready).close());
  }
}
