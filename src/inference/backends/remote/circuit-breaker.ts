/** Whether it is worth asking a server that failed of late. Pure; the clock is handed in. */

const FAILURES_TO_OPEN = 3;
const OPEN_MS = 30_000;

export class CircuitBreaker {
  readonly #nowMs: () => number;
  #failures = 0;
  #openUntilMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs - monotonic. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** False for half a minute after three failures in a row; then one request may try. */
  get mayAsk(): boolean {
    return this.#nowMs() >= this.#openUntilMs;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
    if (this.#failures >= FAILURES_TO_OPEN) this.#openUntilMs = this.#nowMs() + OPEN_MS;
  }
}
