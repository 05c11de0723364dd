/** The samples of a channel at the rate its recognizer works on, in order, although making a resampler takes a moment. */
import { createResampler, type Resampler } from "../../audio/resampler.js";
import type { LiveSampleRateHz } from "../../inference/live-voice-activity.js";

export class ChannelInput {
  readonly #toHz: LiveSampleRateHz;
  readonly #onSamples: (samples: Int16Array) => void;
  #resampler: { readonly rateHz: number; readonly ready: Promise<Resampler> } | undefined;
  #order: Promise<void> = Promise.resolve();

  constructor(toHz: LiveSampleRateHz, onSamples: (samples: Int16Array) => void) {
    this.#toHz = toHz;
    this.#onSamples = onSamples;
  }

  write(samples: Int16Array, fromHz: number): void {
    if (fromHz === this.#toHz && this.#resampler === undefined) {
      this.#onSamples(samples);
      return;
    }
    if (this.#resampler?.rateHz !== fromHz) {
      this.#release();
      this.#resampler = { rateHz: fromHz, ready: createResampler(1, fromHz, this.#toHz) };
    }
    const { ready } = this.#resampler;
    this.#order = this.#order.then(async () => this.#onSamples((await ready).process(samples)));
  }

  /** Resolves when everything written was given out. */
  settled(): Promise<void> {
    return this.#order;
  }

  close(): void {
    this.#release();
  }

  #release(): void {
    const resampler = this.#resampler;
    this.#resampler = undefined;
    if (resampler !== undefined) void this.#order.then(async () => (await resampler.ready).close());
  }
}

/** Telephone audio keeps its rate; anything else is brought to 16 kHz. */
export function workingRateHz(sampleRateHz: number): LiveSampleRateHz {
  return sampleRateHz === 8_000 ? 8_000 : 16_000;
}
