/** The answer to whoever asks after a call that is not there, or not any more. */
import { AppError } from "../core/errors.js";

export function callNotFound(): AppError {
  return new AppError("CALL_NOT_FOUND", "There is no call with this id.");
}
