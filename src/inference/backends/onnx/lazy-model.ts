/** A model that is loaded when it is first needed, and let go when it has not been for a while or another needs the room. */

import type { ModelRoom } from "./model-room.js";
import type { ComputeDevice } from "./onnx-runtime.js";

/** What every engine on a model's files is made with. */
export interface ModelFilesOptions {
  readonly directory: string;
  /** Ending of the graphs' names: empty for fp32, `_quantized`, `_fp16`. */
  readonly suffix: string;
  readonly threads: number;
  /** Default `cpu`. */
  readonly device?: ComputeDevice;
  /** Where it is kept with others; absent: there is room for it, and it stays. */
  readonly kept?: { readonly room: ModelRoom; readonly weightBytes: number };
}

export class LazyModel<Model extends { close(): Promise<void> }> {
  readonly #open: () => Promise<Model>;
  readonly #kept: ModelFilesOptions["kept"];
  #loading: Promise<Model> | undefined;
  #users = 0;

  constructor(open: () => Promise<Model>, { kept }: Pick<ModelFilesOptions, "kept"> = {}) {
    this.#open = open;
    this.#kept = kept;
  }

  /** Nobody is at work with it. */
  get isIdle(): boolean {
    return this.#users === 0;
  }

  /**
   * Loads once; what failed is tried again the next time. The model stays at least until `work` is done.
   *
   * @throws AppError `MODEL_NOT_READY` when there is no room for it
   */
  async use<Result>(work: (model: Model) => Promise<Result>): Promise<Result> {
    this.#users++;
    try {
      return await work(await this.#load());
    } finally {
      this.#users--;
      this.#kept?.room.noteUse(this);
    }
  }

  /** Lets it go; the next use loads it again. */
  async close(): Promise<void> {
    const loading = this.#loading;
    this.#loading = undefined;
    this.#kept?.room.leave(this);
    await (await loading?.catch(() => undefined))?.close();
  }

  #load(): Promise<Model> {
    this.#loading ??= this.#enter().catch((error: unknown) => {
      this.#loading = undefined;
      this.#kept?.room.leave(this);
      throw error;
    });
    return this.#loading;
  }

  async #enter(): Promise<Model> {
    await this.#kept?.room.enter(this, this.#kept.weightBytes);
    return this.#open();
  }
}
