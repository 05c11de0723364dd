/**
 * Reads the text of a call while it runs: signs of danger in every sentence at once, entities, classification and summary
 * of the whole when there is enough new text. One reading at a time; a failed one is tried with the next text.
 */
import { isReadingDue, mergeEntities, steadyClassification } from "../../analysis/live/progressive-policy.js";
import type { NewCallEvent } from "../../core/call-event.js";
import { type CaseClassification, isMoreUrgent } from "../../core/case-classification.js";
import type { Entity } from "../../core/entity.js";
import type { ModelTask } from "../../core/model-task.js";
import type { RiskFinding, RiskKind } from "../../core/risk.js";
import type { Channel, TranscriptSegment } from "../../core/transcript.js";
import type { TaskInputs, TaskOutputs } from "../../inference/model-engine.js";
import type { LiveCallParts } from "./live-call-parts.js";

export interface ReadCall {
  /** Final ones, in order of settling. */
  readonly segments: () => readonly TranscriptSegment[];
  readonly taskId: () => string;
  readonly emit: (event: NewCallEvent) => void;
}

const DEADLINE_MS = 30_000;
/** Of the segments before a new one, so many are read with it for signs of danger. */
const CONTEXT_SEGMENTS = 4;
const RISK_PRIORITY = 40;
const READING_PRIORITY = 30;

export class LiveReading {
  readonly #parts: LiveCallParts;
  readonly #call: ReadCall;
  readonly #risks = new Map<RiskKind, RiskFinding>();
  #newCharacters = 0;
  #lastReadMs: number;
  #hasNewRisk = false;
  #reading: Promise<void> | undefined;
  #riskOrder: Promise<void> = Promise.resolve();
  /** Speech in progress that waits to be looked at: the newest of each channel, which says all that older ones said. */
  readonly #looks = new Map<Channel, TranscriptSegment>();
  #entities: readonly Entity[] = [];
  #shown: CaseClassification | undefined;
  #former: CaseClassification | undefined;

  constructor(parts: LiveCallParts, call: ReadCall) {
    this.#parts = parts;
    this.#call = call;
    this.#lastReadMs = parts.clock.monotonicMs();
  }

  get riskKinds(): readonly RiskKind[] {
    return [...this.#risks.keys()];
  }

  /** Speech in progress, also what is not settled of it: a danger that was misheard is looked at by a person, one that was missed is not. */
  look(segment: TranscriptSegment): void {
    if (segment.text === "") return;
    const isWaiting = this.#looks.has(segment.channel);
    this.#looks.set(segment.channel, segment);
    if (!isWaiting) this.#inRiskOrder(() => this.#lookAt(segment.channel));
  }

  /** A final segment. */
  read(segment: TranscriptSegment): void {
    this.#newCharacters += segment.text.length;
    if (this.#looks.get(segment.channel)?.id === segment.id) this.#looks.delete(segment.channel);
    const segments = this.#context();
    this.#inRiskOrder(() => this.#findRisks(segments, false));
    this.#readWhenDue();
  }

  /** The last reading of a call that ends; what fails is left to the analysis of its recording. */
  async finish(): Promise<void> {
    await this.#riskOrder;
    await this.#reading;
    if (this.#newCharacters > 0) await this.#readAll();
  }

  #context(): readonly TranscriptSegment[] {
    return this.#call.segments().slice(-CONTEXT_SEGMENTS);
  }

  #inRiskOrder(work: () => Promise<void>): void {
    this.#riskOrder = this.#riskOrder.then(work);
  }

  async #lookAt(channel: Channel): Promise<void> {
    const newest = this.#looks.get(channel);
    this.#looks.delete(channel);
    if (newest !== undefined) await this.#findRisks([...this.#context(), newest], true);
  }

  async #findRisks(segments: readonly TranscriptSegment[], isInterim: boolean): Promise<void> {
    const found = await this.#ask("risk", { segments }, RISK_PRIORITY);
    this.#raise(found?.risks ?? [], isInterim);
  }

  /** Once per kind, and again when it is worse than was told. */
  #raise(findings: readonly RiskFinding[], isInterim: boolean): void {
    for (const finding of findings) {
      // A sign that is most likely none stands in the analysis; nobody is interrupted for it. Half a sentence looks like this and
      // that in turn: what is not grave waits until it is settled.
      const least = isInterim ? "medium" : "low";
      if (!isMoreUrgent(finding.level, least) || !isMoreUrgent(finding.level, this.#risks.get(finding.kind)?.level)) continue;
      this.#risks.set(finding.kind, finding);
      this.#hasNewRisk = true;
      this.#call.emit({ type: "risk.raised", payload: { taskId: this.#call.taskId(), finding, isInterim } });
    }
    if (this.#hasNewRisk) this.#readWhenDue();
  }

  #readWhenDue(): void {
    const sinceLastMs = this.#parts.clock.monotonicMs() - this.#lastReadMs;
    if (this.#reading !== undefined || !isReadingDue({ newCharacters: this.#newCharacters, sinceLastMs, hasNewRisk: this.#hasNewRisk })) return;
    this.#reading = this.#readAll().finally(() => {
      this.#reading = undefined;
      this.#readWhenDue();
    });
  }

  async #readAll(): Promise<void> {
    this.#newCharacters = 0;
    this.#hasNewRisk = false;
    this.#lastReadMs = this.#parts.clock.monotonicMs();
    const segments = [...this.#call.segments()].sort((a, b) => a.startMs - b.startMs);
    if (segments.length === 0) return;
    const taskId = this.#call.taskId();
    const entities = await this.#ask("entities", { segments }, READING_PRIORITY);
    if (entities !== undefined) {
      this.#entities = mergeEntities(this.#entities, entities.entities);
      this.#call.emit({ type: "entities.updated", payload: { taskId, entities: this.#entities } });
    }
    const classified = await this.#ask("classification", { segments }, READING_PRIORITY);
    if (classified !== undefined) {
      this.#shown = steadyClassification(this.#shown, this.#former, classified.classification);
      this.#former = classified.classification;
      this.#call.emit({ type: "classification.updated", payload: { taskId, classification: this.#shown } });
    }
    const known = this.#shown === undefined ? {} : { classification: this.#shown };
    const summary = await this.#ask("summary", { segments, entities: this.#entities, ...known }, READING_PRIORITY);
    if (summary !== undefined) this.#call.emit({ type: "summary.updated", payload: { taskId, summary: summary.summary } });
    const risks = await this.#ask("risk", { segments }, READING_PRIORITY);
    this.#raise(risks?.risks ?? [], false);
  }

  /** Undefined when no engine could say: the analysis of the whole call tells why. */
  async #ask<Task extends ModelTask>(task: Task, input: TaskInputs[Task], priority: number): Promise<TaskOutputs[Task] | undefined> {
    const { signal } = new AbortController();
    const answer = await this.#parts.inference.run(task, input, { signal, deadlineMs: DEADLINE_MS, isLive: true, priority }).catch(() => undefined);
    return answer?.output;
  }
}
