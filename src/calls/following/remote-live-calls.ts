/**
 * Live calls as a process sees them that takes none: what the processes that do tell of themselves, and what it asks them
 * to do. A call is controlled where it runs.
 */

import { AppError, type ErrorCode } from "../../core/errors.js";
import type { LiveCallStatus } from "../../core/live-call.js";
import type { Actor, Authorized } from "../../security/authorization.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import { callNotFound } from "../call-not-found.js";
import type { AnnouncedLegs, LiveCallState, LiveCalls, LiveStatistics } from "../live/live-calls.js";

/** What a process that takes calls tells every few seconds. */
export interface StreamState {
  /** Where it takes connections of the exchange; absent until it does. */
  readonly address?: { readonly host: string; readonly port: number };
  readonly calls: readonly LiveCallStatus[];
  readonly statistics: LiveStatistics;
}

export type LiveCallRequest =
  | { readonly what: "pause" | "resume" | "end"; readonly actor: Actor; readonly callId: string }
  | { readonly what: "announce"; readonly actor: Actor; readonly legs: AnnouncedLegs };

/** `error`: what the other process would have thrown. */
export type LiveCallAnswer = LiveCallState | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** How the other processes are known and asked. */
export interface StreamProcesses {
  list(): Promise<readonly { readonly id: string; readonly state: StreamState }[]>;
  /** Undefined: no answer in time. */
  ask(id: string, request: LiveCallRequest): Promise<LiveCallAnswer | undefined>;
}

const LOOK_EVERY_MS = 1_000;

/** Looks around from now on; until the first answer no call is known. */
export function createRemoteLiveCalls({ streams, calls }: { readonly streams: StreamProcesses; readonly calls: CallRepository }): LiveCalls {
  let known: readonly { readonly id: string; readonly state: StreamState }[] = [];
  const look = async (): Promise<void> => {
    known = await streams.list();
  };
  // While Redis is away the last that was heard stands.
  const timer = setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS);
  timer.unref();
  void look().catch(() => {});
  const statuses = (): readonly LiveCallStatus[] => known.flatMap(({ state }) => state.calls);
  const sum = (pick: (statistics: LiveStatistics) => number): number => known.reduce((total, { state }) => total + pick(state.statistics), 0);
  return {
    openLeg() {
      throw takesNone();
    },
    pairingKeyOf() {
      throw takesNone();
    },
    async announce({ actor }, legs) {
      await look();
      const answers = await Promise.all(known.map(({ id }) => streams.ask(id, { what: "announce", actor, legs })));
      const states = answers.flatMap((answer) => (answer === undefined || "error" in answer ? [] : [answer]));
      const state = states.find((candidate) => candidate.state !== "ringing") ?? states[0];
      if (state !== undefined) return state;
      const refused = answers.find((answer) => answer !== undefined);
      return settle(refused);
    },
    list: () => statuses(),
    runningCallIds: () => statuses().map(({ callId }) => callId),
    statistics: () => ({
      activeCalls: sum(({ activeCalls }) => activeCalls),
      streams: sum((statistics) => statistics.streams),
      receivedMs: sum(({ receivedMs }) => receivedMs),
      segments: sum(({ segments }) => segments),
      lagMsMax: Math.max(0, ...known.map(({ state }) => state.statistics.lagMsMax)),
    }),
    async control({ actor }, callId, what) {
      await look();
      const runsAt = known.find(({ state }) => state.calls.some((call) => call.callId === callId));
      if (runsAt === undefined) {
        if (!(await calls.hasCall(callId))) throw callNotFound();
        throw new AppError("CALL_NOT_LIVE", "The call is not in progress any more.");
      }
      return settle(await streams.ask(runsAt.id, { what, actor, callId }));
    },
    recover: async () => 0,
    async close() {
      clearInterval(timer);
    },
  };
}

function takesNone(): AppError {
  return new AppError("CALL_NOT_LIVE", "This process takes no live calls.");
}

function settle(answer: LiveCallAnswer | undefined): LiveCallState {
  if (answer === undefined)
    throw new AppError("REDIS_UNAVAILABLE", "The process that takes calls does not answer; try again in a moment.", { retryable: true });
  if ("error" in answer) throw new AppError(answer.error.code, answer.error.message);
  return answer;
}

/** What a process that takes calls answers to those that don't. Who asks was authorized where they asked. */
export async function answerLiveCallRequest(
  liveCalls: LiveCalls,
  request: LiveCallRequest,
  authorized: (actor: Actor) => Authorized<"call:control">,
): Promise<LiveCallAnswer> {
  try {
    if (request.what === "announce") return await liveCalls.announce(authorized(request.actor), request.legs);
    return await liveCalls.control(authorized(request.actor), request.callId, request.what);
  } catch (error) {
    if (error instanceof AppError) return { error: { code: error.code, message: error.safeMessage } };
    throw error;
  }
}
