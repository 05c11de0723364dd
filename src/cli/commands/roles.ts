/** `api`, `worker`, `stream`: one part of the work each, beside other processes, until a signal. */
import type { Command } from "commander";
import { startService } from "../../app/lifecycle.js";
import type { ProcessRole } from "../../app/roles/process-role.js";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { AppError } from "../../core/errors.js";
import { createLogger } from "../../observability/logger.js";
import { QUEUE_NAMES, type QueueName } from "../../queue/queue-backend.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface RoleOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: string;
  readonly streamPort?: string;
  readonly queues?: string;
  readonly device?: string;
}

const ROLES: Readonly<Record<Exclude<ProcessRole, "serve">, string>> = {
  api: "run the HTTP gateway: uploads, history, events, the dashboard",
  worker: "run models and work on recordings and questions",
  stream: "take live calls from the exchange",
};

/** Each needs DATABASE_URL, REDIS_URL, AUDIO_STORE_URL and MASTER_KEY_FILE. */
export function addRoleCommands(program: Command, context: CliContext): void {
  for (const [role, description] of Object.entries(ROLES) as [Exclude<ProcessRole, "serve">, string][]) {
    const command = program
      .command(role)
      .description(`${description}; beside others, over one database and one Redis`)
      .option("--host <address>", "address to listen on (default 127.0.0.1)")
      .option("--port <number>", "port of the HTTP gateway (default 8125)")
      .option("--data-dir <directory>", "scratch space of this process alone")
      .option("--config <file>", "settings as JSON")
      .option("--verbose", "show the stack of a failure");
    if (role === "stream") command.option("--stream-port <number>", "port for the telephone exchange (default 8301)");
    if (role === "worker") {
      command.option("--queues <names>", `of ${QUEUE_NAMES.join(",")}; those that have work when left out`);
      command.option("--device <device>", "where models run: auto, cpu or cuda");
    }
    command.action((options: RoleOptions) => runCommand(context, options, () => runRole(context, role, options)));
  }
}

async function runRole(context: CliContext, role: ProcessRole, options: RoleOptions): Promise<number> {
  const queues = options.queues === undefined ? undefined : readQueues(options.queues);
  const settings = { HOST: options.host, PORT: options.port, STREAM_PORT: options.streamPort, MODEL_DEVICE: options.device };
  const config = configOf(context, options, settings);
  const logger = createLogger({ level: config.logLevel });
  const service = await startService(config, logger, { role, ...(queues === undefined ? {} : { queues }) });
  // Before it says that it is there: whoever reads that may stop it at once.
  const asked = waitForShutdownSignal();
  const exchange = service.streamAddress === undefined ? "" : `, for the exchange on ${service.streamAddress}`;
  context.print(`openchs-ai ${role} listens on ${service.url}${exchange}`);
  const signal = await asked;
  logger.info("Stopping: running work may finish first", { signal });
  await service.stop();
  return EXIT.done;
}

function readQueues(text: string): readonly QueueName[] {
  const names = text.split(",").map((name) => name.trim());
  const queues = QUEUE_NAMES.filter((name) => names.includes(name));
  if (queues.length !== names.length) throw new AppError("CONFIG_INVALID", `--queues must be some of ${QUEUE_NAMES.join(",")}.`);
  return queues;
}
