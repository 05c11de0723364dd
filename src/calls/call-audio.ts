/**
 * The sound of a call: the recording as it came, or as Opus for playing in a browser, made when it is first asked for
 * and kept encrypted like the original. Any range of it can be read without the rest.
 */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { RecordingDecoder } from "../audio/decoder.js";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import { newId } from "../core/ids.js";
import { type AuditSink, recordAllowed } from "../security/audit-record.js";
import type { Authorized } from "../security/authorization.js";
import type { AudioStore, ByteRange } from "../storage/audio-store.js";
import { fetchRecording } from "../storage/recording-fetch.js";
import type { CallRepository, RecordingRecord } from "../storage/repositories/call-repository.js";

export interface CallAudioFile {
  readonly container: string;
  readonly byteCount: number;
  /** Stays the same as long as the bytes do. */
  readonly recordingId: string;
  /** The whole without a range. */
  read(range?: ByteRange): Promise<Readable>;
}

export interface CallAudio {
  /**
   * Audited before it is opened.
   *
   * @throws AppError `CALL_NOT_FOUND`, `AUDIO_FILE_NOT_FOUND`, `AUDIO_DECODER_MISSING`, `AUDIT_SINK_UNAVAILABLE`
   */
  open(authorized: Authorized<"transcript:read">, callId: string, kind: RecordingRecord["kind"]): Promise<CallAudioFile>;
}

export interface CallAudioDependencies {
  readonly calls: CallRepository;
  readonly audioStore: AudioStore;
  readonly decoder: RecordingDecoder;
  readonly audit: AuditSink;
  readonly clock: Clock;
  /** Private scratch space. */
  readonly workDirectory: string;
}

/** Two readers who ask at once wait for the same encoding. */
export function createCallAudio(dependencies: CallAudioDependencies): CallAudio {
  const { calls, audioStore } = dependencies;
  const making = new Map<string, Promise<RecordingRecord>>();
  const playbackOf = (original: RecordingRecord, key: Buffer): Promise<RecordingRecord> => {
    const running = making.get(original.recordingId);
    if (running !== undefined) return running;
    const made = makePlayback(dependencies, original, key).finally(() => making.delete(original.recordingId));
    making.set(original.recordingId, made);
    return made;
  };
  return {
    async open({ actor }, callId, kind) {
      const sealer = await calls.openSealer(callId);
      const recordings = await calls.listRecordings(callId);
      const original = recordings.find((recording) => recording.kind === "original");
      if (original === undefined) throw new AppError("AUDIO_FILE_NOT_FOUND", "The call has no recording.");
      await recordAllowed(dependencies, actor, "recording.read", callId);
      const made = recordings.find((recording) => recording.kind === kind);
      const { recordingId, container, byteCount, audioKey } = made ?? (await playbackOf(original, sealer.audioKey));
      return { recordingId, container, byteCount, read: (range) => audioStore.read(audioKey, sealer.audioKey, range) };
    },
  };
}

async function makePlayback(
  { calls, audioStore, decoder, clock, workDirectory }: CallAudioDependencies,
  original: RecordingRecord,
  key: Buffer,
): Promise<RecordingRecord> {
  const recordingId = newId(clock.nowMs());
  const directory = join(workDirectory, recordingId);
  const { signal } = new AbortController();
  try {
    const { path, container } = await fetchRecording(audioStore, { recording: original, key, workDirectory: directory, signal });
    const encoded = join(directory, "playback.ogg");
    await decoder.encodePlayback({ path, container, workDirectory: directory, signal }, encoded);
    const { byteCount } = await audioStore.write(recordingId, createReadStream(encoded), key);
    const { callId } = original;
    const playback = {
      recordingId,
      callId,
      kind: "playback",
      audioKey: recordingId,
      container: "ogg",
      byteCount,
      fingerprint: null,
      createdAtMs: clock.nowMs(),
    } as const;
    await calls.insertRecording(playback).catch(async (error: unknown) => {
      // The call was deleted meanwhile.
      await audioStore.remove(recordingId);
      throw error;
    });
    return playback;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
