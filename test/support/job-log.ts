/** What a consumer's handler saw, and short ways to ask how a job stands. */
import type { WorkStatus } from "../../src/core/call.js";
import type { JobContext, JobHandler, JobRecord, NewJob, QueueBackend } from "../../src/queue/queue-backend.js";
import { until } from "./until.js";

export function job(jobName: string, more: Partial<NewJob> = {}): NewJob {
  return { jobName, payload: {}, ...more };
}

export interface JobLog {
  readonly seen: JobRecord[];
  readonly names: () => readonly string[];
  readonly handler: JobHandler;
}

/** A handler that notes each call and then does `work`, if any. */
export function logJobs(work?: (context: JobContext) => Promise<void>): JobLog {
  const seen: JobRecord[] = [];
  return {
    seen,
    names: () => seen.map(({ jobName }) => jobName),
    async handler(context) {
      seen.push(context.job);
      await work?.(context);
    },
  };
}

export async function untilStatus(queue: QueueBackend, jobId: string, status: WorkStatus): Promise<JobRecord> {
  let record: JobRecord | undefined;
  await until(`the job is ${status}`, async () => {
    record = await queue.find(jobId);
    return record?.status === status;
  });
  if (record === undefined) throw new Error("a job was expected");
  return record;
}
