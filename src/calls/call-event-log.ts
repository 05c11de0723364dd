/**
 * The events of calls, as they are written and as they are followed: stored first, then told on the bus, so that a
 * reader who was away finds every one of them in order and a reader who is there waits for nothing.
 */

import { isEndedStatus } from "../core/call.js";
import { type CallEvent, type CallEventType, endsTask, type NewCallEvent } from "../core/call-event.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { isId } from "../core/ids.js";
import { type EventBus, type EventTopic, listenFor } from "../events/event-bus.js";
import { callOfJobPayload } from "../protocol/job-payloads.js";
import type { JobRecord, QueueBackend } from "../queue/queue-backend.js";
import type { AuditSink } from "../security/audit-record.js";
import type { Authorized } from "../security/authorization.js";
import { recordCallReading } from "../security/call-reading.js";
import { coverEvent } from "../security/masking/cover-text.js";
import type { CallSealer } from "../security/sealing/sealed-text.js";
import type { CallEventRepository, CallEvents } from "../storage/repositories/call-event-repository.js";
import type { CallRepository } from "../storage/repositories/call-repository.js";
import type { UnitOfWork } from "../storage/unit-of-work.js";
import type { TextMasking } from "./text-masking.js";

export interface FollowRequest {
  readonly taskId: string;
  /** Events up to this number were seen already; 0 for all. */
  readonly afterSeq: number;
  /** Aborted: the reader went away. */
  readonly signal: AbortSignal;
}

export interface FollowCallRequest extends Omit<FollowRequest, "taskId"> {
  readonly callId: string;
}

export interface CallEventLog {
  /** Numbers and stores events of a call; whoever follows it is told once the unit of work is durable. */
  append(call: { readonly callId: string; readonly sealer: CallSealer }, events: readonly NewCallEvent[], unitOfWork: UnitOfWork): Promise<void>;
  /** The same for several calls, each named once, in a transaction of its own. @throws AppError `STORAGE_CONFLICT` when one of them is not there */
  appendTogether(entries: readonly CallEvents[]): Promise<void>;
  /**
   * The events of a task's call after `afterSeq`, those that exist and those to come, until the task has ended. Text is
   * shown to roles with `transcript:read`, audited before the first; others get it masked.
   *
   * @returns undefined when the task has ended and there is nothing after `afterSeq`.
   * @throws AppError `QUEUE_JOB_NOT_FOUND`, `AUDIT_SINK_UNAVAILABLE`
   */
  follow(authorized: Authorized<"task:read">, request: FollowRequest): Promise<AsyncGenerator<CallEvent> | undefined>;
  /**
   * The events of a call, live or recorded, until no work on it is left. Text as for `follow`.
   *
   * @throws AppError `CALL_NOT_FOUND`, `AUDIT_SINK_UNAVAILABLE`
   */
  followCall(authorized: Authorized<"call:read">, request: FollowCallRequest): Promise<AsyncGenerator<CallEvent>>;
  /** Events of these types so far, for who may read them; in a unit of work none is added until it ends. Not audited: the caller does. */
  listOfTypes(
    call: { readonly callId: string; readonly sealer: CallSealer },
    types: readonly CallEventType[],
    unitOfWork?: UnitOfWork,
  ): Promise<readonly CallEvent[]>;
}

export interface CallEventLogDependencies {
  readonly calls: CallRepository;
  readonly events: CallEventRepository;
  readonly bus: EventBus;
  readonly queue: Pick<QueueBackend, "find">;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

const PAGE_EVENTS = 100;
/** The bus may lose a notice: the store is looked into this often all the same. */
const LOOK_AGAIN_MS = 2_000;

/** Events are sealed under their call's key, and go when the call goes. */
export function createCallEventLog(dependencies: CallEventLogDependencies): CallEventLog {
  const { calls, events, bus, clock } = dependencies;
  return {
    async append(call, added, unitOfWork) {
      if (added.length === 0) return;
      await events.append(call, added, clock.nowMs(), unitOfWork);
      unitOfWork.afterCommit(() => bus.publish(`call/${call.callId}`));
    },
    async appendTogether(entries) {
      await events.appendTogether(entries, clock.nowMs());
      for (const { call } of entries) bus.publish(`call/${call.callId}`);
    },
    async follow({ actor }, request) {
      const job = await findJob(dependencies, request.taskId);
      const callId = callOfJobPayload(job?.payload);
      if (job === undefined || callId === undefined || !(await calls.hasCall(callId)))
        throw new AppError("QUEUE_JOB_NOT_FOUND", "There is no task with this id.");
      if (isEnded(job) && (await events.lastSeq(callId)) <= request.afterSeq) return undefined;
      const { maySeeText } = await recordCallReading(dependencies, actor, callId);
      const sealer = await calls.openSealer(callId);
      return readOn(dependencies, {
        ...request,
        callId,
        sealer,
        show: await showing(dependencies, { callId, sealer }, maySeeText),
        end: taskEnd(dependencies, request.taskId),
      });
    },
    async followCall({ actor }, request) {
      const { callId } = request;
      const sealer = await calls.openSealer(callId);
      const { maySeeText } = await recordCallReading(dependencies, actor, callId);
      const show = await showing(dependencies, { callId, sealer }, maySeeText);
      return readOn(dependencies, { ...request, sealer, show, end: callEnd(dependencies, callId) });
    },
    listOfTypes: (call, types, unitOfWork) => events.listOfTypes(call, types, unitOfWork),
  };
}

async function showing(
  { masking }: CallEventLogDependencies,
  call: { readonly callId: string; readonly sealer: CallSealer },
  maySeeText: boolean,
): Promise<(event: CallEvent) => CallEvent> {
  if (maySeeText) return (event) => event;
  const cover = await masking.coverOf(call);
  return (event) => coverEvent(event, cover);
}

/** How a reader knows that nothing more comes. */
interface EndOfEvents {
  readonly topics: readonly EventTopic[];
  /** True for an event after which nothing comes. */
  isLast(event: CallEvent): Promise<boolean>;
  hasEnded(): Promise<boolean>;
}

interface ReadOnRequest extends FollowCallRequest {
  readonly sealer: CallSealer;
  readonly show: (event: CallEvent) => CallEvent;
  readonly end: EndOfEvents;
}

async function* readOn(dependencies: CallEventLogDependencies, request: ReadOnRequest): AsyncGenerator<CallEvent> {
  const { callId, signal, show, end } = request;
  const notices = listenFor(dependencies.bus, `call/${callId}`, ...end.topics);
  let afterSeq = request.afterSeq;
  let wasEnded = false;
  try {
    while (!signal.aborted) {
      const page = await dependencies.events.list(request, { afterSeq, limit: PAGE_EVENTS });
      for (const event of page) {
        afterSeq = event.seq;
        yield show(event);
        if (await end.isLast(event)) return;
      }
      if (page.length > 0) continue;
      // Ended before the empty look: nothing can come any more.
      if (wasEnded) return;
      wasEnded = await end.hasEnded();
      if (!wasEnded) await notices.next(LOOK_AGAIN_MS, signal);
    }
  } finally {
    notices.close();
  }
}

function taskEnd(dependencies: CallEventLogDependencies, taskId: string): EndOfEvents {
  return {
    topics: [`task/${taskId}`],
    isLast: async (event) => endsTask(event, taskId) && isEnded(await findJob(dependencies, taskId), event),
    hasEnded: async () => isEnded(await findJob(dependencies, taskId)),
  };
}

function callEnd({ calls }: CallEventLogDependencies, callId: string): EndOfEvents {
  const hasEnded = async (): Promise<boolean> => {
    const status = await calls.findStatus(callId);
    return status === undefined || isEndedStatus(status);
  };
  return { topics: [], isLast: async () => false, hasEnded };
}

function findJob({ queue }: CallEventLogDependencies, taskId: string): Promise<JobRecord | undefined> {
  return isId(taskId) ? queue.find(taskId) : Promise.resolve(undefined);
}

/**
 * The last event is stored a moment before its job ends, so it counts as the end unless it is an old one: a task tried
 * again by hand goes on after it.
 */
function isEnded(job: JobRecord | undefined, last?: CallEvent): boolean {
  if (job === undefined) return true;
  if (last?.type === "analysis.completed") return true;
  return isEndedStatus(job.status);
}
