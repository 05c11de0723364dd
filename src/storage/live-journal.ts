/**
 * Contract of the live journal: what is received of a call that runs, written ahead of everything else, so that neither a
 * crash nor a slow recognizer loses any of it. One journal a call; it goes when the call is stored as a recording.
 */

/** A run of samples of one channel at one rate; `startMs` is call time. */
export interface JournalAudio {
  /** 0 caller or mixed, 1 agent. */
  readonly channel: number;
  readonly sampleRateHz: number;
  readonly startMs: number;
  readonly sampleCount: number;
  /** Null: the call was paused, and nothing of it is kept but how long it was. */
  readonly samples: Int16Array | null;
}

export interface JournalWriter {
  /** Taken at once; on its way to the disk within a fraction of a second. A failed disk is told by `onFailure`. */
  write(audio: JournalAudio): void;
  /** Resolves when everything written before is durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface LiveJournal {
  /** Begins a journal, or another part of one. */
  open(callId: string, callKey: Buffer, onFailure: (error: unknown) => void): Promise<JournalWriter>;
  /** What was written, in order; a torn end is left out. */
  read(callId: string, callKey: Buffer): AsyncGenerator<JournalAudio>;
  /** Calls that have a journal. */
  list(): Promise<readonly string[]>;
  /** Removing what is not there is fine. */
  remove(callId: string): Promise<void>;
}
