/** The one logger: pino behind the `Logger` contract, JSON lines on stderr so that stdout stays for results. */
import { pino } from "pino";
import type { Logger } from "../core/log.js";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Creates a logger that writes to file descriptor 2. */
export function createLogger(options: { readonly level: LogLevel }): Logger {
  const sink = pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2));
  return {
    debug: (message, fields) => sink.debug(fields ?? {}, message),
    info: (message, fields) => sink.info(fields ?? {}, message),
    warn: (message, fields) => sink.warn(fields ?? {}, message),
    error: (message, fields) => sink.error(fields ?? {}, message),
  };
}
