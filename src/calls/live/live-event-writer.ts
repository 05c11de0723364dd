/**
 * Writes the events of all calls that run, many in one transaction: a commit costs the same for one event and for fifty.
 * Order within a call is kept. A database that is away is waited for; nothing is dropped.
 */
import type { NewCallEvent } from "../../core/call-event.js";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import type { Logger } from "../../core/log.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../../storage/database.js";
import { inUnitOfWork } from "../../storage/unit-of-work.js";
import type { CallEventLog } from "../call-event-log.js";

export interface LiveEventWriter {
  append(call: { readonly callId: string; readonly sealer: CallSealer }, event: NewCallEvent): void;
  /** Resolves when everything appended before is stored, or can't be any more because its call was deleted. */
  flush(): Promise<void>;
}

export interface LiveEventWriterOptions {
  readonly database: AppDatabase;
  readonly eventLog: CallEventLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface WaitingEvent {
  readonly callId: string;
  readonly sealer: CallSealer;
  readonly event: NewCallEvent;
}

const RETRY_MS = 1_000;
const EVENTS_AT_ONCE = 200;

/** Writes as soon as something is appended; what comes meanwhile goes with the next transaction. */
export function createLiveEventWriter({ database, eventLog, clock, logger }: LiveEventWriterOptions): LiveEventWriter {
  let waiting: WaitingEvent[] = [];
  let running: Promise<void> | undefined;

  const store = (batch: readonly WaitingEvent[]): Promise<void> =>
    inUnitOfWork(database, async (unitOfWork) => {
      for (const [callId, events] of byCall(batch)) {
        const [first] = events;
        if (first !== undefined) {
          await eventLog.append(
            { callId, sealer: first.sealer },
            events.map(({ event }) => event),
            unitOfWork,
          );
        }
      }
    });
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, EVENTS_AT_ONCE);
      waiting = waiting.slice(batch.length);
      try {
        await store(batch);
      } catch (error) {
        waiting = [...(await withoutDeletedCalls(error, batch, store)), ...waiting];
        if (waiting.length === 0) return;
        logger.warn("Events of live calls could not be stored; trying again", { count: waiting.length });
        await new Promise<void>((resolve) => clock.schedule(RETRY_MS, resolve));
      }
    }
  };
  const start = (): Promise<void> => {
    running ??= drain().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    append({ callId, sealer }, event) {
      waiting.push({ callId, sealer, event });
      void start();
    },
    async flush() {
      while (waiting.length > 0 || running !== undefined) await start();
    },
  };
}

/** One call that was deleted must not hold back the others: each call of the batch is tried by itself. */
async function withoutDeletedCalls(
  error: unknown,
  batch: readonly WaitingEvent[],
  store: (batch: readonly WaitingEvent[]) => Promise<void>,
): Promise<readonly WaitingEvent[]> {
  if (!(error instanceof AppError) || error.code !== "STORAGE_CONFLICT") return batch;
  const left: WaitingEvent[] = [];
  for (const events of byCall(batch).values()) {
    await store(events).catch((cause: unknown) => {
      const isGone = cause instanceof AppError && cause.code === "STORAGE_CONFLICT";
      if (!isGone) left.push(...events);
    });
  }
  return left;
}

function byCall(batch: readonly WaitingEvent[]): ReadonlyMap<string, readonly WaitingEvent[]> {
  const calls = new Map<string, WaitingEvent[]>();
  for (const entry of batch) {
    const events = calls.get(entry.callId) ?? [];
    events.push(entry);
    calls.set(entry.callId, events);
  }
  // Each call is locked while its events are numbered: in one order by all, nobody waits for another that waits for them.
  return new Map([...calls].sort(([a], [b]) => (a < b ? -1 : 1)));
}
