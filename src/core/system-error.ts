/** What the operating system refused, in words a person can act on. */
import { AppError } from "./errors.js";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "a file or directory does not exist",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the disk is read-only",
  ENOTDIR: "a part of the path is a file and not a directory",
  EISDIR: "it is a directory",
  EEXIST: "something of that name is there already",
  EADDRNOTAVAIL: "this machine does not have that address",
  ENOTFOUND: "the host name is not known",
  EMFILE: "too many files are open",
};

/**
 * An operator's fault as such: a path or an address that can't be used. The path itself is not told, for it may name a
 * person.
 *
 * @returns undefined for anything else.
 */
export function toOperatorError(thrown: unknown): AppError | undefined {
  const { code, syscall } = thrown as { readonly code?: string; readonly syscall?: string };
  const reason = code === undefined ? undefined : REASONS[code];
  if (thrown instanceof AppError || reason === undefined) return undefined;
  const message = `The system refused (${syscall ?? "open"}): ${reason} (${code}). Check the paths and addresses that were given, and who may use them.`;
  return new AppError("CONFIG_INVALID", message, { cause: thrown });
}
