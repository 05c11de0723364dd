/** Live journals as files in one directory: sealed blocks, appended a few times a second and synced once a second. */
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createJournalSealer, JournalOpener, type JournalSealer } from "../../security/journal-cipher.js";
import { syncDirectory } from "../../security/synced-directory.js";
import type { JournalAudio, JournalWriter, LiveJournal } from "../live-journal.js";

export interface FilesystemLiveJournalOptions {
  readonly directory: string;
  /** Written to the file this often: what a killed process may lose. */
  readonly writeIntervalMs: number;
  /** Synced to the disk this often: what a power cut may lose. */
  readonly syncIntervalMs: number;
}

const SUFFIX = ".journal";
/** channel, paused or not, 2 bytes of nothing, rate, start, count. */
const RECORD_HEADER_BYTES = 20;

/** Creates the directory. */
export async function createFilesystemLiveJournal(options: FilesystemLiveJournalOptions): Promise<LiveJournal> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const partsOf = async (callId: string): Promise<readonly string[]> =>
    (await readdir(directory)).filter((name) => name.startsWith(`${callId}~`) && name.endsWith(SUFFIX)).sort();
  return {
    async open(callId, callKey, onFailure) {
      const part = String((await partsOf(callId)).length).padStart(4, "0");
      const file = await open(join(directory, `${checkId(callId)}~${part}${SUFFIX}`), "wx", 0o600);
      await syncDirectory(directory);
      return new FileJournalWriter(file, createJournalSealer(callKey), { ...options, onFailure });
    },
    async *read(callId, callKey) {
      for (const part of await partsOf(callId)) {
        const opener = new JournalOpener(callKey);
        for await (const bytes of createReadStream(join(directory, part))) {
          for (const block of opener.push(bytes as Buffer)) yield* decodeBlock(block);
        }
      }
    },
    async list() {
      const names = (await readdir(directory)).filter((name) => name.endsWith(SUFFIX));
      return [...new Set(names.map((name) => name.slice(0, name.lastIndexOf("~"))))];
    },
    async remove(callId) {
      for (const part of await partsOf(callId)) await rm(join(directory, part), { force: true });
    },
  };
}

interface WriterOptions extends FilesystemLiveJournalOptions {
  readonly onFailure: (error: unknown) => void;
}

class FileJournalWriter implements JournalWriter {
  readonly #file: FileHandle;
  readonly #sealer: JournalSealer;
  readonly #options: WriterOptions;
  readonly #sync: NodeJS.Timeout;
  #waiting: Run[] = [];
  /** Rooms of runs that were written, for the next ones. */
  readonly #rooms: Int16Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #hasHeader = false;
  #isDirty = false;
  #order: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(file: FileHandle, sealer: JournalSealer, options: WriterOptions) {
    this.#file = file;
    this.#sealer = sealer;
    this.#options = options;
    this.#sync = setInterval(() => this.#append({ isSynced: true }), options.syncIntervalMs);
    this.#sync.unref();
  }

  write(audio: JournalAudio): void {
    const run = this.#waiting.findLast(({ channel }) => channel === audio.channel);
    // Copied at once: pieces come fifty times a second for each leg, and must not outlive the moment.
    if (run !== undefined && followsOn(run, audio)) appendTo(run, audio);
    else this.#waiting.push(beginRun(audio, this.#rooms.pop()));
    this.#timer ??= setTimeout(() => this.#append({ isSynced: false }), this.#options.writeIntervalMs);
  }

  async flush(): Promise<void> {
    this.#append({ isSynced: true });
    await this.#order;
  }

  async close(): Promise<void> {
    clearInterval(this.#sync);
    await this.flush();
    await this.#file.close();
  }

  #append({ isSynced }: { readonly isSynced: boolean }): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const runs = this.#waiting;
    this.#waiting = [];
    if (runs.length === 0 && !(isSynced && this.#isDirty)) return;
    const records = Buffer.concat(runs.flatMap(encodeRecord));
    this.#rooms.push(...runs.flatMap(({ room }) => room ?? []).slice(0, MAX_ROOMS - this.#rooms.length));
    this.#order = this.#order
      .then(async () => {
        if (records.length > 0) {
          const block = this.#sealer.seal(records);
          await this.#file.appendFile(this.#hasHeader ? block : Buffer.concat([this.#sealer.header, block]));
          this.#hasHeader = true;
          this.#isDirty = true;
        }
        if (isSynced && this.#isDirty) {
          this.#isDirty = false;
          await this.#file.datasync();
        }
      })
      .catch((error: unknown) => {
        if (!this.#hasFailed) this.#options.onFailure(error);
        this.#hasFailed = true;
      });
  }
}

/** Audio of a channel without a break. */
interface Run {
  readonly channel: number;
  readonly sampleRateHz: number;
  readonly startMs: number;
  /** Null: paused, and only counted. */
  room: Int16Array | null;
  sampleCount: number;
}

/** A second at 16 kHz; longer runs get more. */
const ROOM_SAMPLES = 16_000;
const MAX_ROOMS = 4;

function beginRun(piece: JournalAudio, spare: Int16Array | undefined): Run {
  const { channel, sampleRateHz, startMs, samples } = piece;
  const run: Run = { channel, sampleRateHz, startMs, room: samples === null ? null : (spare ?? new Int16Array(ROOM_SAMPLES)), sampleCount: 0 };
  appendTo(run, piece);
  return run;
}

function appendTo(run: Run, { samples, sampleCount }: JournalAudio): void {
  if (run.room !== null && samples !== null) {
    if (run.sampleCount + sampleCount > run.room.length) {
      const larger = new Int16Array(Math.max(run.room.length * 2, run.sampleCount + sampleCount));
      larger.set(run.room.subarray(0, run.sampleCount));
      run.room = larger;
    }
    run.room.set(samples, run.sampleCount);
  }
  run.sampleCount += sampleCount;
}

function followsOn({ sampleRateHz, startMs, room, sampleCount }: Run, piece: JournalAudio): boolean {
  const endMs = startMs + (sampleCount * 1000) / sampleRateHz;
  return sampleRateHz === piece.sampleRateHz && (room === null) === (piece.samples === null) && Math.abs(endMs - piece.startMs) < 0.01;
}

function encodeRecord({ channel, sampleRateHz, startMs, sampleCount, room }: Run): readonly Buffer[] {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt8(channel, 0);
  header.writeUInt8(room === null ? 1 : 0, 1);
  header.writeUInt32LE(sampleRateHz, 4);
  header.writeDoubleLE(startMs, 8);
  header.writeUInt32LE(sampleCount, 16);
  return room === null ? [header] : [header, Buffer.from(room.buffer, room.byteOffset, sampleCount * 2)];
}

function* decodeBlock(block: Buffer): Generator<JournalAudio> {
  for (let offset = 0; offset + RECORD_HEADER_BYTES <= block.length; ) {
    const isPaused = block.readUInt8(offset + 1) === 1;
    const sampleCount = block.readUInt32LE(offset + 16);
    const from = offset + RECORD_HEADER_BYTES;
    const samples = isPaused ? null : new Int16Array(sampleCount);
    if (samples !== null) Buffer.from(samples.buffer).set(block.subarray(from, from + sampleCount * 2));
    const [channel, sampleRateHz, startMs] = [block.readUInt8(offset), block.readUInt32LE(offset + 4), block.readDoubleLE(offset + 8)];
    yield { channel, sampleRateHz, startMs, sampleCount, samples };
    offset = from + (isPaused ? 0 : sampleCount * 2);
  }
}

function checkId(callId: string): string {
  if (!/^[0-9a-zA-Z._-]{1,128}$/.test(callId)) throw new RangeError("call id holds characters it must not");
  return callId;
}
