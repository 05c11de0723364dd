/** `serve`: everything in one process tree, until a signal. */
import { type Command, Option } from "commander";
import { startService } from "../../app/lifecycle.js";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { createLogger } from "../../observability/logger.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface ServeOptions extends CommonOptions {
  readonly host?: string;
  readonly port?: string;
  readonly streamPort?: string;
}

export function addServeCommand(program: Command, context: CliContext): void {
  program
    .command("serve")
    .description("run the service: HTTP gateway, worker and models in one process tree")
    .option("--host <address>", "address to listen on (default 127.0.0.1)")
    .option("--port <number>", "port of the HTTP gateway (default 8125)")
    .option("--stream-port <number>", "port for the telephone exchange (default 8301)")
    .option("--data-dir <directory>", "where everything is kept")
    .option("--config <file>", "settings as JSON")
    .addOption(new Option("--verbose", "show the stack of a failure"))
    .action((options: ServeOptions) => runCommand(context, options, () => serve(context, options)));
}

async function serve(context: CliContext, options: ServeOptions): Promise<number> {
  const config = configOf(context, options, { HOST: options.host, PORT: options.port, STREAM_PORT: options.streamPort });
  const logger = createLogger({ level: config.logLevel });
  const service = await startService(config, logger);
  // Before it says that it is there: whoever reads that may stop it at once.
  const asked = waitForShutdownSignal();
  if (service.masterKeyCreated) {
    context.printError(
      `\n*** A master key was made: ${service.masterKeyPath}\n*** Copy it to a safe place NOW. Without it no transcript and no recording can ever be read again.\n`,
    );
  }
  context.print(
    `openchs-ai listens on ${service.url}, for the exchange on ${service.streamAddress} (first admin key: ${service.adminKeyPath}; API page: ${service.url}/docs)`,
  );
  const signal = await asked;
  logger.info("Stopping: running work may finish first", { signal });
  await service.stop();
  return EXIT.done;
}
