/** `openchs-ai watch` on a folder of the test's own, as an operator runs it beside a service. */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ServedService, spawnCli } from "./run-cli.js";

export interface WatchProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  stdout(): string;
  /** Lines of stderr so far. */
  errorLines(): readonly string[];
  /** Resolves with the exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface WatchOptions {
  readonly to: string;
  readonly keyFile: string;
  readonly settleSeconds?: number;
  readonly isOnce?: boolean;
  readonly language?: string;
}

export function watch(directory: string, { to, keyFile, settleSeconds = 1, isOnce = false, language = "en" }: WatchOptions): WatchProcess {
  const options = ["--to", to, "--key-file", keyFile, "--settle", String(settleSeconds), "--language", language, ...(isOnce ? ["--once"] : [])];
  const child = spawnCli(["watch", directory, ...options]);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return ended;
  };
  return {
    child,
    stdout: () => stdout,
    errorLines: () => stderr.split("\n").filter((line) => line !== ""),
    ended,
    end,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    },
  };
}

/** A finished file, as a recorder leaves one: written beside, then moved into place. */
export function put(directory: string, name: string, content: Buffer | string): string {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  const beside = join(dirname(path), `.${Math.random().toString(36).slice(2)}.part`);
  writeFileSync(beside, content);
  renameSync(beside, path);
  return path;
}

/** Files below a folder of the watched one, sorted; none when it is not there. */
export function filesIn(directory: string, folder: string): readonly string[] {
  const path = join(directory, folder);
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

export async function countCalls(service: ServedService): Promise<number> {
  const { items } = await service.json<{ items: readonly unknown[] }>("/api/v1/calls?limit=500");
  return items.length;
}
