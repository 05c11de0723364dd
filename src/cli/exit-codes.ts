/** What the process's exit code says. */
import { AppError } from "../core/errors.js";

export const EXIT = { done: 0, internal: 1, badInput: 2, engineMissing: 3, partial: 4 } as const;

const INTERNAL_CODES = [
  "INTERNAL",
  "STORAGE_UNAVAILABLE",
  "STORAGE_FULL",
  "MODEL_PROCESS_FAILED",
  "MODEL_DEADLINE_EXCEEDED",
  "AUDIT_CHAIN_BROKEN",
  "AUDIT_SINK_UNAVAILABLE",
  "REDIS_UNAVAILABLE",
];

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AppError)) return EXIT.internal;
  if (error.code === "MODEL_ENGINE_UNKNOWN") return EXIT.engineMissing;
  return INTERNAL_CODES.includes(error.code) ? EXIT.internal : EXIT.badInput;
}
