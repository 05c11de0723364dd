import { describe, expect, it } from "vitest";
import type { InferenceRunner } from "../../../src/inference/pool/inference-pool.js";
import { startSelfTest } from "../../../src/jobs/worker-self-test.js";
import { type SelfTestResult, statusOf, type WorkerState } from "../../../src/observability/worker-state.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/until.js";

interface Asked {
  readonly task: string;
  readonly signal: AbortSignal;
}

/** Answers as told; `hang` never does until it is aborted. */
function runner(behave: (task: string) => "answer" | "fail" | "hang"): { readonly inference: InferenceRunner; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const run = (task: string, _input: unknown, { signal }: { readonly signal: AbortSignal }) => {
    asked.push({ task, signal });
    const behaviour = behave(task);
    if (behaviour === "answer") return Promise.resolve({ output: {}, engine: "e", revision: "1" });
    if (behaviour === "fail") return Promise.reject(new Error("broken"));
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  return { inference: { run } as unknown as InferenceRunner, asked };
}

function begin(behave: Parameters<typeof runner>[0]) {
  const clock = new FakeClock();
  const results: SelfTestResult[] = [];
  const { inference, asked } = runner(behave);
  const test = startSelfTest({ inference, clock, onResult: (result) => results.push(result) });
  return { clock, results, asked, test };
}

const STATE: WorkerState = {
  ...{ queues: ["recordings"], concurrency: 1, isDraining: false, device: "cpu", modelProcesses: 1, modelRequestsWaiting: 0, engines: [], startedAtMs: 0 },
  selfTest: null,
};

describe("a worker's self-test", () => {
  it("asks for text and for sound at once, and again a minute later", async () => {
    const { clock, results, asked, test } = begin(() => "answer");
    await until("the first has ended", () => results.length === 1, 1_000, 1);
    expect(asked.map(({ task }) => task).sort()).toEqual(["entities", "voice_activity"]);
    expect(test.last?.outcome).toBe("passed");
    clock.advance(59_999);
    expect(asked).toHaveLength(2);
    clock.advance(1);
    expect(asked).toHaveLength(4);
  });

  it("has failed when either does, and is tried again", async () => {
    let isBroken = true;
    const { clock, results, test } = begin((task) => (isBroken && task === "voice_activity" ? "fail" : "answer"));
    await until("the first has ended", () => results.length === 1, 1_000, 1);
    expect(test.last?.outcome).toBe("failed");
    isBroken = false;
    clock.advance(60_000);
    await until("the second has ended", () => results.length === 2, 1_000, 1);
    expect(results.map(({ outcome }) => outcome)).toEqual(["failed", "passed"]);
  });

  it("waits ten minutes for its turn behind recordings, and no longer", async () => {
    const { clock, results, asked } = begin((task) => (task === "voice_activity" ? "hang" : "answer"));
    clock.advance(599_999);
    expect([asked[0]?.signal.aborted, results.length]).toEqual([false, 0]);
    clock.advance(1);
    await until("it has given up", () => results.length === 1, 1_000, 1);
    expect(results[0]).toMatchObject({ outcome: "failed", durationMs: 600_000 });
  });

  it("ends without a result when the worker stops", async () => {
    const { clock, results, asked, test } = begin(() => "hang");
    test.stop();
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
    clock.advance(600_000);
    expect([results.length, asked.length]).toEqual([0, 2]);
  });
});

describe("the status of a worker that is alive", () => {
  it("tells a stuck one by its self-test, and one that is stopping before that", () => {
    const failed = { outcome: "failed", atMs: 1, durationMs: 1 } as const;
    expect(statusOf(STATE)).toBe("running");
    expect(statusOf({ ...STATE, selfTest: { ...failed, outcome: "passed" } })).toBe("running");
    expect(statusOf({ ...STATE, selfTest: failed })).toBe("stuck");
    expect(statusOf({ ...STATE, selfTest: failed, isDraining: true })).toBe("draining");
  });
});
