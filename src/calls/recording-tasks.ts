/** What became of a recording: its task, its stages and, for those who may read it, its analysis. */
import type { AnalysisResult, StageReport } from "../core/analysis-result.js";
import type { WorkStatus } from "../core/call.js";
import type { Clock } from "../core/clock.js";
import { AppError, type ErrorCode } from "../core/errors.js";
import { isId } from "../core/ids.js";
import { PROCESS_RECORDING, processRecordingPayload } from "../protocol/job-payloads.js";
import type { CancelOutcome, JobRecord, QueueBackend } from "../queue/queue-backend.js";
import { type AuditAction, type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Actor, Authorized } from "../security/authorization.js";
import { recordCallReading } from "../security/call-reading.js";
import { coverAnalysis } from "../security/masking/cover-text.js";
import type { AnalysisRepository } from "../storage/repositories/analysis-repository.js";
import { type CallEndingDependencies, endCall } from "./call-ending.js";
import type { TextMasking } from "./text-masking.js";

export interface RecordingTask {
  readonly taskId: string;
  readonly callId: string;
  readonly status: WorkStatus;
  readonly progress: number;
  readonly currentStep: string;
  readonly stages: readonly Omit<StageReport, "error">[];
  readonly result?: AnalysisResult;
  readonly errorCode?: ErrorCode;
}

export interface RecordingTasks {
  /**
   * A task, with its analysis when it is done. The text of the call is shown to roles with `transcript:read` only, and
   * reading it leaves an audit record first; others get the analysis with every text masked.
   *
   * @throws AppError `QUEUE_JOB_NOT_FOUND`, `AUDIT_SINK_UNAVAILABLE`
   */
  get(authorized: Authorized<"task:read">, taskId: string): Promise<RecordingTask>;
  /** @throws AppError `QUEUE_JOB_NOT_FOUND` */
  cancel(authorized: Authorized<"task:cancel">, taskId: string): Promise<Exclude<CancelOutcome, "unknown">>;
  /** Queued and running tasks, newest first, without results. */
  listActive(
    authorized: Authorized<"task:read">,
    page: { readonly limit: number; readonly before?: string },
  ): Promise<readonly Omit<RecordingTask, "stages" | "result">[]>;
}

export interface RecordingTasksDependencies extends CallEndingDependencies {
  readonly queue: QueueBackend;
  readonly analyses: AnalysisRepository;
  readonly masking: TextMasking;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** The use cases around a recording's task. */
export function createRecordingTasks(dependencies: RecordingTasksDependencies): RecordingTasks {
  const { queue, calls, analyses } = dependencies;
  const findJob = async (taskId: string): Promise<JobRecord> => {
    const job = isId(taskId) ? await queue.find(taskId) : undefined;
    // Other kinds of work have ids too, and paths of their own.
    if (job?.jobName !== PROCESS_RECORDING) throw taskNotFound();
    return job;
  };
  const record = (actor: Actor, action: AuditAction, target: string): Promise<void> => recordAllowed(dependencies, actor, action, target);

  return {
    async get({ actor }, taskId) {
      const task = toTask(await findJob(taskId));
      // The call was deleted while this task ran: its job stays until it has noticed.
      if (!(await calls.hasCall(task.callId))) throw taskNotFound();
      const stages = await analyses.listStageReports(taskId);
      if (task.status !== "completed") return { ...task, stages };
      const { maySeeText } = await recordCallReading(dependencies, actor, task.callId);
      const call = { callId: task.callId, sealer: await calls.openSealer(task.callId) };
      const result = await analyses.findAnalysis({ taskId, ...call });
      if (result === undefined) return { ...task, stages };
      return { ...task, stages, result: maySeeText ? result : coverAnalysis(result, await dependencies.masking.coverOf(call)) };
    },
    async cancel({ actor }, taskId) {
      const { callId } = toTask(await findJob(taskId));
      const outcome = await queue.cancel(taskId);
      await record(actor, "task.cancelled", callId);
      if (outcome === "cancelled") await endCall(dependencies, { taskId, callId, status: "cancelled", errorCode: "QUEUE_JOB_CANCELLED" });
      if (outcome === "unknown") throw taskNotFound();
      return outcome;
    },
    async listActive(_authorized, { limit, before }) {
      const page = { limit, ...(before === undefined ? {} : { beforeJobId: before }) };
      return (await queue.list({ jobName: PROCESS_RECORDING, statuses: ["queued", "processing"], ...page })).map(toTask);
    },
  };
}

function taskNotFound(): AppError {
  return new AppError("QUEUE_JOB_NOT_FOUND", "There is no task with this id.");
}

function toTask(job: JobRecord): Omit<RecordingTask, "stages" | "result"> {
  const { callId } = processRecordingPayload.parse(job.payload);
  return {
    taskId: job.jobId,
    callId,
    status: job.status,
    progress: job.progress,
    currentStep: job.step,
    ...(job.errorCode === null || job.status === "completed" ? {} : { errorCode: job.errorCode }),
  };
}
