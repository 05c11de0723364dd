import { describe, expect, it } from "vitest";
import { RECORDING_PLAN, TEXT_PLAN } from "../../../src/analysis/analysis-plan.js";
import { StageRunner } from "../../../src/analysis/stage-runner.js";
import { ANALYSIS_STAGES, type AnalysisStage, type StageOutcome } from "../../../src/core/analysis-result.js";
import { AppError } from "../../../src/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";

function createRunner(earlier: readonly (readonly [AnalysisStage, StageOutcome])[] = []) {
  const clock = new FakeClock();
  const abort = new AbortController();
  return { clock, abort, runner: new StageRunner({ earlier: new Map(earlier), clock, signal: abort.signal }) };
}

const DECODE = { stage: "decode", needs: [], progress: 10 } as const;
const SPEECH = { stage: "voice_activity", needs: ["decode"], progress: 20 } as const;

describe("the stage runner", () => {
  it("reports a stage that produced something as completed, with the time it took", async () => {
    const { clock, runner } = createRunner();
    const outcome = await runner.run(DECODE, async () => {
      clock.advance(1_234);
      return { output: { samples: 3 } };
    });
    expect(outcome).toEqual({ report: { stage: "decode", status: "completed", durationMs: 1_234 }, output: { samples: 3 } });
    expect(runner.output("decode")).toEqual({ samples: 3 });
  });

  it("reports a stage that had nothing to do as skipped", async () => {
    const { runner } = createRunner();
    expect(await runner.run(DECODE, async () => ({ output: null }))).toMatchObject({ report: { status: "skipped" }, output: null });
  });

  it("turns a failure into a report that says what is safe to say", async () => {
    const { clock, runner } = createRunner();
    const outcome = await runner.run(DECODE, async () => {
      clock.advance(50);
      throw new AppError("MODEL_OVERLOADED", "Too many requests.", { retryable: true });
    });
    expect(outcome).toEqual({
      report: { stage: "decode", status: "failed", durationMs: 50, error: { code: "MODEL_OVERLOADED", message: "Too many requests.", retryable: true } },
      output: null,
    });
  });

  it("tells nothing of an error that is not ours", async () => {
    const { runner } = createRunner();
    const { report } = await runner.run(DECODE, async () => {
      throw new TypeError("she said that her father");
    });
    expect(report).toMatchObject({ status: "failed", error: { code: "INTERNAL" } });
    expect(JSON.stringify(report)).not.toContain("father");
  });

  it("takes work that throws before its first await for a failure as well", async () => {
    const { runner } = createRunner();
    const outcome = await runner.run(DECODE, () => {
      throw new RangeError("at once");
    });
    expect(outcome.report.status).toBe("failed");
  });

  it("keeps what there is of a stage that failed in part", async () => {
    const { runner } = createRunner();
    const failure = new AppError("MODEL_PROCESS_FAILED", "One channel failed.");
    const outcome = await runner.run(DECODE, async () => ({ output: "one channel", failure }));
    expect(outcome).toMatchObject({ report: { status: "failed", error: { code: "MODEL_PROCESS_FAILED" } }, output: "one channel" });
    expect(await runner.run(SPEECH, async () => ({ output: "speech" }))).toMatchObject({ report: { status: "completed" } });
  });

  it("skips a stage whose needs produced nothing, and what needs that one in turn", async () => {
    const { runner } = createRunner();
    await runner.run(DECODE, async () => {
      throw new AppError("AUDIO_CORRUPT", "Broken.");
    });
    const called: string[] = [];
    const work = (name: string) => async () => {
      called.push(name);
      return { output: name };
    };
    expect(await runner.run(SPEECH, work("speech"))).toEqual({ report: { stage: "voice_activity", status: "skipped", durationMs: 0 }, output: null });
    expect(await runner.run({ stage: "transcript", needs: ["voice_activity"], progress: 70 }, work("transcript"))).toMatchObject({
      report: { status: "skipped" },
    });
    expect(await runner.run({ stage: "quality", needs: ["risk"], progress: 98 }, work("quality"))).toMatchObject({ report: { status: "skipped" } });
    expect(called).toEqual([]);
  });

  it("lets cancellation through, with the signal's reason, and nothing else", async () => {
    const { abort, runner } = createRunner();
    const reason = new AppError("QUEUE_JOB_CANCELLED", "The job was cancelled.");
    const running = runner.run(DECODE, async () => {
      abort.abort(reason);
      throw new Error("the child process was killed");
    });
    await expect(running).rejects.toBe(reason);
  });

  it("knows what a former attempt left, and builds on it", async () => {
    const before: StageOutcome = { report: { stage: "decode", status: "completed", durationMs: 7 }, output: { samples: 9 } };
    const { runner } = createRunner([["decode", before]]);
    expect(runner.earlier("decode")).toBe(before);
    expect(runner.earlier("transcript")).toBeUndefined();
    expect(runner.output("decode")).toEqual({ samples: 9 });
    expect(await runner.run(SPEECH, async () => ({ output: "speech" }))).toMatchObject({ report: { status: "completed" } });
    expect(runner.outcomes().map(({ report }) => report.stage)).toEqual(["decode", "voice_activity"]);
  });

  it("lists outcomes in the order the stages ran", async () => {
    const { runner } = createRunner();
    for (const planned of RECORDING_PLAN) await runner.run(planned, async () => ({ output: planned.stage }));
    expect(runner.outcomes().map(({ report }) => report.stage)).toEqual(ANALYSIS_STAGES);
  });
});

describe("the plan of a recording's analysis", () => {
  it("has every stage once, after all it needs, with progress that rises", () => {
    expect(RECORDING_PLAN.map(({ stage }) => stage)).toEqual(ANALYSIS_STAGES);
    const done = new Set<AnalysisStage>();
    let progress = 0;
    for (const planned of RECORDING_PLAN) {
      expect(planned.needs.every((need) => done.has(need))).toBe(true);
      expect(planned.progress).toBeGreaterThan(progress);
      ({ progress } = planned);
      done.add(planned.stage);
    }
    expect(progress).toBeLessThan(100);
  });

  it("reads the transcript in every stage after it", () => {
    expect(TEXT_PLAN.map(({ stage }) => stage)).toEqual(["translation", "entities", "classification", "risk", "summary", "answers", "quality"]);
  });
});
