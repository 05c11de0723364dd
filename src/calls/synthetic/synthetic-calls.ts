/**
 * The service's own call: a recording of invented people goes the way of every other, through audio store, queue, worker,
 * models and database, and is deleted. So it is noticed that calls do not get through before a counsellor notices.
 */
import type { Readable } from "node:stream";
import { isPartial } from "../../core/analysis-result.js";
import { isEndedStatus } from "../../core/call.js";
import type { Clock } from "../../core/clock.js";
import { AppError, type ErrorCode } from "../../core/errors.js";
import { type EventBus, listenFor } from "../../events/event-bus.js";
import type { JobRecord, QueueBackend } from "../../queue/queue-backend.js";
import { authorize, SERVICE } from "../../security/authorization.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { AppDatabase } from "../../storage/database.js";
import type { AnalysisRepository } from "../../storage/repositories/analysis-repository.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import { inUnitOfWork } from "../../storage/unit-of-work.js";
import type { RecordingIntake } from "../recording-intake.js";
import type { TextMasking } from "../text-masking.js";

/** `failed`: refused, failed, or a stage of it did; `late`: not at its end when patience was. */
export const SYNTHETIC_OUTCOMES = ["passed", "failed", "late"] as const;
export type SyntheticOutcome = (typeof SYNTHETIC_OUTCOMES)[number];

export interface SyntheticCallResult {
  readonly outcome: SyntheticOutcome;
  /** Epoch milliseconds UTC. */
  readonly atMs: number;
  /** From the first byte to the analysis. */
  readonly durationMs: number;
  /** What stood in the way, as an error code: of the first stage that failed, or of the whole. */
  readonly errorCode?: ErrorCode;
}

export interface SyntheticCalls {
  /** Makes one and waits for its end, then removes it and those that a crash left. Undefined when it was stopped, or another process removed it. */
  make(signal: AbortSignal): Promise<SyntheticCallResult | undefined>;
}

export interface SyntheticCallDependencies {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly analyses: Pick<AnalysisRepository, "findAnalysis">;
  readonly intake: RecordingIntake;
  readonly audioStore: AudioStore;
  readonly queue: QueueBackend;
  readonly bus: EventBus;
  readonly masking: Pick<TextMasking, "forget">;
  readonly clock: Clock;
  readonly speechEngine: string;
  /** An English recording of a few seconds. */
  readonly openRecording: () => Readable;
}

/** Recordings that came before are heard before it. */
const PATIENCE_MS = 900_000;
/** The bus may lose a notice. */
const LOOK_AGAIN_MS = 2_000;
const REMOVED_AT_ONCE = 100;

/** Not to be made twice at once: the second would remove the first. */
export function createSyntheticCalls(dependencies: SyntheticCallDependencies): SyntheticCalls {
  const { clock } = dependencies;
  return {
    async make(signal) {
      const startedMs = clock.monotonicMs();
      try {
        const end = await analyseOne(dependencies, signal).catch(failure);
        if (end === undefined) return undefined;
        return { ...end, atMs: clock.nowMs(), durationMs: Math.round(clock.monotonicMs() - startedMs) };
      } finally {
        await removeAll(dependencies);
      }
    },
  };
}

type End = Pick<SyntheticCallResult, "outcome" | "errorCode">;

function failure(error: unknown): End {
  return { outcome: "failed", errorCode: error instanceof AppError ? error.code : "INTERNAL" };
}

async function analyseOne(dependencies: SyntheticCallDependencies, signal: AbortSignal): Promise<End | undefined> {
  const { intake, speechEngine } = dependencies;
  const authorized = authorize(SERVICE, "recording:create");
  const staged = await intake.receive(authorized, dependencies.openRecording());
  const { callId, taskId } = await intake.commit(authorized, staged, { language: "en", includeTranslation: false, speechEngine, isSynthetic: true });
  const job = await waitForEnd(dependencies, taskId, signal);
  if (signal.aborted || job === undefined) return undefined;
  if (!isEndedStatus(job.status)) return { outcome: "late" };
  if (job.status !== "completed") return { outcome: "failed", ...(job.errorCode === null ? {} : { errorCode: job.errorCode }) };
  const sealer = await dependencies.calls.openSealer(callId);
  const analysis = await dependencies.analyses.findAnalysis({ taskId, callId, sealer });
  if (analysis !== undefined && !isPartial(analysis)) return { outcome: "passed" };
  return { outcome: "failed", errorCode: analysis?.stages.find(({ error }) => error !== null)?.error?.code ?? "INTERNAL" };
}

/** @returns the job as it is when it, or patience, has ended; undefined when it is gone, or the signal came */
async function waitForEnd({ queue, bus, clock }: SyntheticCallDependencies, taskId: string, signal: AbortSignal): Promise<JobRecord | undefined> {
  const notices = listenFor(bus, `task/${taskId}`);
  const untilMs = clock.monotonicMs() + PATIENCE_MS;
  try {
    while (!signal.aborted) {
      const job = await queue.find(taskId);
      if (job === undefined || isEndedStatus(job.status) || clock.monotonicMs() >= untilMs) return job;
      await notices.next(LOOK_AGAIN_MS, signal);
    }
    return undefined;
  } finally {
    notices.close();
  }
}

/** Audio first: a crash after it leaves a call that the next turn finds. */
async function removeAll({ database, calls, audioStore, queue, masking }: SyntheticCallDependencies): Promise<void> {
  for (const { callId } of await calls.listCalls({ filter: { source: "synthetic" }, limit: REMOVED_AT_ONCE })) {
    const taskIds = await calls.listTaskIds(callId);
    for (const taskId of taskIds) await queue.cancel(taskId);
    for (const { audioKey } of await calls.listRecordings(callId)) await audioStore.remove(audioKey);
    await inUnitOfWork(database, async (unitOfWork) => {
      await calls.removeCall(callId, unitOfWork);
      await queue.forget(taskIds, { unitOfWork });
    });
    masking.forget(callId);
  }
}
