/**
 * Finishes the calls of a process that died: what it had received lies in its folder of the shared audio store. A folder
 * is taken by renaming it, which one of several processes succeeds in, and again should that one die as well.
 */
import { readdir, rename, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LiveCallParts } from "../../calls/live/live-call-parts.js";
import { recoverLiveCalls } from "../../calls/live/recover-live-calls.js";
import { newId } from "../../core/ids.js";
import { errorFields } from "../../observability/error-fields.js";
import { DEAD_AFTER_MS, type ProcessRegistry } from "../../redis/process-registry.js";
import { createFilesystemLiveJournal, type FilesystemLiveJournalOptions } from "../../storage/backends/filesystem-live-journal.js";
import { createLiveCallRepository } from "../../storage/repositories/live-call-repository.js";

export interface StreamTakeoverParts {
  readonly parts: LiveCallParts;
  readonly registry: ProcessRegistry;
  /** Holds a folder for each process that takes calls. */
  readonly liveDirectory: string;
  readonly streamId: string;
  readonly journal: Omit<FilesystemLiveJournalOptions, "directory">;
}

const LOOK_EVERY_MS = 3_000;
const TAKEN_BY = "~";

/** @returns the way to stop it: what is being finished is finished. */
export function startStreamTakeover(takeover: StreamTakeoverParts): () => Promise<void> {
  const { registry, streamId, parts } = takeover;
  const membership = registry.join("journal", streamId, () => ({}));
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const look = async (): Promise<void> => {
    for (const name of await readdir(takeover.liveDirectory)) {
      if (isStopped || name === streamId || (await isNew(join(takeover.liveDirectory, name))) || (await registry.isAlive("journal", name))) continue;
      const count = await finishCallsOf(takeover, name);
      if (count > 0) parts.logger.info("Stored live calls of a process that died", { count });
    }
  };
  const timer = setInterval(() => {
    // Redis away: nobody knows who died.
    running = running.then(look).catch((error: unknown) => parts.logger.debug("Calls of processes that died could not be looked for", errorFields(error)));
  }, LOOK_EVERY_MS);
  timer.unref();
  return async () => {
    isStopped = true;
    clearInterval(timer);
    await running;
    await membership.leave();
  };
}

/** A process that has just started has a folder before anybody was told of it. */
async function isNew(directory: string): Promise<boolean> {
  return stat(directory).then(
    ({ birthtimeMs, ctimeMs }) => Date.now() - Math.min(birthtimeMs, ctimeMs) < 2 * DEAD_AFTER_MS,
    () => true,
  );
}

async function finishCallsOf({ parts, registry, liveDirectory, journal: options }: StreamTakeoverParts, deadName: string): Promise<number> {
  const [deadId = deadName] = deadName.split(TAKEN_BY);
  const ownName = `${deadId}${TAKEN_BY}${newId()}`;
  const directory = join(liveDirectory, ownName);
  const membership = registry.join("journal", ownName, () => ({}));
  try {
    const isOurs = await rename(join(liveDirectory, deadName), directory).then(
      () => true,
      () => false,
    );
    if (!isOurs) return 0;
    const liveCallRecords = createLiveCallRepository({ database: parts.database, streamId: ownName });
    await liveCallRecords.takeOver(deadId);
    const journal = await createFilesystemLiveJournal({ ...options, directory });
    const count = await recoverLiveCalls({ ...parts, liveCallRecords, journal });
    // Not empty: a call could not be stored, and is tried again when we are taken for dead here.
    await rmdir(directory).catch(() => {});
    return count;
  } finally {
    await membership.leave();
  }
}
