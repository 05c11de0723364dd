/** A process of its own that locks the directory named by its argument, says how that went, and holds on. */
import { AppError } from "../../src/core/errors.js";
import { lockDirectory } from "../../src/storage/directory-lock.js";

try {
  await lockDirectory(process.argv[2] ?? "");
  process.stdout.write("locked\n");
} catch (error) {
  process.stdout.write(`${error instanceof AppError ? error.code : String(error)}\n`);
}
