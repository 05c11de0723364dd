/** `jobs`: look at jobs, retry or discard dead ones. */
import type { Command } from "commander";
import { type Administration, openAdministration } from "../../app/administration.js";
import { WORK_STATUSES } from "../../core/call.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

const LISTED = 200;

export function addJobsCommand(program: Command, context: CliContext): void {
  const jobs = program.command("jobs").description("jobs of the queue");
  const run = (options: CommonOptions, work: (administration: Administration) => Promise<void>): Promise<void> =>
    runCommand(context, options, async () => {
      const administration = await openAdministration(configOf(context, options), { create: false });
      try {
        await work(administration);
        return EXIT.done;
      } finally {
        await administration.close();
      }
    });
  jobs
    .command("list")
    .description("newest first; --failed shows the dead ones")
    .option("--failed", "only dead jobs")
    .option("--data-dir <directory>", "where everything is kept")
    .action((options: CommonOptions & { failed?: boolean }) =>
      run(options, async ({ queue }) => {
        const statuses = options.failed === true ? (["failed"] as const) : WORK_STATUSES;
        for (const job of await queue.list({ statuses, limit: LISTED })) {
          context.print(
            `${job.jobId}  ${job.queue.padEnd(11)} ${job.status.padEnd(10)} ${job.progress}%  attempt ${job.attempt}/${job.maxAttempts}  ${job.errorCode ?? ""}`,
          );
        }
      }),
    );
  jobs
    .command("retry")
    .argument("<id>")
    .description("queue a dead job again, with all its attempts")
    .option("--data-dir <directory>", "where everything is kept")
    .action((jobId: string, options: CommonOptions) => run(options, ({ retryJob }) => retryJob(jobId)));
  jobs
    .command("discard")
    .argument("<id>")
    .description("remove a dead job")
    .option("--data-dir <directory>", "where everything is kept")
    .action((jobId: string, options: CommonOptions) => run(options, ({ discardJob }) => discardJob(jobId)));
}
