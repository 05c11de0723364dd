/**
 * The logger contract. Messages are static strings and fields are a closed list of names whose values are numbers,
 * our own ids or closed words: no text of a call, no number of a caller and no path can be passed at all.
 */
import type { ErrorCode } from "./errors.js";

/** Everything a log line may carry. Add a field only if its values can never hold personal data. */
export interface LogFields {
  readonly callId?: string;
  readonly jobId?: string;
  readonly jobName?: string;
  readonly queue?: string;
  readonly attempt?: number;
  readonly stage?: string;
  readonly modelTask?: string;
  readonly engine?: string;
  readonly errorCode?: ErrorCode;
  readonly errorClass?: string;
  readonly errorPlace?: string;
  readonly durationMs?: number;
  readonly count?: number;
  readonly port?: number;
  readonly host?: string;
  readonly processId?: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly statusCode?: number;
  readonly route?: string;
  readonly method?: string;
  readonly service?: string;
  readonly version?: string;
}

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A logger that drops everything; for one-shot commands and unit tests. */
export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
