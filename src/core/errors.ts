/**
 * The one error class of the product.
 *
 * `safeMessage` says what, why and what to do, and never holds caller data; `cause` stays in memory and is never serialised to a client or a log.
 */
import type { ErrorCode } from "./error-catalogue.js";

export type { ErrorCode };

/** Extra facts a client may see: numbers, closed words and our own names; never free text. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface AppErrorOptions {
  readonly retryable?: boolean;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** An error with a stable code and a message that is safe to show. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly safeMessage: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, safeMessage: string, options: AppErrorOptions = {}) {
    super(safeMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.safeMessage = safeMessage;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** Coerces anything thrown into an `AppError`, once, at an edge; unknown things become `INTERNAL`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError("INTERNAL", "Something went wrong inside the service; the log has the error's class and place.", {
    retryable: true,
    cause: thrown,
  });
}
