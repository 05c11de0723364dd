/** Removes what has expired, at start and every few minutes: answers of model endpoints, and calls under the retention policies. */
import type { Logger } from "../../core/log.js";
import { errorFields } from "../../observability/error-fields.js";
import type { Services } from "../build-services.js";

const INTERVAL_MS = 300_000;
/** Whose turn it is may change, and is known a moment after the start where there are several. */
const LOOK_EVERY_MS = 10_000;

export interface PurgeOptions {
  readonly answerTtlMs: number;
  readonly logger: Logger;
}

/** @returns the way to stop it, which waits for the call in hand. A run that fails is told in the log and tried again at the next turn. */
export function startPurging(services: Services, { answerTtlMs, logger }: PurgeOptions): () => Promise<void> {
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let lastRunMs = Number.NEGATIVE_INFINITY;
  const turn = async (): Promise<void> => {
    if (stopping.signal.aborted || performance.now() - lastRunMs < INTERVAL_MS || services.isOurTurn?.() === false) return;
    lastRunMs = performance.now();
    await removeAnswers(services, { answerTtlMs, logger });
    await deleteExpired(services, logger, stopping.signal);
  };
  const begin = (): void => {
    running = running.then(turn);
  };
  begin();
  const timer = setInterval(begin, LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await running;
  };
}

async function removeAnswers({ modelTasks }: Services, { answerTtlMs, logger }: PurgeOptions): Promise<void> {
  try {
    const count = await modelTasks.removeExpired(answerTtlMs);
    if (count > 0) logger.info("Removed answers of model endpoints that had expired", { count });
  } catch (error) {
    logger.warn("Expired answers could not be removed", errorFields(error));
  }
}

async function deleteExpired({ retention }: Services, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    const { deleted, failed, error } = await retention.run(signal);
    const count = deleted.call + deleted.texts + deleted.audio;
    if (count > 0) logger.info("Deleted calls, texts and recordings under the retention policies; the receipts tell which", { count });
    if (failed > 0) logger.warn("Some calls that have expired could not be deleted and are tried again", { count: failed, ...errorFields(error) });
  } catch (error) {
    logger.warn("Calls that have expired could not be looked for", errorFields(error));
  }
}
