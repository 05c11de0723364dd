/** The wait at the end of a call, until what was said has its text. */
import type { Clock } from "../../core/clock.js";

/** Text that takes longer is left to the analysis of the recording. */
const DEADLINE_MS = 30_000;

export class Drain {
  readonly #clock: Clock;
  #look: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was settled; costs nothing while nobody waits. */
  notify(): void {
    this.#look?.();
  }

  /** @returns false when the text of the last speech did not come within 30 s */
  wait(isDrained: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (isInTime: boolean): void => {
        deadline.cancel();
        this.#look = undefined;
        resolve(isInTime);
      };
      const deadline = this.#clock.schedule(DEADLINE_MS, () => finish(false));
      this.#look = () => {
        if (isDrained()) finish(true);
      };
      this.#look();
    });
  }
}
