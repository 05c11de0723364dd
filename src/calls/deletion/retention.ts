/** What is kept for how long: calls, their texts and their audio go when their time is over, unless on legal hold. */

import type { DeletedPart } from "../../core/call.js";
import type { CallPosition } from "../../core/call-filter.js";
import type { Clock } from "../../core/clock.js";
import { toAppError } from "../../core/errors.js";
import type { Actor } from "../../security/authorization.js";
import type { CallExpiryRepository } from "../../storage/repositories/call-expiry-repository.js";
import type { CallDeletion } from "./call-deletion.js";

/** Days after the call began; 0: kept until somebody deletes it. */
export type RetentionPolicy = Readonly<Record<DeletedPart, number>>;

export interface RetentionRun {
  readonly deleted: Readonly<Record<DeletedPart, number>>;
  /** Calls whose turn failed; they are tried again at the next. */
  readonly failed: number;
  /** The first failure. */
  readonly error?: unknown;
}

export interface RetentionDependencies {
  readonly policy: RetentionPolicy;
  readonly expiry: Pick<CallExpiryRepository, "listExpired">;
  readonly deletion: CallDeletion;
  readonly clock: Clock;
}

export interface Retention {
  /** Deletes what has expired, one call at a time, until nothing is left to delete or `signal` aborts. */
  run(signal: AbortSignal): Promise<RetentionRun>;
}

const RETENTION: Actor = { actorId: "retention", role: "admin" };
const DAY_MS = 86_400_000;
const PAGE = 100;
/** The whole call first: what goes with it needs no deletion of its own. */
const ORDER: readonly DeletedPart[] = ["call", "texts", "audio"];

/** Deletes as the actor `retention`; each deletion is audited and leaves a receipt. */
export function createRetention({ policy, expiry, deletion, clock }: RetentionDependencies): Retention {
  return {
    async run(signal) {
      const deleted: Record<DeletedPart, number> = { call: 0, texts: 0, audio: 0 };
      let failed = 0;
      let firstError: { error?: unknown } = {};
      const deleteOne = async (part: DeletedPart, callId: string): Promise<void> => {
        try {
          await deletion.delete(part, callId, { actor: RETENTION, reason: "retention" });
          deleted[part]++;
        } catch (error) {
          // Somebody deleted it, or put it on hold, a moment ago.
          if (["CALL_NOT_FOUND", "CALL_ON_LEGAL_HOLD"].includes(toAppError(error).code)) return;
          if (failed === 0) firstError = { error };
          failed++;
        }
      };
      await deletion.finish();
      for (const part of ORDER) {
        if (policy[part] === 0) continue;
        const startedBeforeMs = clock.nowMs() - policy[part] * DAY_MS;
        let after: CallPosition | undefined;
        do {
          const page = await expiry.listExpired(part, startedBeforeMs, { ...(after === undefined ? {} : { after }), limit: PAGE });
          for (const { callId } of page) {
            if (signal.aborted) return { deleted, failed, ...firstError };
            await deleteOne(part, callId);
          }
          after = page.length < PAGE ? undefined : page.at(-1);
        } while (after !== undefined);
      }
      return { deleted, failed, ...firstError };
    },
  };
}
