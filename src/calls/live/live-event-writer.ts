/**
 * Writes the events of all calls that run, many in one transaction: a commit costs the same for one event and for fifty.
 * Order within a call is kept. A database that is away is waited for; nothing is dropped.
 */
import type { NewCallEvent } from "../../core/call-event.js";
import type { Clock } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import type { Logger } from "../../core/log.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { CallEvents } from "../../storage/repositories/call-event-repository.js";
import type { CallEventLog } from "../call-event-log.js";

export interface LiveEventWriter {
  append(call: { readonly callId: string; readonly sealer: CallSealer }, event: NewCallEvent): void;
  /** Resolves when everything appended before is stored, or can't be any more because its call was deleted. */
  flush(): Promise<void>;
}

export interface LiveEventWriterOptions {
  readonly eventLog: Pick<CallEventLog, "appendTogether">;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface WaitingEvent {
  readonly call: CallEvents["call"];
  readonly event: NewCallEvent;
}

const RETRY_MS = 1_000;
const EVENTS_AT_ONCE = 200;

/** Writes as soon as something is appended; what comes meanwhile goes with the next transaction. */
export function createLiveEventWriter({ eventLog, clock, logger }: LiveEventWriterOptions): LiveEventWriter {
  let waiting: WaitingEvent[] = [];
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, EVENTS_AT_ONCE);
      waiting = waiting.slice(batch.length);
      try {
        await eventLog.appendTogether(byCall(batch));
      } catch (error) {
        waiting = [...(await withoutDeletedCalls(error, batch, eventLog)), ...waiting];
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
    append(call, event) {
      waiting.push({ call, event });
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
  eventLog: LiveEventWriterOptions["eventLog"],
): Promise<readonly WaitingEvent[]> {
  if (!(error instanceof AppError) || error.code !== "STORAGE_CONFLICT") return batch;
  const left: WaitingEvent[] = [];
  for (const entry of byCall(batch)) {
    await eventLog.appendTogether([entry]).catch((cause: unknown) => {
      const isGone = cause instanceof AppError && cause.code === "STORAGE_CONFLICT";
      if (!isGone) left.push(...batch.filter(({ call }) => call.callId === entry.call.callId));
    });
  }
  return left;
}

function byCall(batch: readonly WaitingEvent[]): readonly CallEvents[] {
  const calls = new Map<string, CallEvents & { readonly events: NewCallEvent[] }>();
  for (const { call, event } of batch) {
    const entry = calls.get(call.callId) ?? { call, events: [] };
    entry.events.push(event);
    calls.set(call.callId, entry);
  }
  return [...calls.values()];
}
