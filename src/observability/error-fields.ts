/** What a log line may say of something thrown: its code, class and place; never its message. */
import { AppError } from "../core/errors.js";
import type { LogFields } from "../core/log.js";

/** Walks to the deepest `cause` for class and place, because that is where the fault is. */
export function errorFields(thrown: unknown): LogFields {
  let deepest = thrown;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  const place = deepest instanceof Error ? firstFrame(deepest.stack) : undefined;
  return {
    errorCode: thrown instanceof AppError ? thrown.code : "INTERNAL",
    errorClass: deepest instanceof Error ? deepest.constructor.name : typeof deepest,
    ...(place === undefined ? {} : { errorPlace: place }),
  };
}

/** `file.js:12:3` of the first stack frame: the frame names code, never data. */
function firstFrame(stack: string | undefined): string | undefined {
  const frame = stack?.split("\n").find((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  return frame === undefined ? undefined : /([^/\\( ]+:\d+:\d+)\)?$/.exec(frame)?.[1];
}
