/**
 * Names the file of a worker thread or child process beside the caller, whether the code runs built (`.js`) or from
 * source under tsx or vitest (`.ts`, which needs the tsx loader in the new thread or process as well).
 */

export interface ModuleEntry {
  readonly url: URL;
  /** Node options the thread or process must be started with. */
  readonly execArgv: readonly string[];
}

/**
 * @param callerUrl - the caller's `import.meta.url`.
 * @param name - relative module without extension, e.g. `./database-thread`.
 */
export function moduleEntry(callerUrl: string, name: string): ModuleEntry {
  const isSource = callerUrl.endsWith(".ts");
  return {
    url: new URL(`${name}${isSource ? ".ts" : ".js"}`, callerUrl),
    execArgv: isSource ? ["--import", "tsx"] : [],
  };
}
