/** Running programs of the system (decoders, recognizers) so that they end when told to, and in time. */
import { spawn } from "node:child_process";

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTimedOut: boolean;
}

export interface ProgramOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
  /** What the program may take before the system ends it. */
  readonly limits?: { readonly memoryBytes: number; readonly fileBytes: number };
}

/** Output kept of each stream; more is read and dropped. */
const KEPT_CHARACTERS = 1_000_000;

/**
 * Runs a program found on the PATH, with nothing on its standard input.
 *
 * @throws the signal's reason when aborted; an `ENOENT` error when there is no such program.
 */
export function runProgram(name: string, programArguments: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const [program, ...rest] = confined(name, programArguments, options.limits);
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    // Its own process group, so that what it starts ends with it.
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It ended by itself just now.
      }
    };
    let stdout = "";
    let stderr = "";
    let isTimedOut = false;
    const timer = setTimeout(() => {
      isTimedOut = true;
      kill();
    }, options.timeoutMs);
    options.signal?.addEventListener("abort", kill);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < KEPT_CHARACTERS) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < KEPT_CHARACTERS) stderr += text;
    });
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", kill);
    };
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("close", (exitCode) => {
      settle();
      if (options.signal?.aborted === true) reject(options.signal.reason as Error);
      else resolve({ exitCode, stdout, stderr, isTimedOut });
    });
  });
}

/**
 * The shell sets limits on itself and then becomes the program. Arguments reach it as they are: no part of them is read
 * by the shell. A program that is not there exits with 127.
 */
function confined(name: string, programArguments: readonly string[], limits: ProgramOptions["limits"]): readonly [string, ...string[]] {
  if (limits === undefined) return [name, ...programArguments];
  // dash counts address space in kilobytes and files in blocks of 512 bytes.
  const setLimits = `ulimit -v ${Math.ceil(limits.memoryBytes / 1024)}; ulimit -f ${Math.ceil(limits.fileBytes / 512)}; ulimit -c 0; exec "$0" "$@"`;
  return ["/bin/sh", "-c", setLimits, name, ...programArguments];
}

/** True when the program is on the PATH and does what it is asked. */
export async function isProgramPresent(name: string, probeArguments: readonly string[] = ["-version"], okExitCodes: readonly number[] = [0]): Promise<boolean> {
  try {
    const { exitCode } = await runProgram(name, probeArguments, { timeoutMs: 10_000 });
    return exitCode !== null && okExitCodes.includes(exitCode);
  } catch {
    return false;
  }
}
