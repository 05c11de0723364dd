/** What live calls are made of, handed in once; and the leg, as the door that receives it sees it. */
import type { LiveChannel, LiveChannelOptions } from "../../analysis/live/live-channel.js";
import type { LiveRecognition } from "../../analysis/live/live-recognition.js";
import type { ProcessingMode } from "../../core/call.js";
import type { Clock } from "../../core/clock.js";
import type { CallEndReason } from "../../core/live-call.js";
import type { Logger } from "../../core/log.js";
import type { InferenceRunner } from "../../inference/pool/inference-pool.js";
import type { QueueBackend } from "../../queue/queue-backend.js";
import type { AuditSink } from "../../security/audit-record.js";
import type { Authorized } from "../../security/authorization.js";
import type { SealerFactory } from "../../security/sealing/sealed-text.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { AppDatabase } from "../../storage/database.js";
import type { LiveJournal } from "../../storage/live-journal.js";
import type { AnalysisRepository } from "../../storage/repositories/analysis-repository.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { LiveCallRepository } from "../../storage/repositories/live-call-repository.js";
import type { CallEventLog } from "../call-event-log.js";
import type { LiveEventWriter } from "./live-event-writer.js";

/** One leg of a live call. */
export interface LiveLeg {
  /** `Int16Array`, mono, in order of arrival; the caller does not change it afterwards. */
  write(samples: Int16Array, sampleRateHz: number): void;
  /** A key of the telephone: `0-9 * # A-D`. */
  press(digit: string): void;
  /** Something about the audio that a person should know; a fixed sentence of ours. */
  warn(text: string): void;
  end(reason: CallEndReason): void;
}

/** Where live calls are stored. */
export interface LiveStores {
  readonly database: AppDatabase;
  readonly calls: CallRepository;
  readonly liveCallRecords: LiveCallRepository;
  readonly analyses: AnalysisRepository;
  readonly sealers: SealerFactory;
  readonly audioStore: AudioStore;
  readonly journal: LiveJournal;
  readonly queue: QueueBackend;
  readonly eventLog: CallEventLog;
  readonly audit: AuditSink;
}

export interface LiveCallParts extends LiveStores {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly authorized: Authorized<"recording:create">;
  readonly writer: LiveEventWriter;
  readonly inference: InferenceRunner;
  readonly recognition: LiveRecognition;
  /** The voice activity model could not be loaded: noise may count as speech. */
  readonly isSpeechByLoudness: boolean;
  readonly createChannel: (options: Omit<LiveChannelOptions, "voiceActivity" | "suspectKind">) => LiveChannel;
  readonly mode: ProcessingMode;
  /** A tag, or `auto`. */
  readonly language: string;
  readonly speechEngine: string;
  readonly maxAttempts: number;
  /** How long a call with no leg left waits for one to come back. */
  readonly lingerMs: number;
  /** How long after its end a call is continued when its id comes back. */
  readonly continueWithinMs: number;
  readonly pauseDigit: string | undefined;
  readonly resumeDigit: string | undefined;
  readonly onReceived: (milliseconds: number) => void;
  readonly onLag: (milliseconds: number) => void;
}
