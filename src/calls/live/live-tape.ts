/**
 * What is kept of a live call: its row and first event, its journal while it runs, its recording and its task when it has
 * ended. Steps run one after the other; until the call's row is there, audio and events wait here.
 */
import type { CallLeg, ProcessingMode } from "../../core/call.js";
import type { NewCallEvent } from "../../core/call-event.js";
import { AppError } from "../../core/errors.js";
import { newId } from "../../core/ids.js";
import type { CallDetails } from "../../core/live-call.js";
import { recordAllowed } from "../../security/audit-record.js";
import type { CallSealer } from "../../security/sealing/sealed-text.js";
import type { JournalAudio, JournalWriter } from "../../storage/live-journal.js";
import { inUnitOfWork } from "../../storage/unit-of-work.js";
import type { LiveCallParts } from "./live-call-parts.js";
import { type EndedLiveCall, storeLiveCall } from "./store-live-call.js";

export interface BegunCall {
  readonly taskId: string;
  readonly startedAtMs: number;
  readonly mode: ProcessingMode;
  readonly language: string;
  readonly legs: readonly CallLeg[];
  readonly details: CallDetails;
  readonly isPaired: boolean;
  /** The journal can't be written. */
  readonly onFailure: () => void;
}

const INSERT_ATTEMPTS = 60;
const INSERT_RETRY_MS = 1_000;

export class LiveTape {
  readonly #parts: LiveCallParts;
  #callId: string;
  #order: Promise<void> = Promise.resolve();
  #sealer: CallSealer | undefined;
  #writer: JournalWriter | undefined;
  #waitingAudio: JournalAudio[] = [];
  #waitingEvents: NewCallEvent[] = [];
  #onFailure: () => void = () => {};
  #hasBegun = false;
  #isUnwritable = false;

  constructor(parts: LiveCallParts, callId: string) {
    this.#parts = parts;
    this.#callId = callId;
  }

  /** The stream id of the first leg, or an id of ours where that was used before. */
  get callId(): string {
    return this.#callId;
  }

  begin(call: BegunCall): void {
    this.#hasBegun = true;
    this.#onFailure = call.onFailure;
    this.#then(async () => {
      this.#sealer = await this.#insertPatiently(call);
      for (const event of this.#waitingEvents.splice(0)) this.tell(event);
      await this.#openJournal();
    });
  }

  write(audio: JournalAudio): void {
    if (this.#writer !== undefined) this.#writer.write(audio);
    else if (!this.#isUnwritable) this.#waitingAudio.push(audio);
  }

  tell(event: NewCallEvent): void {
    if (this.#sealer === undefined) this.#waitingEvents.push(event);
    else this.#parts.writer.append({ callId: this.#callId, sealer: this.#sealer }, event);
  }

  addLeg(leg: CallLeg): void {
    // Legs that are there before the call has begun are stored with it.
    if (this.#hasBegun) this.#then(() => this.#parts.calls.insertLeg(this.#callId, leg));
  }

  describe(details: CallDetails, isPaired: boolean): void {
    if (!this.#hasBegun) return;
    const { agentId } = details;
    this.#then(async () => {
      await this.#parts.liveCallRecords.update(this.#callId, { isPaired, ...placeAtExchange(details) });
      if (agentId !== undefined) await this.#parts.calls.updateAgent(this.#callId, agentId);
    });
  }

  /** Writes everything down and hands the call on to its analysis. Durable when it resolves. */
  async store(call: Omit<EndedLiveCall, "callId" | "sealer">): Promise<void> {
    await this.#order;
    const sealer = this.#sealer;
    if (sealer === undefined) throw new AppError("STORAGE_UNAVAILABLE", "The call could not be stored when it began.", { retryable: true });
    await this.#writer?.close();
    this.#writer = undefined;
    await this.#parts.writer.flush();
    await storeLiveCall(this.#parts, { ...call, callId: this.#callId, sealer });
  }

  continue({ former, taskId }: { readonly former: string; readonly taskId: string }): void {
    this.#then(async () => {
      const { database, calls, liveCallRecords, queue } = this.#parts;
      await queue.cancel(former);
      await inUnitOfWork(database, async (unitOfWork) => {
        await calls.updateOutcome(this.#callId, { status: "processing", endedAtMs: null }, unitOfWork);
        await calls.insertTask(this.#callId, taskId, unitOfWork);
        await liveCallRecords.update(this.#callId, { taskId }, unitOfWork);
        await liveCallRecords.end(this.#callId, null, [], unitOfWork);
      });
      await this.#openJournal();
    });
  }

  /** It was no call of its own: nothing of it stays. */
  async discard(): Promise<void> {
    if (!this.#hasBegun) return;
    this.#then(async () => {
      const { database, calls, journal, writer } = this.#parts;
      await this.#writer?.close();
      await writer.flush();
      await inUnitOfWork(database, (unitOfWork) => calls.removeCall(this.#callId, unitOfWork));
      await journal.remove(this.#callId);
    });
    await this.#order;
  }

  /** The recording is stored: the journal has done its work. */
  async remove(): Promise<void> {
    await this.#order;
    // The next start removes what can't be removed now.
    await this.#parts.journal.remove(this.#callId).catch(() => this.#parts.logger.warn("The journal of a stored call could not be removed"));
  }

  async #insert(call: BegunCall): Promise<CallSealer> {
    const { sealers, database, calls, liveCallRecords, audit, clock } = this.#parts;
    const key = sealers.newCallKey();
    const attempt = async (callId: string): Promise<CallSealer> => {
      const wrappedKey = sealers.wrap(callId, key);
      await recordAllowed({ audit, clock }, this.#parts.authorized.actor, "recording.created", callId);
      await inUnitOfWork(database, async (unitOfWork) => {
        const { externalId, agentId, direction = "unknown" } = call.details;
        const record = {
          ...({ callId, source: "live", direction, status: "processing", startedAtMs: call.startedAtMs, endedAtMs: null, durationMs: null } as const),
          ...{ legs: call.legs, languages: [], mode: call.mode, legalHold: false },
          ...(externalId === undefined ? {} : { externalId }),
          ...(agentId === undefined ? {} : { agentId }),
        };
        await calls.insertCall(record, wrappedKey, unitOfWork);
        await calls.insertTask(callId, call.taskId, unitOfWork);
        const { taskId, language, isPaired } = call;
        await liveCallRecords.insert({ callId, taskId, language, isPaired, ...placeAtExchange(call.details) }, unitOfWork);
      });
      return sealers.open(callId, wrappedKey);
    };
    try {
      return await attempt(this.#callId);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "STORAGE_CONFLICT") throw error;
      // The exchange used an id again: it is another call all the same.
      this.#callId = newId(clock.nowMs());
      return attempt(this.#callId);
    }
  }

  /** A database that is away for a while costs the call nothing: its audio waits in memory. */
  async #insertPatiently(call: BegunCall): Promise<CallSealer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#insert(call);
      } catch (error) {
        if (attempt === INSERT_ATTEMPTS) {
          this.#giveUpWriting();
          throw error;
        }
        await new Promise<void>((resolve) => this.#parts.clock.schedule(INSERT_RETRY_MS, resolve));
      }
    }
  }

  async #openJournal(): Promise<void> {
    if (this.#sealer === undefined) return;
    try {
      const writer = await this.#parts.journal.open(this.#callId, this.#sealer.audioKey, this.#onFailure);
      for (const audio of this.#waitingAudio.splice(0)) writer.write(audio);
      this.#writer = writer;
    } catch (error) {
      this.#giveUpWriting();
      throw error;
    }
  }

  /** What can't be written must not fill the memory. */
  #giveUpWriting(): void {
    this.#isUnwritable = true;
    this.#waitingAudio = [];
  }

  #then(step: () => Promise<void>): void {
    this.#order = this.#order.then(step).catch(() => {
      this.#parts.logger.error("A live call could not be written down");
      this.#onFailure();
    });
  }
}

function placeAtExchange({ extension, queue }: CallDetails): Pick<CallDetails, "extension" | "queue"> {
  return { ...(extension === undefined ? {} : { extension }), ...(queue === undefined ? {} : { queue }) };
}
