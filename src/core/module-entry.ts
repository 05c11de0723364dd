/**
 * Names the module of a worker thread or child process beside the caller, whether the code runs built (`.js`) or from
 * source under tsx or vitest (`.ts`, for which the new thread or process needs the tsx loader as well).
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/** What `child_process.fork` needs. */
export interface ProcessEntry {
  readonly url: URL;
  /** Node options the process must be started with. */
  readonly execArgv: readonly string[];
}

/**
 * For threads that pass on many small things: what they throw away is collected in small portions, instead of standing for a
 * hundred megabytes before the collector comes.
 */
export const BUSY_THREAD_LIMITS = { maxYoungGenerationSizeMb: 8 } as const;

/** What `new Worker(entry, { eval })` needs. */
export interface ThreadEntry {
  /** A file, or a line of code that loads it. */
  readonly entry: URL | string;
  readonly eval: boolean;
}

/**
 * @param callerUrl - the caller's `import.meta.url`.
 * @param name - relative module without extension, e.g. `./inference-process`.
 */
export function processEntry(callerUrl: string, name: string): ProcessEntry {
  return { url: moduleUrl(callerUrl, name), execArgv: isSource(callerUrl) ? ["--import", "tsx"] : [] };
}

/** As `processEntry`, for a thread. A thread does not take over a loader by option, so from source it is given one by code. */
export function threadEntry(callerUrl: string, name: string): ThreadEntry {
  const url = moduleUrl(callerUrl, name);
  if (!isSource(callerUrl)) return { entry: url, eval: false };
  const loader = pathToFileURL(
    createRequire(callerUrl)
      .resolve("tsx/esm/api")
      .replace(/\.cjs$/, ".mjs"),
  );
  const quoted = (target: URL): string => JSON.stringify(target.href);
  return { entry: `import(${quoted(loader)}).then(({ register }) => { register(); return import(${quoted(url)}); });`, eval: true };
}

function isSource(callerUrl: string): boolean {
  return callerUrl.endsWith(".ts");
}

function moduleUrl(callerUrl: string, name: string): URL {
  return new URL(`${name}${isSource(callerUrl) ? ".ts" : ".js"}`, callerUrl);
}
