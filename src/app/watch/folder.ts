/** The folder that `watch` looks after: which files in it are finished, and where they go afterwards. */
import { createHash } from "node:crypto";
import { mkdir, readdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative } from "node:path";

export const DONE_FOLDER = "done";
export const REFUSED_FOLDER = "refused";

export interface FoundFile {
  readonly path: string;
  /** Below the folder. */
  readonly name: string;
  readonly byteCount: number;
  /** Changes when the file does; tells nothing of its name. */
  readonly identity: string;
}

/** What recorders and copy programs name a file that is not whole yet. */
const UNFINISHED = new Set([".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart"]);

/**
 * Files that have not been written for `settleMs`, oldest names first. Hidden files, unfinished names and what was moved
 * aside are passed over.
 */
export async function findFinishedFiles(
  directory: string,
  { settleMs, nowMs }: { readonly settleMs: number; readonly nowMs: number },
): Promise<readonly FoundFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: FoundFile[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(directory, path);
    if (!entry.isFile() || isPassedOver(name)) continue;
    // Moved or removed meanwhile.
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || nowMs - Math.max(info.mtimeMs, info.ctimeMs) < settleMs) continue;
    const identity = createHash("sha256").update(`${name}\n${info.size}\n${info.mtimeMs}`).digest("base64url");
    found.push({ path, name, byteCount: info.size, identity });
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

function isPassedOver(name: string): boolean {
  const parts = name.split("/");
  const isAside = parts[0] === DONE_FOLDER || parts[0] === REFUSED_FOLDER;
  return isAside || parts.some((part) => part.startsWith(".")) || UNFINISHED.has(extname(name).toLowerCase());
}

/** Moves the file below `folder`, under a name that is free. @returns where it is now, below the directory. */
export async function moveAside(directory: string, { path, name }: FoundFile, folder: string): Promise<string> {
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let copy = 1; ; copy++) {
    const target = join(folder, copy === 1 ? name : `${stem}-${copy}${extension}`);
    if (await exists(join(directory, target))) continue;
    await mkdir(dirname(join(directory, target)), { recursive: true, mode: 0o700 });
    await rename(path, join(directory, target));
    return target;
  }
}

/** Writes why a file was refused beside it. */
export async function writeReason(directory: string, movedTo: string, reason: string): Promise<void> {
  await writeFile(join(directory, `${movedTo}.reason.txt`), `${reason}\n`, { mode: 0o600 });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
