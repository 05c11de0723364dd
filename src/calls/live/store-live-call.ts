/**
 * A live call that has ended becomes a recording with a task: its journal is laid on one timeline, encrypted into the
 * audio store, and referred to in one transaction with the job that analyses it. The same after a crash.
 */
import { newId } from "../../core/ids.js";
import type { CallEndReason, ChannelCoverage } from "../../core/live-call.js";
import { type LiveAudio, sumLiveLedgers, toLiveLedger } from "../../core/live-ledger.js";
import type { Channel } from "../../core/transcript.js";
import { PROCESS_RECORDING, type ProcessRecordingPayload } from "../../protocol/job-payloads.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import { inUnitOfWork, type UnitOfWork } from "../../storage/unit-of-work.js";
import { type JournalSummary, journalRecording, summarizeJournal } from "./journal-recording.js";
import type { LiveStores } from "./live-call-parts.js";
import { type LiveTranscript, liveStages } from "./live-stages.js";

export interface EndedLiveCall {
  readonly callId: string;
  readonly sealer: CallSealer;
  readonly taskId: string;
  readonly reason: CallEndReason;
  /** The analysis listens to the whole recording, also where text was made while the call ran. */
  readonly isHeardAgain: boolean;
  readonly language: string;
  readonly languages: readonly string[];
  /** In the order of the recording. */
  readonly channels: readonly Channel[];
  /** Undefined when the process that heard it died. */
  readonly live?: LiveTranscript;
  /** Its numbers; undefined when the process died. */
  readonly audio?: LiveAudio;
}

export interface StoreLiveCallParts extends LiveStores {
  readonly clock: { nowMs(): number };
  readonly speechEngine: string;
  readonly maxAttempts: number;
}

/** Does nothing to the journal. A call of which nothing was kept ends without a recording. */
export async function storeLiveCall(parts: StoreLiveCallParts, call: EndedLiveCall): Promise<void> {
  const { journal, calls, audioStore, clock } = parts;
  const { callId, sealer, channels } = call;
  const summary = await summarizeJournal(journal, { callId, key: sealer.audioKey, channels });
  const former = (await calls.listRecordings(callId)).map(({ recordingId, audioKey }) => ({ recordingId, audioKey }));
  const recordingId = newId(clock.nowMs());
  const stored =
    summary === undefined
      ? undefined
      : await audioStore.write(
          recordingId,
          journalRecording(journal, { callId, key: sealer.audioKey, channelCount: channels.length }, summary),
          sealer.audioKey,
        );
  await inUnitOfWork(parts.database, async (unitOfWork) => {
    // What a call that was continued had before is part of the new recording.
    for (const recording of former) await calls.removeRecording(recording.recordingId, unitOfWork);
    await parts.liveCallRecords.end(callId, call.reason, summary?.coverage ?? [], unitOfWork);
    const audio = call.audio ?? unheardAudio(summary?.coverage ?? []);
    const payload = { taskId: call.taskId, reason: call.reason, durationMs: summary?.durationMs ?? 0, audio };
    await parts.eventLog.append({ callId, sealer }, [{ type: "call.ended", payload }], unitOfWork);
    const ended = { endedAtMs: clock.nowMs(), languages: call.languages };
    if (summary === undefined || stored === undefined) {
      await calls.updateOutcome(callId, { status: "failed", ...ended }, unitOfWork);
      const failed = { taskId: call.taskId, status: "failed", errorCode: "AUDIO_EMPTY" } as const;
      await parts.eventLog.append({ callId, sealer }, [{ type: "call.failed", payload: failed }], unitOfWork);
      return;
    }
    await calls.updateOutcome(callId, { status: "queued", durationMs: summary.durationMs, ...ended }, unitOfWork);
    const recording = { recordingId, callId, kind: "original", audioKey: recordingId, container: "wav", fingerprint: null } as const;
    await calls.insertRecording({ ...recording, byteCount: stored.byteCount, createdAtMs: clock.nowMs() }, unitOfWork);
    await enqueueAnalysis(parts, call, { recordingId, summary, unitOfWork });
  });
  for (const { audioKey } of former) await audioStore.remove(audioKey);
}

interface Enqueued {
  readonly recordingId: string;
  readonly summary: JournalSummary;
  readonly unitOfWork: UnitOfWork;
}

/** Where the text of the call itself is enough, the stages that listen to the recording count as done. */
async function enqueueAnalysis(parts: StoreLiveCallParts, call: EndedLiveCall, { recordingId, summary, unitOfWork }: Enqueued): Promise<void> {
  const { callId, taskId, language, live } = call;
  if (live !== undefined && !call.isHeardAgain) {
    for (const outcome of liveStages(live, summary)) {
      await parts.analyses.saveStage({ taskId, callId, sealer: call.sealer }, outcome, parts.clock.nowMs(), unitOfWork);
    }
  }
  const payload: ProcessRecordingPayload = { callId, recordingId, language, includeTranslation: true, speechEngine: parts.speechEngine };
  await parts.queue.enqueue("recordings", { jobId: taskId, jobName: PROCESS_RECORDING, payload, maxAttempts: parts.maxAttempts }, { unitOfWork });
}

/** Received, and not heard yet. */
function unheardAudio(coverage: readonly ChannelCoverage[]): LiveAudio {
  const channels = coverage.map(({ channel, receivedMs, pausedMs, gapMs }) => ({
    channel,
    ledger: toLiveLedger({ receivedMs, pausedMs, gapMs, speechMs: 0, failedMs: 0, pendingMs: receivedMs - pausedMs }),
  }));
  return { channels, ledger: sumLiveLedgers(channels.map(({ ledger }) => ledger)) };
}
