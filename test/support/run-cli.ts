/** Runs the built command line as an operator would. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./source-tree.js";

export const CLI = join(ROOT, "dist", "cli", "main.js");

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** On top of this process's; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export function spawnCli(commandLine: readonly string[], { env = {}, cwd = ROOT }: CliOptions = {}): ChildProcess {
  return spawn(process.execPath, [CLI, ...commandLine], { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
}

export async function runCli(commandLine: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnCli(commandLine, options);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { exitCode, stdout, stderr };
}

export interface ServedService extends AsyncDisposable {
  readonly url: string;
  readonly streamPort: number;
  readonly adminKey: string;
  readonly child: ChildProcess;
  /** Everything it has printed to stderr. */
  stderr(): string;
  request(path: string, init?: RequestInit): Promise<Response>;
  json<Body>(path: string, init?: RequestInit): Promise<Body>;
  /** Uploads audio; resolves with the acknowledged task id. */
  upload(audio: Blob, fields?: Readonly<Record<string, string>>): Promise<string>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `serve` on a free port and waits until it says where it listens. */
export async function serve(dataDirectory: string, options: CliOptions & { readonly commandLine?: readonly string[] } = {}): Promise<ServedService> {
  const child = spawnCli(["serve", "--port", "0", "--stream-port", "0", "--data-dir", dataDirectory, ...(options.commandLine ?? [])], options);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const { url, streamPort } = await new Promise<{ url: string; streamPort: number }>((resolve, reject) => {
    let stdout = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const found = /listens on (https?:\/\/[^\s,]+), for the exchange on \S+:(\d+)/.exec(stdout);
      if (found?.[1] !== undefined) resolve({ url: found[1], streamPort: Number(found[2]) });
    });
    void exited.then((code) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
  });
  const adminKey = (await readFile(join(dataDirectory, "admin.key"), "utf8")).trim();
  const request = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${adminKey}`, ...init.headers } });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return {
    url,
    streamPort,
    adminKey,
    child,
    stderr: () => stderr,
    request,
    json: async <Body>(path: string, init?: RequestInit) => (await (await request(path, init)).json()) as Body,
    async upload(audio, fields = {}) {
      const form = new FormData();
      form.set("audio", audio, "recording");
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      const response = await request("/audio/process", { method: "POST", body: form });
      if (response.status !== 202) throw new Error(`upload was answered with ${response.status}`);
      return ((await response.json()) as { task_id: string }).task_id;
    },
    end,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    },
  };
}
