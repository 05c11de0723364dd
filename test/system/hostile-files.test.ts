/** Every hostile recording through one service, some through the command line: refused in plain words or analysed, never more. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostileFile, writeHostileFiles } from "../support/hostile-files.js";
import { isMissing } from "../support/requirements.js";
import { type CliResult, runCli, type ServedService, serve } from "../support/run-cli.js";
import { ROOT } from "../support/source-tree.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const UPLOADS_AT_ONCE = 4;
const COMMANDS_AT_ONCE = 2;
/** An answer that is lost one time in ten is lost at least once among these. */
const REFUSED_UPLOADS = 80;
const TASK_DEADLINE_MS = 120_000;
const TASK_POLL_MS = 100;
const RSS_ALLOWANCE_MB = 50;
const RSS_DEADLINE_MS = 60_000;
/** A line of any /etc/passwd. */
const PASSWD_LINE = /root:/;

/** Through the command line too; one or two of each kind. */
const BY_COMMAND = [
  ...["empty.wav", "one-byte.wav", "utf16.wav", "playlist-of-a-recording.wav", "id3-playlist-of-a-recording.mp3", "id3-concat.mp3", "noise.m4a", "noise.amr"],
  ...["cut-at-1-tenths.wav", "cut-at-6-tenths.ogg", "data-size-unknown.wav", "format-length-huge.wav", "channels-8.wav", "rate-4294967295.wav"],
  ...["float-nan.wav", "only-headers.ogg", "six-hours.flac", "external-data.m4a"],
  ...["$(touch pwned).wav", "a;touch pwned;b.wav", "-i.wav", "--help.wav", "two\nlines.wav", "concat:good.wav|empty.wav", "no\nsound in\r\ntwo lines.wav"],
];

interface TaskBody {
  readonly status: string;
  readonly error?: { readonly code: string };
}

interface HttpOutcome {
  readonly file: HostileFile;
  /** Of the upload; 0 when no answer could be read. */
  readonly httpStatus: number;
  /** Of the upload's answer, or why none could be read. */
  readonly contentType: string;
  /** Of the problem document or of the task's error. */
  readonly code: string | undefined;
  /** How its task ended; undefined when there was none. */
  readonly taskStatus: string | undefined;
  /** Everything that was answered. */
  readonly answers: readonly string[];
}

interface CommandOutcome extends CliResult {
  readonly file: HostileFile;
}

async function forEachAtOnce<Item, Result>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = items[Symbol.iterator]();
  const workers = Array.from({ length: atOnce }, async () => {
    for (const item of waiting) results.push(await work(item));
  });
  await Promise.all(workers);
  return results;
}

/** An outcome also when no answer could be read, so that one such file does not hide what became of the others. */
async function sendTo(service: ServedService, file: HostileFile): Promise<HttpOutcome> {
  return exchangeWith(service, file).catch((error: unknown) => {
    const { message, cause } = error as Error;
    return { file, httpStatus: 0, contentType: `${message}: ${String(cause ?? "")}`, code: undefined, taskStatus: undefined, answers: [] };
  });
}

async function exchangeWith(service: ServedService, file: HostileFile): Promise<HttpOutcome> {
  const form = new FormData();
  form.set("audio", new Blob([new Uint8Array(readFileSync(file.path))]), file.name);
  form.set("language", "en");
  const response = await service.request("/audio/process", { method: "POST", body: form });
  const answer = await response.text();
  const contentType = response.headers.get("content-type") ?? "";
  const { task_id: taskId, code } = JSON.parse(answer) as { task_id?: string; code?: string };
  if (taskId === undefined) return { file, httpStatus: response.status, contentType, code, taskStatus: undefined, answers: [answer] };
  let task = "";
  const statusOf = (): TaskBody => JSON.parse(task) as TaskBody;
  await until(
    `the task of ${JSON.stringify(file.name)} has ended`,
    async () => {
      task = await (await service.request(`/audio/task/${taskId}`)).text();
      return !["queued", "processing"].includes(statusOf().status);
    },
    TASK_DEADLINE_MS,
    TASK_POLL_MS,
  );
  const { status: taskStatus, error } = statusOf();
  return { file, httpStatus: response.status, contentType, code: error?.code, taskStatus, answers: [answer, task] };
}

/** What is wrong with the outcome, in one line for each fault that names the file. */
function httpFaults({ file, httpStatus, contentType, code, taskStatus, answers }: HttpOutcome): readonly string[] {
  if (httpStatus === 0) return [`${JSON.stringify(file.name)}: no answer could be read: ${contentType}`];
  const faults: string[] = [];
  const wasAnalysed = taskStatus === "completed";
  const wasRefused = taskStatus === "failed" || taskStatus === undefined;
  if (taskStatus === undefined && (httpStatus < 400 || httpStatus > 499)) faults.push(`was answered with ${httpStatus}, neither accepted nor a 4xx`);
  if (taskStatus === undefined && !contentType.startsWith("application/problem+json")) faults.push(`was refused with ${contentType}, no problem document`);
  if (taskStatus !== undefined && httpStatus !== 202) faults.push(`was accepted with ${httpStatus}`);
  if (!wasAnalysed && !wasRefused) faults.push(`its task ended as ${taskStatus}`);
  if (wasRefused && code?.startsWith("AUDIO_") !== true) faults.push(`was refused with the code ${code}`);
  if (file.fate === "refused" && wasAnalysed) faults.push("was analysed and should have been refused");
  if (file.fate === "analysed" && wasRefused) faults.push(`was refused (${httpStatus}, ${code}) and should have been analysed`);
  if (answers.some((answer) => PASSWD_LINE.test(answer))) faults.push("brought /etc/passwd into an answer");
  return faults.map((fault) => `${JSON.stringify(file.name)}: ${fault}`);
}

function commandFaults({ file, exitCode, stdout, stderr }: CommandOutcome): readonly string[] {
  const faults: string[] = [];
  const acceptable = { refused: [2], analysed: [0, 4], either: [0, 2, 4] }[file.fate];
  if (exitCode === null || !acceptable.includes(exitCode))
    faults.push(`ended with ${exitCode} instead of ${acceptable.join(" or ")}: ${JSON.stringify(stderr)}`);
  if (exitCode === 2) {
    if (stdout !== "") faults.push(`was refused with something on stdout: ${JSON.stringify(stdout.slice(0, 200))}`);
    if (!/^openchs-ai: [^\r\n]+ \([A-Z]+(_[A-Z]+)+\)\n$/.test(stderr))
      faults.push(`was refused with other than one line that ends with a code: ${JSON.stringify(stderr)}`);
    if (!/[\r\n]/.test(file.name) && !stderr.startsWith(`openchs-ai: ${file.name}: `))
      faults.push(`was refused without its path first: ${JSON.stringify(stderr)}`);
  } else if (exitCode === 0 || exitCode === 4) {
    if (!stdout.startsWith('{"call_id"')) faults.push(`was analysed without an analysis on stdout: ${JSON.stringify(stdout.slice(0, 200))}`);
  }
  if (PASSWD_LINE.test(stdout + stderr)) faults.push("brought /etc/passwd into what it printed");
  return faults.map((fault) => `${JSON.stringify(file.name)}: ${fault}`);
}

function residentMb(processId: number | undefined): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${processId}/status`, "utf8"));
  return Number(found?.[1]) / 1_024;
}

describe.skipIf(isMissing("pocketsphinx", "ffmpeg"))("hostile recordings", () => {
  let directory: TemporaryDirectory;
  let service: ServedService;
  let files: readonly HostileFile[];
  let hostilePath: string;
  let outcomes: readonly HttpOutcome[];
  let warmRssMb: number;
  let canaryRequests = 0;
  const canary = createServer((_request, response) => {
    canaryRequests += 1;
    response.end("root:x:0:0:root:/root:/bin/bash\n");
  });

  const fileOf = (name: string): HostileFile => {
    const found = files.find((file) => file.name === name);
    if (found === undefined) throw new Error(`there is no hostile file ${JSON.stringify(name)}`);
    return found;
  };

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
    hostilePath = join(directory.path, "hostile");
    mkdirSync(hostilePath);
    await new Promise<void>((resolve) => canary.listen(0, "127.0.0.1", resolve));
    files = writeHostileFiles(hostilePath, `http://127.0.0.1:${(canary.address() as AddressInfo).port}/call.wav`);
    service = await serve(join(directory.path, "data"), { cwd: hostilePath });
    await sendTo(service, fileOf("good.wav"));
    warmRssMb = residentMb(service.child.pid);
    outcomes = await forEachAtOnce(files, UPLOADS_AT_ONCE, (file) => sendTo(service, file));
  });

  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    canary.close();
    await directory.remove();
  });

  it("are refused with an audio code or analysed, each as it deserves, and none ends in an internal error", () => {
    expect(outcomes.flatMap(httpFaults)).toEqual([]);
    expect(outcomes.length).toBe(files.length);
    expect(files.length).toBeGreaterThanOrEqual(60);
  });

  it("leave a service that is ready and analyses the next good recording", async () => {
    expect((await service.request("/health/ready")).status).toBe(200);
    expect(httpFaults(await sendTo(service, fileOf("good.wav")))).toEqual([]);
    expect(service.stderr()).not.toMatch(PASSWD_LINE);
  });

  it("are refused in an answer that reaches the client every time, also when the client is still sending", async () => {
    const refusals = await forEachAtOnce(
      Array.from({ length: REFUSED_UPLOADS }, (_, index) => fileOf(index % 2 === 0 ? "letter.wav" : "gzip-bomb.mp3")),
      1,
      (file) => sendTo(service, file),
    );
    expect(refusals.flatMap(httpFaults)).toEqual([]);
  });

  it("have no network address asked for, no command run and no recording left in clear", async () => {
    expect(canaryRequests).toBe(0);
    const made = [...readdirSync(directory.path, { recursive: true, encoding: "utf8" }), ...readdirSync(ROOT)].map((path) => path.split("/").at(-1));
    expect(made).not.toContain("pwned");
    await until("the work folder is empty", () => readdirSync(join(directory.path, "data", "work")).length === 0);
  });

  it("end the command line with 2 and one line, or with an analysis, whatever they are called", async () => {
    const commands = await forEachAtOnce(BY_COMMAND.map(fileOf), COMMANDS_AT_ONCE, async (file): Promise<CommandOutcome> => {
      const result = await runCli(["process", "--json", "--language", "en", "--", file.name], { cwd: hostilePath });
      return { file, ...result };
    });
    expect(commands.flatMap(commandFaults)).toEqual([]);
    expect(commands).toHaveLength(25);
    expect(canaryRequests).toBe(0);
    expect(readdirSync(hostilePath)).not.toContain("pwned");
  });

  // Last: it has had the time of the commands for it.
  it("give the main process's memory back", async () => {
    const isBack = (): boolean => residentMb(service.child.pid) <= warmRssMb + RSS_ALLOWANCE_MB;
    const describeMemory = (): string => `${Math.round(residentMb(service.child.pid))} MB resident, ${Math.round(warmRssMb)} MB after the first job`;
    await until("the main process's memory is back", isBack, RSS_DEADLINE_MS, 250).catch(() => expect.fail(describeMemory()));
  });
});
