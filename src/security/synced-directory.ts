/** Making a new or renamed file's name as durable as its content. */
import { open } from "node:fs/promises";

/** Syncs a directory: until then a power cut may take the names written in it. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
