/**
 * The room that loaded models of one process share: whoever has been idle longest goes when another comes, and what has been
 * idle for long goes by itself.
 */
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { AppError } from "../../../core/errors.js";

/** A loaded model takes more than its weights: buffers, and what is computed. Measured on Whisper base: 1.3 times. */
const WORKING_SHARE = 1.35;
/** Left for everything else on the machine. */
const SPARE_BYTES = 256 * 1024 * 1024;
const MEGABYTE = 1e6;

/** Something that can be let go. */
export interface RoomTenant {
  readonly isIdle: boolean;
  close(): Promise<void>;
}

export interface ModelRoomOptions {
  /** For all models of the process together; 0: as much as there is. */
  readonly limitBytes: number;
  /** Without work for so long, a model goes; 0: it stays. */
  readonly idleMs: number;
  /** What the machine could give now. */
  readonly availableBytes?: () => Promise<number>;
}

export class ModelRoom {
  readonly #options: ModelRoomOptions;
  /** By when they were last used, the longest ago first. */
  readonly #tenants = new Map<RoomTenant, { readonly bytes: number; readonly idle: NodeJS.Timeout | undefined }>();
  #entering: Promise<void> = Promise.resolve();

  constructor(options: ModelRoomOptions) {
    this.#options = options;
  }

  /** What is loaded, in bytes of memory as far as weights tell. */
  get usedBytes(): number {
    return [...this.#tenants.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Makes room. @throws AppError `MODEL_NOT_READY` when there is none even when all idle models are gone */
  enter(tenant: RoomTenant, weightBytes: number): Promise<void> {
    const bytes = Math.ceil(weightBytes * WORKING_SHARE);
    const entered = this.#entering.then(async () => {
      await this.#makeRoom(bytes);
      this.#tenants.set(tenant, { bytes, idle: undefined });
    });
    this.#entering = entered.catch(() => {});
    return entered;
  }

  /** It did some work. */
  noteUse(tenant: RoomTenant): void {
    const known = this.#tenants.get(tenant);
    if (known === undefined) return;
    clearTimeout(known.idle);
    this.#tenants.delete(tenant);
    this.#tenants.set(tenant, { bytes: known.bytes, idle: this.#closeLater(tenant) });
  }

  leave(tenant: RoomTenant): void {
    clearTimeout(this.#tenants.get(tenant)?.idle);
    this.#tenants.delete(tenant);
  }

  async #makeRoom(bytes: number): Promise<void> {
    for (;;) {
      const lacking = await this.#lackingBytes(bytes);
      if (lacking <= 0) return;
      const idle = [...this.#tenants.keys()].find((tenant) => tenant.isIdle);
      if (idle === undefined) {
        const megabytes = (count: number): number => Math.ceil(count / MEGABYTE);
        throw new AppError(
          "MODEL_NOT_READY",
          `There is no room for the model: it needs ${megabytes(bytes)} MB and ${megabytes(lacking)} MB are lacking. Take a smaller one, fewer MODEL_PROCESSES, or a larger machine.`,
        );
      }
      await idle.close();
    }
  }

  async #lackingBytes(bytes: number): Promise<number> {
    const { limitBytes, availableBytes = machineAvailableBytes } = this.#options;
    const beyondLimit = limitBytes === 0 ? 0 : this.usedBytes + bytes - limitBytes;
    return Math.max(beyondLimit, bytes + SPARE_BYTES - (await availableBytes()));
  }

  #closeLater(tenant: RoomTenant): NodeJS.Timeout | undefined {
    const { idleMs } = this.#options;
    if (idleMs === 0) return undefined;
    const timer = setTimeout(() => {
      if (tenant.isIdle) void tenant.close();
    }, idleMs);
    return timer.unref();
  }
}

/** Of the machine, or of the container this runs in when that is less. */
export async function machineAvailableBytes(): Promise<number> {
  const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const [memory, limit, used] = await Promise.all(["/proc/meminfo", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"].map(read));
  const kilobytes = Number(/MemAvailable:\s+(\d+)/u.exec(memory ?? "")?.[1]);
  const ofMachine = Number.isFinite(kilobytes) ? kilobytes * 1024 : totalmem() / 2;
  const ofContainer = Number(limit) - Number(used);
  return Number.isFinite(ofContainer) && Number(limit) > 0 ? Math.min(ofMachine, ofContainer) : ofMachine;
}
