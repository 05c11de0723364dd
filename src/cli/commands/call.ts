/** `call`: play recordings into the live port as an exchange would, and print what comes back. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { CALL_PROTOCOLS, type CallProtocol } from "../../app/call/leg-messages.js";
import { type PlayedCall, playCalls } from "../../app/call/play-calls.js";
import { waitForShutdownSignal } from "../../app/shutdown-signals.js";
import { AppError } from "../../core/errors.js";
import { type CliContext, type CommonOptions, configOf, runCommand } from "../context.js";
import { EXIT } from "../exit-codes.js";

interface CallOptions extends CommonOptions {
  readonly to?: string;
  readonly api?: string;
  readonly keyFile?: string;
  readonly protocol: string;
  readonly agent?: string;
  readonly calls: string;
  readonly pace: string;
  readonly split: string;
  readonly skew: string;
  readonly dropAfter: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

export function addCallCommand(program: Command, context: CliContext): void {
  program
    .command("call")
    .argument("<file>", "WAV file; a stereo file is played as two legs, left the caller")
    .description("play a recording into the live port as an exchange would, and print what comes back")
    .option("--to <host:port>", "the telephony port (default: this machine, at STREAM_PORT)")
    .option("--api <url>", "the gateway, to follow the call (default: this machine, at PORT)")
    .option("--key-file <file>", "file with an API key (default: admin.key in the data directory)")
    .option("--protocol <name>", "audiosocket, id-line or websocket", "audiosocket")
    .option("--agent <file>", "WAV file of the counsellor's leg")
    .option("--calls <number>", "calls at the same time", "1")
    .option("--pace <times>", "times real time; 0 is as fast as it is taken", "1")
    .option("--split <bytes>", "cut writes into so many bytes", "0")
    .option("--skew <ms>", "start the second leg so much later", "0")
    .option("--drop-after <share>", "break off without a goodbye after this share of the audio, 0 to 1", "1")
    .option("--no-wait", "do not wait for the analysis after the call")
    .option("--json", "one JSON object a call on stdout")
    .option("--data-dir <directory>", "where the service keeps its data")
    .option("--config <file>", "settings as JSON")
    .option("--verbose", "show the stack of a failure")
    .action((file: string, options: CallOptions) => runCommand(context, options, () => call(context, file, options)));
}

/** @returns 0; 4 when a call did not arrive whole. */
async function call(context: CliContext, file: string, options: CallOptions): Promise<number> {
  const config = configOf(context, options);
  const { host, port } = addressOf(options.to ?? `${config.telephony.host ?? config.gateway.host}:${config.telephony.port}`);
  const protocol = CALL_PROTOCOLS.find((known): known is CallProtocol => known === options.protocol);
  if (protocol === undefined) throw new AppError("CONFIG_INVALID", `--protocol must be one of ${CALL_PROTOCOLS.join(", ")}.`);
  const api = options.api ?? `${config.tls.certificateFile === undefined ? "http" : "https"}://${config.gateway.host}:${config.gateway.port}`;
  if (!URL.canParse(api)) throw new AppError("CONFIG_INVALID", "--api must be an address such as http://127.0.0.1:8125.");
  const keyFile = options.keyFile ?? join(config.dataDirectory, "admin.key");
  const apiKey = await readFile(keyFile, "utf8").then(
    (text) => text.trim(),
    (cause: unknown) => {
      if (options.keyFile === undefined) return undefined;
      throw new AppError("CONFIG_INVALID", "The key file can't be read; check the path of --key-file.", { cause });
    },
  );
  const stop = new AbortController();
  void waitForShutdownSignal().then(() => stop.abort());
  const played = await playCalls({
    ...{ file, agentFile: options.agent, protocol, host, port, api: new URL(api), apiKey },
    calls: numberOf("--calls", options.calls, 1, 10_000),
    pace: numberOf("--pace", options.pace, 0, 1_000),
    splitBytes: numberOf("--split", options.split, 0, 65_536),
    skewMs: numberOf("--skew", options.skew, 0, 600_000),
    dropAfterShare: numberOf("--drop-after", options.dropAfter, 0, 1),
    waitForAnalysis: options.wait !== false,
    signal: stop.signal,
    ...(options.json === true ? {} : { onLine: context.print }),
  });
  for (const one of played) context.print(options.json === true ? JSON.stringify(one) : summaryOf(one));
  return played.every(({ isCutOff }) => !isCutOff) ? EXIT.done : EXIT.partial;
}

function summaryOf({ callId, sentMs, bytesBack, receivedMs, isCutOff, finals }: PlayedCall): string {
  const received = receivedMs === undefined ? "" : `, ${receivedMs} ms received`;
  const texts = finals === undefined ? "" : `, ${finals} settled segments`;
  return `call ${callId}: ${sentMs} ms sent${received}${texts}, ${bytesBack} bytes came back${isCutOff ? "; the service closed a connection early" : ""}`;
}

function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match === null) throw new AppError("CONFIG_INVALID", "--to must be HOST:PORT, such as 127.0.0.1:8301.");
  return { host: (match[1] ?? "").replace(/^\[|\]$/g, ""), port: Number(match[2]) };
}

function numberOf(option: string, text: string, min: number, max: number): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= min && value <= max)) throw new AppError("CONFIG_INVALID", `${option} must be a number from ${min} to ${max}.`);
  return value;
}
