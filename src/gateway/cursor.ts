/** Cursors of paged lists: opaque to clients, the place where the page before ended. */
import type { z } from "zod";
import { AppError } from "../core/errors.js";

/** @returns text that fits a URL. */
export function encodeCursor(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position), "utf8").toString("base64url");
}

/** @throws AppError `GATEWAY_BAD_REQUEST` for a cursor that this list did not give. */
export function decodeCursor<Schema extends z.ZodType>(cursor: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (cause) {
    throw new AppError("GATEWAY_BAD_REQUEST", "The cursor is not one of this list; begin again without it.", { cause });
  }
}
