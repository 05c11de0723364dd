/**
 * A worker's test of itself: every minute a sentence of ours and a second of silence go through its models as a call's
 * would. A worker that takes jobs and gets nowhere is found by it before their leases end.
 */
import type { Clock, Timer } from "../core/clock.js";
import type { InferenceRunner } from "../inference/pool/inference-pool.js";
import type { SelfTestResult } from "../observability/worker-state.js";

export interface SelfTestOptions {
  readonly inference: InferenceRunner;
  readonly clock: Clock;
  readonly onResult: (result: SelfTestResult) => void;
}

export interface SelfTest {
  /** Null before the first has ended. */
  readonly last: SelfTestResult | null;
  stop(): void;
}

const EVERY_MS = 60_000;
const DEADLINE_MS = 30_000;
/** Behind recordings that are in work it may wait; a worker that is full is not a stuck one. */
const WAIT_MS = 600_000;
const SENTENCE = "A girl of ten years from Nairobi is asking for help.";
const SILENCE_HZ = 16_000;

/** The first begins at once. */
export function startSelfTest({ inference, clock, onResult }: SelfTestOptions): SelfTest {
  const stopping = new AbortController();
  let last: SelfTestResult | null = null;
  let timer: Timer | undefined;
  const test = async (): Promise<void> => {
    const startedMs = clock.monotonicMs();
    const waiting = new AbortController();
    const patience = clock.schedule(WAIT_MS, () => waiting.abort());
    const outcome = await runOnce(inference, AbortSignal.any([stopping.signal, waiting.signal])).then(
      () => "passed" as const,
      () => "failed" as const,
    );
    patience.cancel();
    if (stopping.signal.aborted) return;
    last = { outcome, atMs: clock.nowMs(), durationMs: Math.round(clock.monotonicMs() - startedMs) };
    onResult(last);
    timer = clock.schedule(EVERY_MS, () => void test());
  };
  void test();
  return {
    get last() {
      return last;
    },
    stop() {
      stopping.abort();
      timer?.cancel();
    },
  };
}

/** Text and sound, which have processes of their own. */
async function runOnce(inference: InferenceRunner, signal: AbortSignal): Promise<void> {
  const segment = { id: "self-test", channel: "mixed", startMs: 0, endMs: 1_000, text: SENTENCE, language: "en", score: null } as const;
  const silence = { samples: new Int16Array(SILENCE_HZ), sampleCount: SILENCE_HZ, sampleRateHz: SILENCE_HZ, sourceSampleRateHz: SILENCE_HZ };
  await Promise.all([
    inference.run("entities", { segments: [segment] }, { signal, deadlineMs: DEADLINE_MS }),
    inference.run("voice_activity", { audio: silence }, { signal, deadlineMs: DEADLINE_MS }),
  ]);
}
