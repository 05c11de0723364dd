/** Which file of `commands/` each command is in. Only what is run is loaded: all of them take half a second more to start. */
import type { Command } from "commander";
import type { CliContext } from "./context.js";

type AddCommand = (program: Command, context: CliContext) => void;

const loadRoles = async (): Promise<AddCommand> => (await import("./commands/roles.js")).addRoleCommands;
const loadStoredData = async (): Promise<AddCommand> => (await import("./commands/stored-data.js")).addStoredDataCommands;

/** In the order of the help. */
export const COMMAND_LOADERS: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ["serve", async () => (await import("./commands/serve.js")).addServeCommand],
  ["api", loadRoles],
  ["worker", loadRoles],
  ["stream", loadRoles],
  ["process", async () => (await import("./commands/process.js")).addProcessCommand],
  ["call", async () => (await import("./commands/call.js")).addCallCommand],
  ["keys", async () => (await import("./commands/keys.js")).addKeysCommand],
  ["jobs", async () => (await import("./commands/jobs.js")).addJobsCommand],
  ["models", async () => (await import("./commands/models.js")).addModelsCommand],
  ["evaluate", async () => (await import("./commands/evaluate.js")).addEvaluateCommand],
  ["migrate", loadStoredData],
  ["backup", loadStoredData],
  ["restore", loadStoredData],
  ["audit", async () => (await import("./commands/audit.js")).addAuditCommand],
  ["doctor", async () => (await import("./commands/doctor.js")).addDoctorCommand],
  ["install-service", async () => (await import("./commands/install-service.js")).addInstallServiceCommand],
  ["openapi", async () => (await import("./commands/openapi.js")).addOpenapiCommand],
  ["watch", async () => (await import("./commands/watch.js")).addWatchCommand],
  ["demo", async () => (await import("./commands/demo.js")).addDemoCommand],
]);

/**
 * Adds what the command line may need to the program: one command's file, or all where the help is asked for or a word is wrong.
 *
 * @param word - the first of the command line
 */
export async function addCommands(program: Command, context: CliContext, word: string | undefined): Promise<void> {
  const only = word === undefined ? undefined : COMMAND_LOADERS.get(word);
  const loaders = only === undefined ? new Set(COMMAND_LOADERS.values()) : [only];
  for (const load of loaders) (await load())(program, context);
}
