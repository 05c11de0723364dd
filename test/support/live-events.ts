/** Reads the events of calls in progress over WebSocket as a dashboard does, holding each against the documented envelope. */
import { expect } from "vitest";
import { WebSocket } from "ws";
import { callEventSchema } from "../../src/protocol/call-events.js";
import type { UserRole } from "../../src/security/permissions.js";
import type { WireAudio } from "./live-gateway.js";
import type { TestGateway } from "./start-gateway.js";
import { until } from "./until.js";

export interface WireSegment {
  readonly id: string;
  readonly channel: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly text: string;
}

interface Measured {
  readonly duration_ms: number;
  readonly audio: WireAudio;
}

/** Of the payloads, what tests look at. */
export interface LivePayloads {
  readonly "call.started": { readonly source: string; readonly mode?: string };
  readonly "segment.interim": Omit<WireSegment, "id"> & { readonly segment_id: string; readonly stable_length: number };
  readonly "segment.final": { readonly pass: "live" | "recording"; readonly segment: WireSegment };
  readonly "risk.raised": {
    readonly finding: { readonly kind: string; readonly level: string; readonly evidence: readonly { readonly segment_id: string; readonly text: string }[] };
    readonly is_interim: boolean;
  };
  readonly "risk.acknowledged": { readonly kind: string; readonly acknowledged_by: string };
  readonly "dtmf.received": { readonly channel: string; readonly digit: string; readonly at_ms: number };
  readonly "call.paused": { readonly at_ms: number };
  readonly "call.resumed": { readonly at_ms: number };
  readonly "call.measured": Measured & { readonly state: string; readonly lag_ms: number; readonly warnings: readonly string[] };
  readonly "call.ended": Measured & { readonly reason: string };
  readonly "analysis.progressed": { readonly stage: string; readonly status: string };
  readonly "analysis.completed": { readonly is_partial: boolean };
}

export interface LiveEvent<Type extends string = string, Payload = Readonly<Record<string, unknown>>> {
  readonly seq: number;
  readonly type: Type;
  readonly call_id: string;
  readonly at: string;
  readonly payload: Payload;
}

export interface EventSocket extends Disposable {
  readonly socket: WebSocket;
  /** So far; heartbeats are not among them. */
  readonly events: readonly LiveEvent[];
  readonly seqs: () => readonly number[];
  readonly heartbeats: () => number;
  /** Everything that came, as text. */
  readonly text: () => string;
  /** Undefined while it is open. */
  readonly closeCode: () => number | undefined;
  /** Of the type; those of one call where a call is named. */
  readonly ofType: <Type extends keyof LivePayloads>(type: Type, callId?: string) => readonly LiveEvent<Type, LivePayloads[Type]>[];
  readonly whenSeen: (what: string, holds: (events: readonly LiveEvent[]) => boolean, deadlineMs?: number) => Promise<void>;
  /** Waits for the service to close it. */
  readonly whenClosed: (deadlineMs?: number) => Promise<number>;
}

export interface EventSocketRequest {
  /** Null: no credentials. */
  readonly role?: UserRole | null;
}

const DEADLINE_MS = 40_000;

/** Opens one; rejects with the status of the answer where the service refuses the upgrade. */
export async function openEventSocket(gateway: TestGateway, path: string, { role = "supervisor" }: EventSocketRequest = {}): Promise<EventSocket> {
  const headers = role === null ? {} : { authorization: `Bearer ${gateway.keys[role]}` };
  const socket = new WebSocket(`${gateway.service.url.replace("http", "ws")}${path}`, { headers });
  const events: LiveEvent[] = [];
  let text = "";
  let heartbeats = 0;
  let closeCode: number | undefined;
  let fault: unknown;
  socket.on("message", (data) => {
    const piece = String(data);
    text += `${piece}\n`;
    try {
      const parsed = JSON.parse(piece) as { readonly type: string };
      if (parsed.type === "heartbeat") heartbeats++;
      else events.push(callEventSchema.parse(parsed));
    } catch (error) {
      fault ??= error;
      socket.terminate();
    }
  });
  socket.once("close", (code) => {
    closeCode = code;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      reject(new Error(`refused with ${response.statusCode}`));
    });
    socket.once("error", reject);
  });
  socket.on("error", () => {});
  const checked = async (what: string, holds: () => boolean, deadlineMs: number): Promise<void> => {
    await until(what, () => fault !== undefined || holds(), deadlineMs);
    if (fault !== undefined) throw fault;
  };
  return {
    socket,
    events,
    seqs: () => events.map(({ seq }) => seq),
    heartbeats: () => heartbeats,
    text: () => text,
    closeCode: () => closeCode,
    ofType: (type, callId) => eventsOf(events, type).filter((event) => callId === undefined || event.call_id === callId),
    whenSeen: (what, holds, deadlineMs = DEADLINE_MS) => checked(what, () => holds(events), deadlineMs),
    async whenClosed(deadlineMs = DEADLINE_MS) {
      await checked("the service has closed the socket", () => closeCode !== undefined, deadlineMs);
      return closeCode ?? 0;
    },
    [Symbol.dispose]() {
      socket.terminate();
    },
  };
}

/** How an upgrade is refused: `refused with 401`; `opened` where it isn't. */
export async function refusalOf(gateway: TestGateway, path: string, request: EventSocketRequest = {}): Promise<string> {
  try {
    using _opened = await openEventSocket(gateway, path, request);
    return "opened";
  } catch (error) {
    return (error as Error).message;
  }
}

/** The events of one call, from `after` on. */
export function openCallEvents(
  gateway: TestGateway,
  callId: string,
  { after, ...request }: EventSocketRequest & { readonly after?: number } = {},
): Promise<EventSocket> {
  return openEventSocket(gateway, `/api/v1/calls/${callId}/live${after === undefined ? "" : `?after=${after}`}`, request);
}

/** Those of the type, with its payload. */
export function eventsOf<Type extends keyof LivePayloads>(events: readonly LiveEvent[], type: Type): readonly LiveEvent<Type, LivePayloads[Type]>[] {
  return events.filter((event) => event.type === type) as unknown as readonly LiveEvent<Type, LivePayloads[Type]>[];
}

/** What the events of a whole call say, for those that have all of them. */
export function expectNoGaps(events: readonly LiveEvent[], first = 1): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => first + index));
}

/** The live finals in the order of their times, as far as they should not depend on how the sound came in. */
export function finalsOf(events: readonly LiveEvent[], pass: "live" | "recording" = "live"): readonly object[] {
  const finals = eventsOf(events, "segment.final").flatMap(({ payload }) => (payload.pass === pass ? [payload.segment] : []));
  const latest = new Map(finals.map((segment) => [segment.id, segment]));
  return [...latest.values()]
    .map(({ channel, start_ms, end_ms, text }) => ({ channel, start_ms, end_ms, text }))
    .sort((a, b) => a.start_ms - b.start_ms || a.channel.localeCompare(b.channel));
}
