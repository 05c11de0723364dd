/**
 * `watch`: finished files of a folder go to a running service, one by one or a few at a time; each is moved aside once it
 * is analysed, or refused with the reason beside it. A file is uploaded under a key made of what it is, so that a restart
 * at any point never makes a second call of it. A service that is away is waited for.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { ERROR_CATALOGUE } from "../../core/error-catalogue.js";
import { AppError } from "../../core/errors.js";
import { DONE_FOLDER, type FoundFile, findFinishedFiles, moveAside, REFUSED_FOLDER, writeReason } from "./folder.js";
import type { ServiceAnswer, ServiceClient } from "./service-client.js";

export interface WatchOptions {
  readonly directory: string;
  readonly client: ServiceClient;
  readonly language: string;
  /** A file not written for this long is finished. */
  readonly settleMs: number;
  /** Ends when nothing is left to do. */
  readonly isOnce: boolean;
  readonly signal: AbortSignal;
  readonly onDone: (name: string, callId: string) => void;
  readonly onRefused: (name: string, reason: string) => void;
  /** The service is away; told once until it answers again. */
  readonly onAway: () => void;
}

export interface WatchedFolder {
  readonly done: number;
  readonly refused: number;
}

const LOOK_AGAIN_MS = 1_000;
const UPLOADS_AT_ONCE = 4;

interface PendingFile {
  readonly file: FoundFile;
  readonly taskId: string;
  readonly callId: string;
}

/** @throws AppError `AUTH_…` when the service does not take the key; the reason of an aborted signal */
export async function watchFolder(options: WatchOptions): Promise<WatchedFolder> {
  // Each request and each pause listens to it.
  setMaxListeners(0, options.signal);
  const folder = new FolderWatch(options);
  for (;;) {
    const isIdle = await folder.turn();
    if (options.isOnce && isIdle) return folder.counts();
    await delay(LOOK_AGAIN_MS, undefined, { signal: options.signal }).catch(() => options.signal.throwIfAborted());
  }
}

class FolderWatch {
  readonly #options: WatchOptions;
  readonly #pending = new Map<string, PendingFile>();
  #done = 0;
  #refused = 0;
  #isAway = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  counts(): WatchedFolder {
    return { done: this.#done, refused: this.#refused };
  }

  /** Uploads what is finished, looks after what was uploaded. @returns true when there is nothing more to do. */
  async turn(): Promise<boolean> {
    const { directory, settleMs, isOnce } = this.#options;
    const found = await findFinishedFiles(directory, { settleMs: isOnce ? 0 : settleMs, nowMs: Date.now() });
    const fresh = found.filter(({ identity }) => !this.#pending.has(identity));
    for (let index = 0; index < fresh.length; index += UPLOADS_AT_ONCE) {
      await Promise.all(fresh.slice(index, index + UPLOADS_AT_ONCE).map((file) => this.#whenThere(() => this.#upload(file))));
      if (this.#isAway) break;
    }
    for (const pending of this.#pending.values()) await this.#whenThere(() => this.#follow(pending));
    return this.#pending.size === 0 && !this.#isAway;
  }

  /** What goes wrong on the way to the service is tried again at the next turn. */
  async #whenThere(work: () => Promise<boolean>): Promise<void> {
    const isThere = await work().catch((error: unknown) => {
      this.#options.signal.throwIfAborted();
      if (error instanceof AppError) throw error;
      return false;
    });
    if (!isThere && !this.#isAway) this.#options.onAway();
    this.#isAway = !isThere;
  }

  async #upload(file: FoundFile): Promise<boolean> {
    const { client, language, signal } = this.#options;
    const answer = await client.upload({ ...file, idempotencyKey: `watch/${file.identity}`, language, signal });
    if (isPassing(answer)) return false;
    const { task_id: taskId, call_id: callId } = answer.body;
    if (answer.status === 202 && typeof taskId === "string" && typeof callId === "string") this.#pending.set(file.identity, { file, taskId, callId });
    else await this.#refuse(file, String(answer.body["code"] ?? "INTERNAL"), answer.body["detail"]);
    return true;
  }

  async #follow({ file, taskId, callId }: PendingFile): Promise<boolean> {
    const answer = await this.#options.client.getTask(taskId, this.#options.signal);
    if (isPassing(answer)) return false;
    const { status } = answer.body;
    if (answer.status === 200 && (status === "queued" || status === "processing")) return true;
    this.#pending.delete(file.identity);
    if (status === "completed") {
      await moveAside(this.#options.directory, file, DONE_FOLDER);
      this.#done++;
      this.#options.onDone(file.name, callId);
      return true;
    }
    const problem = (answer.status === 200 ? answer.body["error"] : answer.body) as { code?: string; detail?: string } | undefined;
    await this.#refuse(file, problem?.code ?? "QUEUE_JOB_CANCELLED", problem?.detail);
    return true;
  }

  async #refuse(file: FoundFile, code: string, detail: unknown): Promise<void> {
    const words = typeof detail === "string" ? detail : (ERROR_CATALOGUE[code as keyof typeof ERROR_CATALOGUE]?.meaning ?? "The service refused it.");
    const reason = `${words} (${code})`;
    const { directory } = this.#options;
    await writeReason(directory, await moveAside(directory, file, REFUSED_FOLDER), reason);
    this.#refused++;
    this.#options.onRefused(file.name, reason);
  }
}

/** @throws AppError when the key is not taken: no file will fare better. */
function isPassing({ status, body }: ServiceAnswer): boolean {
  if (status === 401) throw new AppError("AUTH_CREDENTIALS_INVALID", "The service does not take the key of --key-file.");
  if (status === 403) throw new AppError("AUTH_PERMISSION_DENIED", "The key of --key-file may not upload recordings.");
  return status === 429 || status >= 500 || (status === 404 && body["code"] === undefined);
}
