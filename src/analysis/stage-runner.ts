/**
 * Runs one stage: takes its earlier outcome if a retry finds one, skips it when what it needs is missing, and turns a
 * failure into a report instead of an end. Only cancellation, and that a stage is for others to run, get past it.
 */
import type { AnalysisStage, StageOutcome } from "../core/analysis-result.js";
import type { Clock } from "../core/clock.js";
import { toAppError } from "../core/errors.js";
import type { PlannedStage } from "./analysis-plan.js";

/** What a stage's work produced: `null` output with no failure means there was nothing to do. */
export interface StageWork<Output> {
  readonly output: Output | null;
  /** Something failed although there is output (one channel of two, say). */
  readonly failure?: unknown;
}

/** The next stage is not for this process. What was done before it stands. */
export class StageElsewhereError extends Error {
  readonly stage: AnalysisStage;

  constructor(stage: AnalysisStage) {
    super(`stage ${stage} runs elsewhere`);
    this.name = "StageElsewhereError";
    this.stage = stage;
  }
}

export interface StageRunnerOptions {
  readonly earlier: ReadonlyMap<AnalysisStage, StageOutcome>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent: every stage does. */
  readonly runsHere?: (stage: AnalysisStage) => boolean;
}

export class StageRunner {
  readonly #outcomes: Map<AnalysisStage, StageOutcome>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #runsHere: (stage: AnalysisStage) => boolean;

  constructor(options: StageRunnerOptions) {
    this.#outcomes = new Map(options.earlier);
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#runsHere = options.runsHere ?? (() => true);
  }

  /** The outcome a former attempt left, if any. */
  earlier(stage: AnalysisStage): StageOutcome | undefined {
    return this.#outcomes.get(stage);
  }

  /** Output of a stage that ran before. */
  output<Output>(stage: AnalysisStage): Output | null {
    return (this.#outcomes.get(stage)?.output ?? null) as Output | null;
  }

  outcomes(): readonly StageOutcome[] {
    return [...this.#outcomes.values()];
  }

  /** @throws StageElsewhereError */
  refuseElsewhere(stage: AnalysisStage): void {
    if (!this.#runsHere(stage)) throw new StageElsewhereError(stage);
  }

  /** @throws StageElsewhereError; the signal's reason */
  async run<Output>(planned: PlannedStage, work: () => Promise<StageWork<Output>>): Promise<StageOutcome<Output>> {
    const before = this.#outcomes.get(planned.stage);
    if (before !== undefined) return before as StageOutcome<Output>;
    const startedAtMs = this.#clock.monotonicMs();
    const isSkipped = planned.needs.some((need) => this.output(need) === null);
    if (!isSkipped) this.refuseElsewhere(planned.stage);
    const outcome = isSkipped ? skipped<Output>(planned.stage) : await this.#attempt(planned.stage, work, startedAtMs);
    this.#outcomes.set(planned.stage, outcome);
    return outcome;
  }

  async #attempt<Output>(stage: AnalysisStage, work: () => Promise<StageWork<Output>>, startedAtMs: number): Promise<StageOutcome<Output>> {
    const elapsed = (): number => Math.round(this.#clock.monotonicMs() - startedAtMs);
    try {
      const { output, failure } = await work();
      if (failure !== undefined) return { report: { stage, status: "failed", durationMs: elapsed(), error: reportError(failure) }, output };
      return { report: { stage, status: output === null ? "skipped" : "completed", durationMs: elapsed() }, output };
    } catch (error) {
      if (this.#signal.aborted) throw this.#signal.reason;
      return { report: { stage, status: "failed", durationMs: elapsed(), error: reportError(error) }, output: null };
    }
  }
}

function skipped<Output>(stage: AnalysisStage): StageOutcome<Output> {
  return { report: { stage, status: "skipped", durationMs: 0 }, output: null };
}

function reportError(thrown: unknown) {
  const { code, safeMessage, retryable } = toAppError(thrown);
  return { code, message: safeMessage, retryable };
}
