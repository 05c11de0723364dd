/** Calls that ran when the process died: stored from their journals with everything received, and analysed. */
import { toAppError } from "../../core/errors.js";
import type { LiveCallParts } from "./live-call-parts.js";
import { storeLiveCall } from "./store-live-call.js";

/** A call that can't be stored now keeps its journal for the next start. @returns how many were stored */
export async function recoverLiveCalls(parts: LiveCallParts): Promise<number> {
  const { liveCallRecords, calls, journal, logger } = parts;
  let stored = 0;
  const unended = await liveCallRecords.listUnended();
  const kept = new Set<string>();
  for (const record of unended) {
    const call = await calls.findCall(record.callId);
    if (call === undefined) continue;
    try {
      const sealer = await calls.openSealer(record.callId);
      const hasAgent = call.legs.some((leg) => leg.channel === "agent");
      const channels = hasAgent ? (["caller", "agent"] as const) : (["caller"] as const);
      const { callId, taskId, language } = record;
      // What was heard of it is in its events; the whole recording is heard again, whatever the mode.
      await storeLiveCall(parts, { callId, sealer, taskId, language, channels, reason: "crashed", isHeardAgain: true, languages: call.languages });
      stored++;
    } catch (error) {
      kept.add(record.callId);
      logger.error("A live call that was cut off by a crash could not be stored", { errorCode: toAppError(error).code });
    }
  }
  // Calls that had ended, and died waiting for a leg to come back.
  for (const callId of await journal.list()) if (!kept.has(callId)) await journal.remove(callId);
  return stored;
}
