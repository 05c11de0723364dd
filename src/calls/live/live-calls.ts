/**
 * The calls that run: legs come in from the telephone exchange and are paired into calls; people look at calls, pause,
 * resume and end them.
 */

import type { Timer } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import type { CallDetails, CallSessionState, LiveCallStatus } from "../../core/live-call.js";
import type { Channel } from "../../core/transcript.js";
import { recordAllowed } from "../../security/audit-record.js";
import type { Authorized } from "../../security/authorization.js";
import { callNotFound } from "../call-not-found.js";
import { type LegPlace, placeOfStream } from "./leg-pairing.js";
import { LiveCall } from "./live-call.js";
import type { LiveCallParts, LiveLeg } from "./live-call-parts.js";
import { recoverLiveCalls } from "./recover-live-calls.js";

/** Legs of a call, told by the helpline's system before or after their audio starts. */
export interface AnnouncedLegs extends CallDetails {
  readonly callId: string;
  readonly legs: readonly { readonly streamId: string; readonly channel: "caller" | "agent" }[];
}

export interface OpenLegRequest {
  readonly streamId: string;
  /** Said by the connection itself; otherwise the id decides. */
  readonly callId?: string;
  readonly channel?: Channel;
  /** The id is one of ours: its last digit means nothing. */
  readonly isLone?: boolean;
  readonly details?: CallDetails;
}

export interface LiveStatistics {
  readonly activeCalls: number;
  readonly streams: number;
  readonly receivedMs: number;
  readonly segments: number;
  readonly lagMsMax: number;
}

export interface LiveCallState {
  readonly callId: string;
  readonly state: CallSessionState;
}

export interface LiveCalls {
  openLeg(request: OpenLegRequest): LiveLeg;
  /** What legs of one call have in common: by their ids, or as they were announced. */
  pairingKeyOf(streamId: string): string;
  /** @throws AppError `CALL_LEGS_CONFLICT` when a leg has run as a call of its own for too long to be moved */
  announce(authorized: Authorized<"call:control">, legs: AnnouncedLegs): Promise<LiveCallState>;
  list(authorized: Authorized<"call:read">): readonly LiveCallStatus[];
  runningCallIds(): readonly string[];
  statistics(authorized: Authorized<"call:read">): LiveStatistics;
  /** Audited. @throws AppError `CALL_NOT_FOUND`, `CALL_NOT_LIVE` */
  control(authorized: Authorized<"call:control">, callId: string, what: "pause" | "resume" | "end"): Promise<LiveCallState>;
  /** Stores the calls whose process died, from their journals. Before anything is taken. @returns how many */
  recover(): Promise<number>;
  /** Ends every call and waits until all are stored. */
  close(): Promise<void>;
}

/** An announcement is forgotten when no audio came of it for this long. */
const ANNOUNCEMENT_TTL_MS = 3_600_000;
const MAX_ANNOUNCEMENTS = 10_000;

const CONTROL_ACTIONS = { pause: "call.paused", resume: "call.resumed", end: "call.ended" } as const;

interface Announcement {
  readonly place: LegPlace;
  readonly details: CallDetails;
  readonly callId: string;
  readonly timer: Timer;
}

export interface LiveCallsParts extends LiveCallParts {
  readonly onCount: (calls: number) => void;
}

/** Takes legs at once; nothing is stored before the first sample. */
export function createLiveCalls(parts: LiveCallsParts): LiveCalls {
  return new LiveCallRegistry(parts);
}

class LiveCallRegistry implements LiveCalls {
  readonly #parts: LiveCallsParts;
  /** By pairing key, and by the ids they were announced under. */
  readonly #calls = new Map<string, LiveCall>();
  readonly #announcements = new Map<string, Announcement>();

  constructor(parts: LiveCallsParts) {
    this.#parts = parts;
  }

  openLeg(request: OpenLegRequest): LiveLeg {
    const { key, channel, isPaired, callId, details } = this.#place(request);
    const known = this.#calls.get(key);
    const call = known ?? this.#openCall(key, { callId, isPaired, details });
    known?.describe(details, isPaired);
    const leg = call.openLeg(request.streamId, channel);
    this.#count();
    return leg;
  }

  pairingKeyOf(streamId: string): string {
    return this.#place({ streamId }).key;
  }

  async announce(_authorized: Authorized<"call:control">, { callId, legs, ...details }: AnnouncedLegs): Promise<LiveCallState> {
    const running = legs.flatMap(({ streamId, channel }) => {
      const call = this.#calls.get(placeOfStream(streamId).key);
      return call === undefined ? [] : [{ channel, call }];
    });
    const known = this.#calls.get(callId) ?? running.find(({ channel }) => channel === "caller")?.call;
    const call = known ?? this.#openCall(callId, { callId, isPaired: true, details });
    for (const other of running) {
      if (other.call !== call && !other.call.moveInto(call, other.channel)) {
        throw new AppError("CALL_LEGS_CONFLICT", "A leg has run as a call of its own for too long to be moved; announce legs within half a minute.");
      }
    }
    const runs = running.length > 0 ? call : undefined;
    this.#calls.set(callId, call);
    call.describe(details, legs.length > 1);
    for (const { streamId, channel } of legs) {
      const place = { key: callId, channel, isPaired: legs.length > 1 || runs === undefined };
      this.#remember(streamId, { place, details, callId }, call);
    }
    return { callId: call.callId, state: call.state };
  }

  runningCallIds(): readonly string[] {
    return this.#running().map(({ callId }) => callId);
  }

  list(): readonly LiveCallStatus[] {
    return this.#running().map((call) => call.status());
  }

  statistics(): LiveStatistics {
    const statuses = this.list();
    const sum = (pick: (status: LiveCallStatus) => number): number => statuses.reduce((total, status) => total + pick(status), 0);
    return {
      activeCalls: statuses.length,
      streams: sum(({ audio }) => audio.channels.length),
      receivedMs: sum(({ audio: { ledger } }) => ledger.speechMs + ledger.silenceMs + ledger.pausedMs + ledger.failedMs + ledger.pendingMs),
      segments: sum(({ segmentCount }) => segmentCount),
      lagMsMax: Math.max(0, ...statuses.map(({ lagMs }) => lagMs)),
    };
  }

  async control({ actor }: Authorized<"call:control">, callId: string, what: "pause" | "resume" | "end"): Promise<LiveCallState> {
    const call = this.#find(callId);
    if (call === undefined) {
      if (!(await this.#parts.calls.hasCall(callId))) throw callNotFound();
      throw new AppError("CALL_NOT_LIVE", "The call is not in progress any more.");
    }
    await recordAllowed(this.#parts, actor, CONTROL_ACTIONS[what], callId);
    if (what === "end") void call.end("requested");
    else if (!(what === "pause" ? call.pause() : call.resume())) {
      throw new AppError("CALL_NOT_LIVE", `The call is ${call.state}: it can't be ${what === "pause" ? "paused" : "resumed"} now.`);
    }
    return { callId, state: call.state };
  }

  recover(): Promise<number> {
    return recoverLiveCalls(this.#parts);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#announcements.values()) timer.cancel();
    await Promise.all([...new Set(this.#calls.values())].map((call) => call.end("stopped")));
    await this.#parts.writer.flush();
  }

  #running(): readonly LiveCall[] {
    return [...new Set(this.#calls.values())].filter(({ state }) => state !== "ended" && state !== "failed");
  }

  #find(callId: string): LiveCall | undefined {
    return this.#running().find((call) => call.callId === callId);
  }

  #count(): void {
    this.#parts.onCount(this.#running().filter(({ state }) => state !== "ringing").length);
  }

  #place(request: OpenLegRequest): LegPlace & { readonly callId: string; readonly details: CallDetails } {
    const announced = this.#announcements.get(request.streamId);
    const details = { ...announced?.details, ...request.details };
    if (announced !== undefined) return { ...announced.place, callId: announced.callId, details };
    const { callId = request.streamId, channel, isLone = false } = request;
    const own = isLone ? ({ key: request.streamId, channel: "caller", isPaired: false } as const) : placeOfStream(request.streamId);
    if (channel === undefined) return { ...own, callId, details };
    return { key: callId, channel, isPaired: true, callId, details };
  }

  #openCall(key: string, options: { readonly callId: string; readonly isPaired: boolean; readonly details: CallDetails }): LiveCall {
    const call = new LiveCall(this.#parts, {
      ...options,
      onGone: (gone) => {
        for (const [name, known] of this.#calls) if (known === gone) this.#calls.delete(name);
        this.#count();
      },
    });
    this.#calls.set(key, call);
    return call;
  }

  #remember(streamId: string, announced: Omit<Announcement, "timer">, call: LiveCall): void {
    this.#announcements.get(streamId)?.timer.cancel();
    if (this.#announcements.size >= MAX_ANNOUNCEMENTS) this.#announcements.delete(this.#announcements.keys().next().value ?? "");
    const timer = this.#parts.clock.schedule(ANNOUNCEMENT_TTL_MS, () => {
      this.#announcements.delete(streamId);
      if (call.state === "ringing") void call.end("idle");
    });
    this.#announcements.set(streamId, { ...announced, timer });
  }
}
