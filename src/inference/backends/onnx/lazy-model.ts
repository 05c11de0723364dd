/** A model that is loaded when it is first needed: a process that never hears Swahili needs no room for it. */
export class LazyModel<Model extends { close(): Promise<void> }> {
  readonly #open: () => Promise<Model>;
  #loading: Promise<Model> | undefined;

  constructor(open: () => Promise<Model>) {
    this.#open = open;
  }

  /** Loads once; what failed is tried again the next time. */
  load(): Promise<Model> {
    this.#loading ??= this.#open().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close();
  }
}
