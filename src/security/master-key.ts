/**
 * The master key: 32 random bytes in a file only the service's user can read. Everything sealed depends on it; without
 * it no transcript and no recording can be read again, by anyone.
 */
import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { link, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../core/errors.js";
import { syncDirectory } from "./synced-directory.js";

const KEY_BYTES = 32;

/** Derives keys for one purpose each, so that no key serves two uses. */
export interface MasterKey {
  /** 32 bytes for `purpose`. @see RFC 5869 (HKDF-SHA-256) */
  derive(purpose: string): Buffer;
  /** Keyed hash in hex, for values that must be compared and never read (a caller's number). */
  pseudonymize(purpose: string, value: string): string;
  /** Tells this key from another and gives nothing of it away. */
  readonly fingerprint: string;
}

export function createMasterKey(secret: Buffer): MasterKey {
  if (secret.length !== KEY_BYTES) throw invalidMasterKey("it is not 32 bytes in base64");
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), `openchs-ai/${purpose}`, KEY_BYTES));
  return {
    derive,
    fingerprint: derive("fingerprint").toString("hex"),
    pseudonymize: (purpose, value) =>
      createHmac("sha256", derive(`pseudonym/${purpose}`))
        .update(value)
        .digest("hex"),
  };
}

/** A key that lives as long as the process; for commands that keep nothing. */
export function createEphemeralMasterKey(): MasterKey {
  return createMasterKey(randomBytes(KEY_BYTES));
}

/**
 * Reads the master key, making it on first start.
 *
 * @returns `created` is true when the file was just made: the caller tells the operator to back it up.
 * @throws AppError `SECURITY_MASTER_KEY_INVALID` when the file is not a key or others may read it.
 */
export async function loadOrCreateMasterKey(path: string): Promise<{ readonly masterKey: MasterKey; readonly created: boolean }> {
  // A key that was put there lies where nothing may be written: a secret of Docker or Kubernetes.
  if (await isThere(path)) return { masterKey: await loadMasterKey(path), created: false };
  const secret = randomBytes(KEY_BYTES);
  // In containers every process has the same id.
  const draft = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.new`;
  await writeDurably(draft, `${secret.toString("base64")}\n`);
  try {
    // A link appears whole or not at all, and to one of two processes that start at once.
    await link(draft, path);
    await syncDirectory(dirname(path));
    return { masterKey: createMasterKey(secret), created: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return { masterKey: await loadMasterKey(path), created: false };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads an existing master key. */
export async function loadMasterKey(path: string): Promise<MasterKey> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) throw invalidMasterKey("other users may read it; run chmod 600 on it");
  return createMasterKey(Buffer.from((await readFile(path, "utf8")).trim(), "base64"));
}

/** `why` ends the sentence "The master key file can't be used: ...". */
export function invalidMasterKey(why: string): AppError {
  return new AppError("SECURITY_MASTER_KEY_INVALID", `The master key file can't be used: ${why}.`);
}
