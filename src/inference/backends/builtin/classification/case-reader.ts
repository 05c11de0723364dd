/**
 * What a call is about, by linear models that were trained on labelled calls: what was said and by whom, what the cue phrases
 * make of it, and the dangers found. Five questions, each with its own labels; an answer that is not likely enough is none.
 */
import { ABSTAINED, type CaseClassification, type LabelDecision } from "../../../../core/case-classification.js";
import type { RiskFinding } from "../../../../core/risk.js";
import { ruleScore } from "../builtin-engine.js";
import type { LinearModel } from "../linear/linear-weights.js";
import { LogisticModel } from "../linear/logistic-model.js";
import { piecesOf } from "../linear/text-features.js";
import { type WeightyRun, weightiestRun } from "../linear/weighty-words.js";
import type { CallReading, SegmentReading } from "../text/call-reading.js";
import { NO_TOPIC, type TopicReader, type TopicShares } from "./topic-reader.js";

/** The questions that have few labels; a label of their model is `question:label`. */
type Question = "contactType" | "intervention" | "priority";

/** Below these shares the answer is none; chosen on five folds. */
const LEAST: Readonly<Record<keyof CaseClassification, number>> = { contactType: 0.3, mainCategory: 0.25, subCategory: 0.08, intervention: 0.3, priority: 0.3 };
/** Of a call that has hardly begun. */
const LEAST_EARLY = { mainCategory: 0.6, subCategory: 0.3 } as const;
/** How many times worse it is to take a critical call for less than a lesser one for critical; fitted on five folds. */
const MISSED_CRITICAL = 3.3;
/** How far what a call is about says how urgent it is, beside its words; fitted on five folds. */
const TOPIC_SAYS = 0.8;
const EVIDENCE_RUNS = 3;
const LONG_PIECE = 4;

export interface ReadCase {
  readonly call: CallReading;
  /** By the cue phrases alone. */
  readonly ruled: CaseClassification;
  readonly risks: readonly RiskFinding[];
}

export class CaseReader {
  readonly #model: LogisticModel;
  readonly #topics: TopicReader;

  constructor(model: LinearModel, topics: TopicReader) {
    this.#model = new LogisticModel(model);
    this.#topics = topics;
  }

  /** The likeliest answer to each question; the sub-category is one of the main category. @param mainOf - the taxonomy */
  read(input: ReadCase, mainOf: ReadonlyMap<string, string>): CaseClassification {
    const features = caseFeatures(input);
    const topics = this.#topics.read(features);
    const decide = (question: Question, shares: Shares): LabelDecision =>
      this.#decide({ input, question, least: LEAST[question] }, highest(shares), (word, label) => this.#model.weight(word, `${question}:${label}`));
    return {
      contactType: decide("contactType", this.#sharesOf("contactType", features)) as CaseClassification["contactType"],
      ...this.#topic(input, { topics, mainOf, least: LEAST }),
      intervention: decide("intervention", this.#sharesOf("intervention", features)),
      priority: decide("priority", this.#priorityShares(features, topics)) as CaseClassification["priority"],
    };
  }

  /** Of a call that has hardly begun: what it is about, where that is clear already. */
  readEarly(input: ReadCase, mainOf: ReadonlyMap<string, string>): Topic {
    return this.#topic(input, { topics: this.#topics.read(caseFeatures(input)), mainOf, least: LEAST_EARLY });
  }

  #topic(input: ReadCase, { topics: { subs, mains }, mainOf, least }: TopicQuestion): Topic {
    const weightOf = (word: string, label: string): number => this.#topics.weight(word, label);
    const main = highest([...mains].filter(([label]) => label !== NO_TOPIC));
    const sub = highest([...subs].filter(([label]) => mainOf.get(label) === main?.label));
    const mainCategory = this.#decide({ input, question: "mainCategory", least: least.mainCategory }, main, (word) => weightOf(word, sub?.label ?? ""));
    if (mainCategory.label === null) return { mainCategory, subCategory: ABSTAINED };
    return { mainCategory, subCategory: this.#decide({ input, question: "subCategory", least: least.subCategory }, sub, weightOf) };
  }

  #sharesOf(question: Question, features: ReadonlySet<string>): Shares {
    return [...this.#model.shares(features)]
      .filter(([name]) => name.startsWith(`${question}:`))
      .map(([name, share]) => [name.slice(question.length + 1), share]);
  }

  /** One of them is right, and they are not equally bad to miss. */
  #priorityShares(features: ReadonlySet<string>, { subs }: TopicShares): Shares {
    const ofTopic = (label: string): number =>
      [...subs].reduce((sum, [topic, share]) => sum + share * this.#model.weight(topicFeature(topic), `priority:${label}`), 0);
    const odds = this.#sharesOf("priority", features).map(
      ([label, share]) => [label, (share / (1 - share)) * ofTopic(label) ** TOPIC_SAYS * (label === "critical" ? MISSED_CRITICAL : 1)] as const,
    );
    const total = odds.reduce((sum, [, odd]) => sum + odd, 0);
    return odds.map(([label, odd]) => [label, odd / total]);
  }

  #decide({ input, question, least }: Decision, best: Likeliest | undefined, weightOf: (feature: string, label: string) => number): LabelDecision {
    if (best === undefined || best.share < least) return ABSTAINED;
    const ruled = input.ruled[question];
    const evidence =
      ruled.label === best.label
        ? ruled.evidence
        : evidenceFor(input.call, question === "intervention" ? "agent" : "caller", (word) => weightOf(word, best.label));
    return { label: best.label, score: ruleScore(best.share), evidence };
  }
}

export type Topic = Pick<CaseClassification, "mainCategory" | "subCategory">;

interface TopicQuestion {
  readonly topics: TopicShares;
  readonly mainOf: ReadonlyMap<string, string>;
  readonly least: Readonly<Record<keyof Topic, number>>;
}

interface Decision {
  readonly input: ReadCase;
  readonly question: keyof CaseClassification;
  /** Below this share there is no answer. */
  readonly least: number;
}

type Shares = readonly (readonly [label: string, share: number])[];

interface Likeliest {
  readonly label: string;
  readonly share: number;
}

function highest(shares: Shares): Likeliest | undefined {
  let best: Likeliest | undefined;
  for (const [label, share] of shares) if (best === undefined || share > best.share) best = { label, share };
  return best;
}

/** The words of a speaker that speak most for a label. */
function evidenceFor(call: CallReading, speaker: "agent" | "caller", weightOf: (feature: string) => number): LabelDecision["evidence"] {
  const gainOf = (word: string): number => wordFeatures(word, speaker).reduce((sum, feature) => sum + weightOf(feature), 0);
  return call
    .filter(({ segment }) => segment.channel === "mixed" || segment.channel === speaker)
    .map((reading) => weightiestRun(reading, gainOf))
    .filter((run): run is WeightyRun => run !== undefined && run.gain > 0)
    .sort((one, other) => other.gain - one.gain)
    .slice(0, EVIDENCE_RUNS)
    .map(({ evidence }) => evidence);
}

function wordFeatures(word: string, speaker: "agent" | "caller"): readonly string[] {
  return [`${speaker} ${word}`, ...(speaker === "agent" ? [] : piecesOf(word).filter((piece) => piece.length >= LONG_PIECE + 2))];
}

/** Under which the model keeps how often calls of a topic have each priority: no feature of a call. */
export function topicFeature(topic: string): string {
  return `topic ${topic}`;
}

/** What the model looks at, each once. */
export function caseFeatures({ call, ruled, risks }: ReadCase): ReadonlySet<string> {
  const features = new Set<string>(["bias"]);
  const words = { caller: 0, agent: 0 };
  for (const reading of call) {
    const speaker = reading.segment.channel === "agent" ? "agent" : "caller";
    words[speaker] += reading.tokens.length;
    for (const feature of segmentFeatures(reading, speaker)) features.add(feature);
  }
  features.add(`caller words ${lengthBand(words.caller)}`).add(`agent words ${lengthBand(words.agent)}`);
  for (const [question, { label }] of Object.entries(ruled)) features.add(`rule ${question} ${label ?? "none"}`);
  for (const { kind, level } of risks) if (level !== "low") features.add(`risk ${kind}`).add(`risk ${kind} ${level}`).add(`risk level ${level}`);
  return features;
}

function* segmentFeatures({ tokens, marks }: SegmentReading, speaker: "agent" | "caller"): Generator<string> {
  for (const [at, { norm }] of tokens.entries()) {
    // What is denied is another word.
    const denied = marks.negated[at] === 1 ? "not " : "";
    yield* wordFeatures(denied + norm, speaker);
    const next = tokens[at + 1];
    if (next !== undefined) yield `${speaker} ${norm} ${next.norm}`;
  }
}

function lengthBand(count: number): number {
  return Math.floor(Math.log2(count + 1));
}
