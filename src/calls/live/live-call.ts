/**
 * One call that runs: takes its legs' audio, writes it ahead, has it heard and read, tells what happens, and at its end
 * hands everything over to be stored. Nothing here waits for a recognizer or a disk while audio comes in.
 */

import { Drain } from "../../analysis/live/drain.js";
import type { LiveChannel } from "../../analysis/live/live-channel.js";
import type { RecognizedCall } from "../../analysis/live/live-recognition.js";
import { isHeardAgain, isHeardLive } from "../../analysis/live/processing-mode.js";
import { SPEECH_BY_LOUDNESS } from "../../analysis/steps/detect-speech.js";
import type { CallLeg, ProcessingMode } from "../../core/call.js";
import type { NewCallEvent } from "../../core/call-event.js";
import type { Timer } from "../../core/clock.js";
import { newId } from "../../core/ids.js";
import type { CallDetails, CallEndReason, CallSessionState, LiveCallStatus } from "../../core/live-call.js";
import { sumLiveLedgers, unheardLedger } from "../../core/live-ledger.js";
import type { RiskKind } from "../../core/risk.js";
import type { Channel } from "../../core/transcript.js";
import type { JournalAudio } from "../../storage/live-journal.js";
import { type CallSessionSignal, nextState } from "./call-session.js";
import { ChannelInput, workingRateHz } from "./channel-input.js";
import { EarlyAudio, type ReceivedAudio } from "./early-audio.js";
import type { LiveCallParts, LiveLeg } from "./live-call-parts.js";
import { LiveHearing } from "./live-hearing.js";
import { LiveReading } from "./live-reading.js";
import { LiveTape } from "./live-tape.js";

interface LiveTrack {
  readonly channel: LiveChannel;
  readonly input: ChannelInput;
  readonly journalChannel: number;
  readonly leave: () => void;
}

const MEASURE_EVERY_MS = 10_000;
/** Of a leg that came back while its call was being stored; more is let go and counted as a gap. */
const MAX_HELD_PIECES = 3_000;

export interface LiveCallOptions {
  /** The stream id of the first leg. */
  readonly callId: string;
  readonly isPaired: boolean;
  readonly details: CallDetails;
  /** It has ended, or there was nothing in it: nobody needs it any more. */
  readonly onGone: (call: LiveCall) => void;
}

export class LiveCall {
  readonly #parts: LiveCallParts;
  readonly #options: LiveCallOptions;
  readonly #startedAtMs: number;
  /** Where the timeline begins; a clock that is set during a call must not tear it. */
  readonly #startedAtMonotonicMs: number;
  readonly #legs: CallLeg[] = [];
  readonly #tracks = new Map<Channel, LiveTrack>();
  readonly #hearing: LiveHearing;
  readonly #tape: LiveTape;
  readonly #reading: LiveReading;
  readonly #recognized: RecognizedCall;
  readonly #drain: Drain;
  #details: CallDetails;
  #isPaired: boolean;
  #taskId = newId();
  #state: CallSessionState = "ringing";
  #endReason: CallEndReason = "hangup";
  #openLegs = 0;
  #isDeaf = false;
  #held: ReceivedAudio[] = [];
  readonly #early = new EarlyAudio();
  /** Where this call's leg went when it turned out to be another call's. */
  #movedLeg: LiveLeg | undefined;
  #nextSegment = 1;
  #linger: Timer | undefined;
  #measure: Timer | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: LiveCallParts, options: LiveCallOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#details = options.details;
    this.#isPaired = options.isPaired;
    this.#startedAtMs = parts.clock.nowMs();
    this.#startedAtMonotonicMs = parts.clock.monotonicMs();
    this.#tape = new LiveTape(parts, options.callId);
    this.#drain = new Drain(parts.clock);
    this.#recognized = {
      callId: options.callId,
      language: () => this.#details.language ?? parts.language,
      hasRisk: () => this.riskKinds.length > 0,
      warn: (text) => this.#hearing.warn(text),
    };
    const told = { emit: (event: NewCallEvent) => this.#tell(event), taskId: () => this.#taskId };
    this.#reading = new LiveReading(parts, { ...told, segments: () => this.#hearing.segments });
    this.#hearing = new LiveHearing({
      ...told,
      onLook: (segment) => this.#reading.look(segment),
      onFinal: (segment) => this.#reading.read(segment),
    });
  }

  get callId(): string {
    return this.#tape.callId;
  }

  get state(): CallSessionState {
    return this.#state;
  }

  get riskKinds(): readonly RiskKind[] {
    return this.#reading.riskKinds;
  }

  /** What was told of the call, also after audio began. */
  describe(details: CallDetails, isPaired: boolean): void {
    this.#details = { ...this.#details, ...details };
    this.#isPaired ||= isPaired;
    if (this.#isPaired) this.#early.drop();
    this.#tape.describe(this.#details, this.#isPaired);
  }

  openLeg(streamId: string, channel: Channel): LiveLeg {
    this.#linger?.cancel();
    this.#openLegs++;
    if (this.#state === "ended") this.#return();
    if (!this.#legs.some((leg) => leg.streamId === streamId)) {
      const leg = { streamId, channel };
      this.#legs.push(leg);
      this.#tape.addLeg(leg);
    }
    let isOpen = true;
    const own: LiveLeg = {
      write: (samples, sampleRateHz) => this.#receive({ channel, samples, sampleRateHz, arrivedAtMs: this.#sinceStartMs() }),
      warn: (text) => this.#hearing.warn(text),
      press: (digit) => this.#press(channel, digit),
      end: (reason) => {
        if (!isOpen) return;
        isOpen = false;
        this.#legEnded(reason);
      },
    };
    const leg = (): LiveLeg => this.#movedLeg ?? own;
    return {
      write: (samples, sampleRateHz) => leg().write(samples, sampleRateHz),
      warn: (text) => leg().warn(text),
      press: (digit) => leg().press(digit),
      end: (reason) => leg().end(reason),
    };
  }

  /**
   * The only leg of this call is a leg of another one: what came of it so far goes there, and so does what comes. This
   * call was never one.
   *
   * @returns false when it is too late for that
   */
  moveInto(target: LiveCall, channel: Channel): boolean {
    const [leg] = this.#legs;
    const canMove = (this.#state === "active" || this.#state === "ringing") && this.#openLegs === 1 && leg !== undefined;
    const early = canMove ? this.#early.take() : undefined;
    if (early === undefined || leg === undefined) return false;
    const moved = target.openLeg(leg.streamId, channel);
    const laterMs = this.#startedAtMonotonicMs - target.#startedAtMonotonicMs;
    for (const piece of early) target.#receive({ ...piece, channel, arrivedAtMs: piece.arrivedAtMs + laterMs });
    this.#movedLeg = moved;
    this.#turn("fail");
    this.#release();
    void this.#tape.discard();
    return true;
  }

  /** @returns false when the call is in no state for it */
  pause(): boolean {
    if (this.#state === "paused" || !this.#turn("pause")) return this.#state === "paused";
    for (const { channel } of this.#tracks.values()) channel.flush();
    this.#tell({ type: "call.paused", payload: { taskId: this.#taskId, atMs: this.#durationMs() } });
    return true;
  }

  resume(): boolean {
    if (this.#state === "active" || !this.#turn("resume")) return this.#state === "active";
    this.#tell({ type: "call.resumed", payload: { taskId: this.#taskId, atMs: this.#durationMs() } });
    return true;
  }

  /** Nothing more is heard from now on; resolves when everything is stored. */
  end(reason: CallEndReason): Promise<void> {
    this.#linger?.cancel();
    if (reason === "requested") this.#isDeaf = true;
    if (this.#state === "ringing") {
      this.#turn("end");
      this.#options.onGone(this);
      return Promise.resolve();
    }
    if (!this.#turn("end")) return this.#ending ?? Promise.resolve();
    this.#endReason = reason;
    this.#ending = this.#finish().catch(() => {
      // The journal stays: the next start of the service stores the call from it.
      this.#turn("fail");
      this.#parts.logger.error("A live call could not be stored; the next start tries again from its journal");
      this.#release();
    });
    return this.#ending;
  }

  status(): LiveCallStatus {
    const nowMs = this.#parts.clock.monotonicMs();
    const isHeard = isHeardLive(this.#mode());
    const channels = [...this.#tracks.values()].map(({ channel }) => ({
      channel: channel.channel,
      ledger: isHeard ? channel.ledger() : unheardLedger(channel.ledger()),
    }));
    const { agentId } = this.#details;
    return {
      ...{ callId: this.callId, taskId: this.#taskId, state: this.#state, startedAtMs: this.#startedAtMs },
      durationMs: this.#durationMs(),
      mode: this.#mode(),
      ...(agentId === undefined ? {} : { agentId }),
      legs: [...this.#legs],
      languages: [...new Set(this.#hearing.segments.map(({ language }) => language))],
      lagMs: Math.max(0, ...[...this.#tracks.values()].map(({ channel }) => channel.lagMs(nowMs))),
      riskKinds: this.riskKinds,
      segmentCount: this.#hearing.segments.length,
      audio: { channels, ledger: sumLiveLedgers(channels.map(({ ledger }) => ledger)) },
      warnings: this.#hearing.warnings,
    };
  }

  #receive(audio: ReceivedAudio): void {
    if (this.#state === "ending" && !this.#isDeaf) {
      if (this.#held.length < MAX_HELD_PIECES) this.#held.push(audio);
      return;
    }
    if (audio.samples.length === 0 || this.#isDeaf || this.#state === "ended" || this.#state === "failed") return;
    if (this.#state === "ringing") this.#begin();
    this.#turn("audio");
    const { samples, sampleRateHz, arrivedAtMs } = audio;
    if (!this.#isPaired) this.#early.keep(audio);
    const track = this.#tracks.get(audio.channel) ?? this.#openTrack(audio.channel, sampleRateHz);
    const isPaused = this.#state === "paused";
    const lengthMs = (samples.length * 1000) / sampleRateHz;
    const { startMs } = track.channel.receive(lengthMs, arrivedAtMs, { isPaused });
    const written: JournalAudio = { channel: track.journalChannel, sampleRateHz, startMs, sampleCount: samples.length, samples: isPaused ? null : samples };
    this.#tape.write(written);
    if (!isPaused) track.input.write(samples, sampleRateHz);
    this.#parts.onReceived(lengthMs);
  }

  #begin(): void {
    const parts = this.#parts;
    this.#tape.begin({
      ...{ taskId: this.#taskId, startedAtMs: this.#startedAtMs, mode: this.#mode(), language: this.#details.language ?? parts.language },
      ...{ legs: [...this.#legs], details: this.#details, isPaired: this.#isPaired },
      onFailure: () => this.#hearing.warn("The audio of this call can't be written to disk; it is heard, but it would not survive a crash."),
    });
    if (parts.isSpeechByLoudness) this.#hearing.warn(SPEECH_BY_LOUDNESS);
    this.#tell({ type: "call.started", payload: { taskId: this.#taskId, source: "live", mode: this.#mode() } });
    this.#measureLater();
  }

  #openTrack(channel: Channel, sampleRateHz: number): LiveTrack {
    const parts = this.#parts;
    const isHeard = isHeardLive(this.#mode());
    const rate = workingRateHz(sampleRateHz);
    const member = parts.recognition.join(this.#recognized, () => live);
    const live: LiveChannel = parts.createChannel({
      ...{ channel, sampleRateHz: rate, nextSegmentId: () => `l${this.#nextSegment++}`, nowMs: () => parts.clock.monotonicMs() },
      onDue: () => {
        if (isHeard) member.due();
        this.#drain.notify();
      },
      onOutcome: (outcome) => this.#hearing.take(channel, outcome),
    });
    const track = {
      channel: live,
      // Audio that nobody listens to yet (post_call) is kept in the journal only.
      input: new ChannelInput(rate, (samples) => isHeard && live.push(samples)),
      journalChannel: channel === "agent" ? 1 : 0,
      leave: member.leave,
    };
    this.#tracks.set(channel, track);
    return track;
  }

  #press(channel: Channel, digit: string): void {
    if (this.#state === "ringing" || this.#isDeaf) return;
    const atMs = Math.round(this.#tracks.get(channel)?.channel.timeline.callMs ?? 0);
    this.#tell({ type: "dtmf.received", payload: { taskId: this.#taskId, channel, digit, atMs } });
    const { pauseDigit, resumeDigit } = this.#parts;
    // The counsellor's keys, not the child's.
    if (channel !== "agent") return;
    if (digit === pauseDigit && this.#state === "active") this.pause();
    else if (digit === resumeDigit && this.#state === "paused") this.resume();
  }

  #legEnded(reason: CallEndReason): void {
    this.#openLegs--;
    if (this.#openLegs > 0 || this.#state === "ended" || this.#state === "failed") return;
    this.#linger = this.#parts.clock.schedule(this.#parts.lingerMs, () => void this.end(reason));
  }

  async #finish(): Promise<void> {
    this.#measure?.cancel();
    await Promise.all([...this.#tracks.values()].map(({ input }) => input.settled()));
    for (const { channel } of this.#tracks.values()) channel.flush();
    await this.#drained();
    await this.#reading.finish();
    const { audio, durationMs, languages } = this.#tellMeasured();
    const taskId = this.#taskId;
    await this.#tape.store({
      ...{ taskId, reason: this.#endReason, languages, live: this.#hearing.transcript(), audio },
      isHeardAgain: isHeardAgain(this.#mode(), { hasRisk: this.riskKinds.length > 0, failedMs: audio.ledger.failedMs, durationMs }),
      language: this.#details.language ?? this.#parts.language,
      channels: this.#tracks.has("agent") ? ["caller", "agent"] : [...this.#tracks.keys()],
    });
    this.#turn("drained");
    const held = this.#held;
    this.#held = [];
    if (this.#openLegs > 0 && !this.#isDeaf) {
      this.#return();
      for (const audioHeld of held) this.#receive(audioHeld);
      return;
    }
    this.#linger = this.#parts.clock.schedule(this.#parts.continueWithinMs, () => void this.#leave());
  }

  /** A leg came back to a call that had ended: it goes on, with a gap, and is analysed anew at its next end. */
  #return(): void {
    if (!this.#turn("returned")) return;
    this.#linger?.cancel();
    const former = this.#taskId;
    this.#taskId = newId();
    this.#tape.continue({ former, taskId: this.#taskId });
    this.#tell({ type: "call.started", payload: { taskId: this.#taskId, source: "live", mode: this.#mode() } });
    this.#measureLater();
  }

  async #leave(): Promise<void> {
    this.#release();
    await this.#tape.remove();
  }

  #release(): void {
    this.#measure?.cancel();
    this.#linger?.cancel();
    for (const { channel, input, leave } of this.#tracks.values()) {
      channel.close();
      input.close();
      leave();
    }
    this.#options.onGone(this);
  }

  async #drained(): Promise<void> {
    const channels = [...this.#tracks.values()].map(({ channel }) => channel);
    if (await this.#drain.wait(() => channels.every(({ isDrained }) => isDrained))) return;
    this.#hearing.warn("The last speech was not transcribed in time.");
    for (const channel of channels) channel.giveUp();
  }

  #measureLater(): void {
    this.#measure = this.#parts.clock.schedule(MEASURE_EVERY_MS, () => {
      this.#tellMeasured();
      this.#measureLater();
    });
  }

  #tellMeasured(): LiveCallStatus {
    const status = this.status();
    const { taskId, state, durationMs, lagMs, audio, warnings } = status;
    this.#tell({ type: "call.measured", payload: { taskId, state, durationMs, lagMs, audio, warnings } });
    this.#parts.onLag(lagMs);
    return status;
  }

  #turn(signal: CallSessionSignal): boolean {
    const next = nextState(this.#state, signal);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  #tell(event: NewCallEvent): void {
    this.#tape.tell(event);
  }

  #mode(): ProcessingMode {
    return this.#details.mode ?? this.#parts.mode;
  }

  #durationMs(): number {
    return Math.round(Math.max(0, ...[...this.#tracks.values()].map(({ channel }) => channel.timeline.callMs)));
  }

  #sinceStartMs(): number {
    return this.#parts.clock.monotonicMs() - this.#startedAtMonotonicMs;
  }
}
