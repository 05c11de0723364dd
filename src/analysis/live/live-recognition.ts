/**
 * Shares the recognizers among the channels of all live calls: whenever one is free, the policy says who is next. It
 * never holds a window that waits; a window is cut when its turn comes, and so is never out of date.
 */
import type { Clock } from "../../core/clock.js";
import { toAppError } from "../../core/errors.js";
import { UNDETERMINED_LANGUAGE } from "../../core/language.js";
import { isEngineNamed } from "../../inference/model-engine.js";
import type { InferenceBatchRunner } from "../../inference/pool/inference-pool.js";
import type { RecognizedUtterance, SpeechInput } from "../../inference/speech-recognizer.js";
import { identifyLanguages } from "../steps/identify-languages.js";
import type { LiveChannel } from "./live-channel.js";
import { RecognitionLadder } from "./recognition-ladder.js";
import { chooseNext, type RecognitionCandidate } from "./recognition-policy.js";
import type { RecognitionAnswer, RecognitionWindow } from "./recognition-window.js";

export interface LiveRecognitionOptions {
  readonly inference: InferenceBatchRunner;
  readonly clock: Clock;
  /** Windows recognized at once. */
  readonly slots: number;
  readonly speechEngine: string;
  readonly defaultLanguages: readonly string[];
  /** From the answer of a recognizer to the next turn, for measures. */
  readonly onRecognized?: (kind: "final" | "interim", waitedMs: number, tookMs: number) => void;
}

/** What recognition needs to know of a call; one object for all channels of it. */
export interface RecognizedCall {
  readonly callId: string;
  /** A tag, or `auto`; may change when the call is described. */
  language(): string;
  hasRisk(): boolean;
  /** Something a person should know of this call. @param text - a fixed sentence of ours */
  warn(text: string): void;
}

export interface LiveRecognition {
  /** The channel's windows take part from now on. @returns what to call when something may be due, and how to leave */
  join(call: RecognizedCall, channel: () => LiveChannel): { readonly due: () => void; readonly leave: () => void };
}

interface Member {
  readonly call: RecognizedCall;
  readonly channel: () => LiveChannel;
}

/** A recognizer that answers later than this is stopped; the window counts as failed. */
const DEADLINE_MS = 60_000;
const FINAL_PRIORITY = 20;
const INTERIM_PRIORITY = 10;

interface Candidate extends RecognitionCandidate {
  readonly member: Member;
}

/** A step of the ladder. */
interface LiveEngine {
  readonly name: string;
  readonly batchSize: number;
  /** For the calls it hears. */
  readonly warning?: string;
}

const RECORD_ONLY = "Too many calls at once: some speech was only recorded.";

/** A window that was cut, with whose it is. */
interface Turn {
  readonly candidate: Candidate;
  readonly window: RecognitionWindow;
}

/** Nothing runs before a channel has joined and something is due. */
export function createLiveRecognition(options: LiveRecognitionOptions): LiveRecognition {
  const turns = new RecognitionTurns(options);
  return {
    join(call, channel) {
      const member = { call, channel };
      return { due: () => turns.wake(member), leave: () => turns.leave(member) };
    },
  };
}

class RecognitionTurns {
  readonly #options: LiveRecognitionOptions;
  readonly #waiting = new Set<Member>();
  readonly #servedAtMs = new WeakMap<RecognizedCall, number>();
  readonly #ladder = new RecognitionLadder();
  #busy = 0;
  #isScheduled = false;

  constructor(options: LiveRecognitionOptions) {
    this.#options = options;
  }

  leave(member: Member): void {
    this.#waiting.delete(member);
  }

  wake(member: Member): void {
    this.#waiting.add(member);
    this.#schedule();
  }

  /** Once for everything that became due in this turn of the event loop. */
  #schedule(): void {
    if (this.#isScheduled || this.#busy >= this.#options.slots) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#serve();
    });
  }

  #serve(): void {
    const { clock, slots } = this.#options;
    while (this.#busy < slots) {
      const nowMs = clock.monotonicMs();
      const engine = this.#engineNow(nowMs);
      if (engine === undefined) {
        this.#recordOnly();
        return;
      }
      const turns = this.#takeTurns(engine, nowMs);
      if (turns.length === 0) return;
      this.#run(engine, turns, nowMs);
    }
  }

  /** Undefined: nothing is heard now. */
  #engineNow(nowMs: number): LiveEngine | undefined {
    const engines = this.#engines();
    const lagMs = Math.max(0, ...[...this.#waiting].map((member) => member.channel().lagMs(nowMs)));
    return engines[this.#ladder.observe(lagMs, nowMs, engines.length)];
  }

  /** The one that was chosen, then those of its kind with smaller weights. */
  #engines(): readonly LiveEngine[] {
    const { inference, speechEngine } = this.#options;
    const all = inference.engines().filter(({ modelTask }) => modelTask === "speech");
    const chosen = all.find(({ engine }) => speechEngine === "auto" || isEngineNamed(engine, speechEngine));
    const weight = chosen?.capabilities.weightBytes;
    const smaller = all
      .filter(({ capabilities: { weightBytes } }) => weight !== undefined && weightBytes !== undefined && weightBytes < weight)
      .sort((one, other) => (other.capabilities.weightBytes ?? 0) - (one.capabilities.weightBytes ?? 0));
    return [
      { name: speechEngine, batchSize: chosen?.capabilities.batchSize ?? 1 },
      ...smaller.map(({ engine: name, capabilities: { batchSize = 1 } }) => ({
        name,
        batchSize,
        warning: `Many calls at once: some speech was heard by the smaller model ${name}.`,
      })),
    ];
  }

  /** What waits is given up: the recording has it. */
  #recordOnly(): void {
    for (const member of this.#waiting) {
      if (member.channel().due()?.kind !== "final") continue;
      member.call.warn(RECORD_ONLY);
      member.channel().giveUp();
    }
  }

  /** One window for each free slot, and several at once where more wait than there are slots and the recognizer can; finals with finals. */
  #takeTurns({ batchSize }: LiveEngine, nowMs: number): readonly Turn[] {
    const { slots } = this.#options;
    const most = Math.min(batchSize, Math.ceil(this.#candidates().length / (slots - this.#busy)));
    const turns: Turn[] = [];
    while (turns.length < most) {
      const candidate = chooseNext(this.#candidates(), { slots, busy: this.#busy }, nowMs);
      if (candidate === undefined || candidate.kind !== (turns[0]?.candidate.kind ?? candidate.kind)) break;
      const window = candidate.member.channel().take(candidate.kind);
      if (window === undefined) break;
      this.#servedAtMs.set(candidate.member.call, nowMs);
      turns.push({ candidate, window });
    }
    return turns;
  }

  #run(engine: LiveEngine, turns: readonly Turn[], nowMs: number): void {
    const { clock, onRecognized } = this.#options;
    this.#busy++;
    if (engine.warning !== undefined) for (const { candidate } of turns) candidate.member.call.warn(engine.warning);
    const settled = recognize(this.#options, engine.name, turns).map(async (coming, index) => {
      const { candidate, window } = turns[index] as Turn;
      const answer = await coming;
      onRecognized?.(window.kind, Math.max(0, nowMs - candidate.dueSinceMs), clock.monotonicMs() - nowMs);
      candidate.member.channel().settle(window, answer);
    });
    void Promise.all(settled).then(() => {
      this.#busy--;
      this.#schedule();
    });
  }

  #candidates(): readonly Candidate[] {
    const found: Candidate[] = [];
    for (const member of this.#waiting) {
      const due = member.channel().due();
      if (due === undefined) {
        this.#waiting.delete(member);
        continue;
      }
      const { call } = member;
      found.push({ member, callId: call.callId, ...due, servedAtMs: this.#servedAtMs.get(call) ?? 0, hasRisk: call.hasRisk() });
    }
    return found;
  }
}

function recognize({ inference, defaultLanguages }: LiveRecognitionOptions, engine: string, turns: readonly Turn[]): readonly Promise<RecognitionAnswer>[] {
  const inputs = turns.map(({ candidate, window: { audio, leadMs, startMs, endMs, signal } }) => {
    const language = candidate.member.call.language();
    const utterances = [{ startMs: leadMs, endMs: leadMs + Math.round(endMs - startMs) }];
    return { input: { audio, utterances, language, allowedLanguages: language === "auto" ? defaultLanguages : [language] }, signal };
  });
  const priority = turns[0]?.window.kind === "final" ? FINAL_PRIORITY : INTERIM_PRIORITY;
  return inference.runTogether("speech", inputs, { deadlineMs: DEADLINE_MS, engine, isLive: true, priority }).map(async (answer, index) => {
    try {
      const { output } = await answer;
      const [heard] = output.utterances;
      return { heard: heard === undefined ? undefined : await withLanguage(inference, heard, inputs[index]), lowQuality: output.lowQuality };
    } catch (error) {
      return { errorCode: toAppError(error).code };
    }
  });
}

interface AskedUtterance {
  readonly input: Pick<SpeechInput, "allowedLanguages">;
  readonly signal: AbortSignal;
}

/** A recognizer that does not tell the language leaves it to the words. */
async function withLanguage(inference: InferenceBatchRunner, heard: RecognizedUtterance, asked: AskedUtterance | undefined): Promise<RecognizedUtterance> {
  if (asked === undefined || heard.language !== UNDETERMINED_LANGUAGE || heard.text === "") return heard;
  const { allowedLanguages } = asked.input;
  const segment = { ...heard, id: "heard", channel: "mixed" } as const;
  const { segments } = await identifyLanguages(inference, [segment], { allowedLanguages, isLive: true, signal: asked.signal });
  return { ...heard, language: segments[0]?.language ?? heard.language };
}
