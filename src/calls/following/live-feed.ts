/** The events of all calls a person may see, as one stream: for a page that shows which calls run and what is urgent. */
import type { CallEvent } from "../../core/call-event.js";
import type { Clock } from "../../core/clock.js";
import type { EventBus } from "../../events/event-bus.js";
import type { AuditSink } from "../../security/audit-record.js";
import type { Actor, Authorized } from "../../security/authorization.js";
import { recordCallReading } from "../../security/call-reading.js";
import { coverEvent, type TextCover } from "../../security/masking/cover-text.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { CallEventRepository } from "../../storage/repositories/call-event-repository.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { TextMasking } from "../text-masking.js";

export interface LiveFeed {
  /** First what happened so far on the calls that run, then what happens on any. Ends when `signal` is aborted. */
  follow(authorized: Authorized<"call:read">, request: { readonly withInterims: boolean; readonly signal: AbortSignal }): AsyncGenerator<CallEvent>;
}

export interface LiveFeedDependencies {
  readonly calls: CallRepository;
  readonly events: CallEventRepository;
  readonly bus: EventBus;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
  /** Calls that run now. */
  readonly runningCallIds: () => readonly string[];
}

interface Cursor {
  readonly sealer: CallSealer;
  /** Older events of a call that did not run are of no interest here. */
  readonly fromMs: number;
  /** Absent: the reader may see what was said. */
  readonly cover?: TextCover;
  afterSeq: number;
}

const PAGE_EVENTS = 100;
/** The bus may lose a notice: calls that run are looked into this often all the same. */
const LOOK_AGAIN_MS = 5_000;

/** The use case of watching all calls. */
export function createLiveFeed(dependencies: LiveFeedDependencies): LiveFeed {
  return { follow: ({ actor }, request) => follow(dependencies, actor, request) };
}

async function* follow(
  dependencies: LiveFeedDependencies,
  actor: Actor,
  { withInterims, signal }: { readonly withInterims: boolean; readonly signal: AbortSignal },
): AsyncGenerator<CallEvent> {
  const { bus, clock, runningCallIds } = dependencies;
  const startedAtMs = clock.nowMs();
  const cursors = new Map<string, Cursor | undefined>();
  const changed = new Set(runningCallIds());
  const ranAtStart = new Set(changed);
  let wake = (): void => {};
  let lookAgainAtMs = clock.monotonicMs() + LOOK_AGAIN_MS;
  const stop = bus.subscribeCalls((callId) => {
    changed.add(callId);
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const [callId] = changed;
      if (callId === undefined) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, lookAgainAtMs - clock.monotonicMs()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        if (clock.monotonicMs() < lookAgainAtMs) continue;
        lookAgainAtMs = clock.monotonicMs() + LOOK_AGAIN_MS;
        for (const running of runningCallIds()) changed.add(running);
        continue;
      }
      changed.delete(callId);
      if (!cursors.has(callId)) cursors.set(callId, await openCursor(dependencies, actor, { callId, fromMs: ranAtStart.has(callId) ? 0 : startedAtMs }));
      const cursor = cursors.get(callId);
      if (cursor === undefined) continue;
      const page = await dependencies.events.list({ callId, sealer: cursor.sealer }, { afterSeq: cursor.afterSeq, limit: PAGE_EVENTS });
      if (page.length === PAGE_EVENTS) changed.add(callId);
      for (const event of page) {
        cursor.afterSeq = event.seq;
        if (event.atMs < cursor.fromMs || (event.type === "segment.interim" && !withInterims)) continue;
        yield cursor.cover === undefined ? event : coverEvent(event, cursor.cover);
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop();
  }
}

/** Undefined when the call was deleted, or is the service's own. */
async function openCursor(
  dependencies: LiveFeedDependencies,
  actor: Actor,
  { callId, fromMs }: { readonly callId: string; readonly fromMs: number },
): Promise<Cursor | undefined> {
  const sealer = await dependencies.calls.openSealer(callId).catch(() => undefined);
  if (sealer === undefined || (await dependencies.calls.findSynthetic([callId])).size > 0) return undefined;
  const { maySeeText } = await recordCallReading(dependencies, actor, callId);
  return { sealer, fromMs, afterSeq: 0, ...(maySeeText ? {} : { cover: await dependencies.masking.coverOf({ callId, sealer }) }) };
}
