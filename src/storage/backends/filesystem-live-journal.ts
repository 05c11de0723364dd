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
  #waiting: JournalAudio[] = [];
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
    this.#waiting.push(audio);
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
    const records = mergeRuns(this.#waiting);
    this.#waiting = [];
    if (records.length === 0 && !(isSynced && this.#isDirty)) return;
    this.#order = this.#order
      .then(async () => {
        if (records.length > 0) {
          const block = this.#sealer.seal(Buffer.concat(records.flatMap(encodeRecord)));
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

interface Run {
  readonly first: JournalAudio;
  readonly parts: Int16Array[];
  sampleCount: number;
}

/** Pieces of a channel that follow each other become one. */
function mergeRuns(pieces: readonly JournalAudio[]): readonly JournalAudio[] {
  const runs: Run[] = [];
  for (const piece of pieces) {
    const run = runs.findLast(({ first }) => first.channel === piece.channel);
    if (run === undefined || !followsOn(run, piece))
      runs.push({ first: piece, parts: piece.samples === null ? [] : [piece.samples], sampleCount: piece.sampleCount });
    else {
      if (piece.samples !== null) run.parts.push(piece.samples);
      run.sampleCount += piece.sampleCount;
    }
  }
  return runs.map(({ first, parts, sampleCount }) => ({ ...first, sampleCount, samples: first.samples === null ? null : joined(parts, sampleCount) }));
}

function followsOn({ first, sampleCount }: Run, piece: JournalAudio): boolean {
  const endMs = first.startMs + (sampleCount * 1000) / first.sampleRateHz;
  return first.sampleRateHz === piece.sampleRateHz && (first.samples === null) === (piece.samples === null) && Math.abs(endMs - piece.startMs) < 0.01;
}

function joined(parts: readonly Int16Array[], count: number): Int16Array {
  const all = new Int16Array(count);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function encodeRecord({ channel, sampleRateHz, startMs, sampleCount, samples }: JournalAudio): readonly Buffer[] {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt8(channel, 0);
  header.writeUInt8(samples === null ? 1 : 0, 1);
  header.writeUInt32LE(sampleRateHz, 4);
  header.writeDoubleLE(startMs, 8);
  header.writeUInt32LE(sampleCount, 16);
  return samples === null ? [header] : [header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)];
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
