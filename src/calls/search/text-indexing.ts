/**
 * Keeps the texts that are searched up with the calls. A call is due once an analysis of it is stored, whichever process
 * stored it, and stays due until its text is indexed: nothing is missed by a crash, and nothing unmasked is ever indexed.
 */
import type { Clock, Timer } from "../../core/clock.js";
import { AppError } from "../../core/errors.js";
import type { Logger } from "../../core/log.js";
import { searchableWords } from "../../core/text/search-terms.js";
import type { EventBus } from "../../events/event-bus.js";
import { errorFields } from "../../observability/error-fields.js";
import { WITHHELD } from "../../security/masking/cover-text.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { AppDatabase } from "../../storage/database.js";
import type { AnalysisRepository } from "../../storage/repositories/analysis-repository.js";
import type { CallRepository } from "../../storage/repositories/call-repository.js";
import type { CallTextRepository, DueText, TextPassage } from "../../storage/search/call-text-repository.js";
import { inUnitOfWork } from "../../storage/unit-of-work.js";
import type { TextMasking } from "../text-masking.js";

export interface TextIndexingDependencies {
  readonly database: AppDatabase;
  readonly calls: Pick<CallRepository, "openSealer">;
  readonly analyses: Pick<AnalysisRepository, "findAnalysis">;
  readonly callTexts: CallTextRepository;
  readonly masking: Pick<TextMasking, "coverOf">;
  readonly bus: Pick<EventBus, "subscribeCalls">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where several processes run, only one of them indexes. */
  readonly isOurTurn?: () => boolean;
}

const PAGE_CALLS = 50;
/** Events of calls come many together. */
const GATHER_MS = 1_000;
/** For calls that could not be indexed, and for a turn that passed to this process. */
const LOOK_EVERY_MS = 30_000;

export class TextIndexing {
  readonly #dependencies: TextIndexingDependencies;
  readonly #closing = new AbortController();
  #timer: Timer | undefined;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();
  #unsubscribe: (() => void) | undefined;

  constructor(dependencies: TextIndexingDependencies) {
    this.#dependencies = dependencies;
  }

  /** Begins with what was left due, then follows what happens. */
  start(): void {
    this.#unsubscribe = this.#dependencies.bus.subscribeCalls(() => this.#wake(GATHER_MS));
    this.#wake(0);
  }

  /** What was indexed goes: text search was turned off. */
  async removeAll(): Promise<void> {
    const { database, callTexts } = this.#dependencies;
    await inUnitOfWork(database, (unitOfWork) => callTexts.removeAll(unitOfWork));
  }

  /** Waits for the call in hand; the rest stays due. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#unsubscribe?.();
    this.#timer?.cancel();
    await this.#running;
  }

  /** Indexes every call that is due, and can be, now. */
  async #indexDue(): Promise<void> {
    const { callTexts, logger } = this.#dependencies;
    let afterCallId = "";
    let failures = 0;
    let firstError: unknown;
    while (!this.#closing.signal.aborted) {
      const due = await callTexts.listDue({ afterCallId, limit: PAGE_CALLS });
      for (const one of due) {
        if (this.#closing.signal.aborted) break;
        await this.#index(one).catch((error: unknown) => {
          firstError ??= error;
          failures++;
        });
      }
      const last = due.at(-1);
      if (last === undefined || due.length < PAGE_CALLS) break;
      afterCallId = last.callId;
    }
    if (failures > 0) logger.warn("Some calls could not be indexed for search and are tried again", { count: failures, ...errorFields(firstError) });
  }

  #wake(delayMs: number): void {
    const atMs = this.#dependencies.clock.monotonicMs() + delayMs;
    if (this.#closing.signal.aborted || atMs >= this.#dueAtMs) return;
    this.#dueAtMs = atMs;
    this.#timer?.cancel();
    this.#timer = this.#dependencies.clock.schedule(delayMs, () => {
      this.#dueAtMs = Number.POSITIVE_INFINITY;
      this.#running = this.#running.then(() => this.#look());
      void this.#running.then(() => this.#wake(LOOK_EVERY_MS));
    });
  }

  async #look(): Promise<void> {
    if (this.#dependencies.isOurTurn?.() === false) return;
    await this.#indexDue().catch((error: unknown) => this.#dependencies.logger.warn("Calls to index for search could not be looked up", errorFields(error)));
  }

  async #index(due: DueText): Promise<void> {
    const { database, calls, callTexts } = this.#dependencies;
    const sealer = await calls.openSealer(due.callId);
    const passages = await this.#readMasked(due, sealer);
    await inUnitOfWork(database, async (unitOfWork) => {
      const now = await callTexts.lockDue(due.callId, unitOfWork);
      // Deleted, or analysed once more, while it was read: then it is due again.
      if (now === undefined || now.taskId !== due.taskId) return;
      if (passages.length === 0) return callTexts.remove(due.callId, unitOfWork);
      const words = searchableWords(passages.map(({ text }) => text).join("\n"));
      await callTexts.save({ ...now, sealer, passages, words }, unitOfWork);
    });
  }

  async #readMasked({ callId, taskId }: DueText, sealer: CallSealer): Promise<readonly TextPassage[]> {
    const { analyses, masking } = this.#dependencies;
    if (taskId === null) return [];
    const analysis = await analyses.findAnalysis({ taskId, callId, sealer });
    const segments = analysis?.transcript?.segments ?? [];
    const cover = await masking.coverOf({ callId, sealer });
    cover.learn(segments);
    const passages = segments.map((segment) => ({ startMs: segment.startMs, text: cover.segment(segment).text }));
    if (passages.some(({ text }) => text === WITHHELD)) throw new AppError("INTERNAL", "Personal data can't be masked here, so nothing is indexed.");
    return passages;
  }
}
