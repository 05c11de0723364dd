/** Removes what has expired, at start and every few minutes. */
import type { Logger } from "../core/log.js";
import { errorFields } from "../observability/error-fields.js";
import type { Services } from "./build-services.js";

const INTERVAL_MS = 300_000;

/** @returns the way to stop it. A run that fails is told in the log and tried again at the next turn. */
export function startPurging({ modelTasks }: Services, { answerTtlMs, logger }: { readonly answerTtlMs: number; readonly logger: Logger }): () => void {
  const purge = (): void => {
    modelTasks.removeExpired(answerTtlMs).then(
      (count) => {
        if (count > 0) logger.info("Removed answers of model endpoints that had expired", { count });
      },
      (error: unknown) => logger.warn("Expired answers could not be removed", errorFields(error)),
    );
  };
  purge();
  const timer = setInterval(purge, INTERVAL_MS);
  return () => clearInterval(timer);
}
