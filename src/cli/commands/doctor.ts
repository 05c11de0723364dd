/** `doctor`: what is here, what is missing, what to do. */
import type { Command } from "commander";
import { examine } from "../../app/doctor.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

const MARKS = { ok: "ok     ", note: "note   ", problem: "PROBLEM" } as const;

export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command("doctor")
    .description("check this machine and this configuration; exit 1 when something will not work")
    .option("--host <address>", "address the service will listen on")
    .option("--port <number>", "port of the HTTP gateway")
    .option("--stream-port <number>", "port for the telephone exchange")
    .option("--data-dir <directory>", "where everything is kept")
    .option("--config <file>", "settings as JSON")
    .action((options: CommonOptions & { host?: string; port?: string; streamPort?: string }) =>
      runCommand(context, options, async () => {
        const findings = await examine(configOf(context, options, { HOST: options.host, PORT: options.port, STREAM_PORT: options.streamPort }));
        for (const { name, level, detail } of findings) context.print(`${MARKS[level]}  ${name.padEnd(26)} ${detail}`);
        return findings.some(({ level }) => level === "problem") ? EXIT.internal : EXIT.done;
      }),
    );
}
