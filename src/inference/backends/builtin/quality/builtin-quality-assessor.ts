/**
 * The builtin `quality` engine: cue phrases in the counsellor's words, item by item of the rubric. Only `agent` segments
 * are judged; without them every item lacks evidence. A mark for something left unsaid shows the words it was looked for
 * in: the opening, the closing, or the longest counsellor turn.
 */
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { QualityItem, QualityMark } from "../../../../core/quality-score.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";
import type { ModelEngine } from "../../../model-engine.js";
import type { QualityInput, QualityOutput } from "../../../quality-assessor.js";
import type { PhrasesByLanguage, RubricItem } from "../asset-schemas.js";
import { checkSegments, describeBuiltin, ruleScore } from "../builtin-engine.js";
import { uniqueEvidence } from "../classification/risk-scan.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import { type CallReading, readCall, type SegmentReading } from "../text/call-reading.js";
import { allPhrases } from "../text/lexicon-phrases.js";
import { PhraseMatcher } from "../text/phrase-matcher.js";
import { ScopeReader } from "../text/scope-reader.js";
import { tokenEvidence } from "../text/text-reading.js";
import { judgeInterruption } from "./interruption-rule.js";

/** How many counsellor segments count as the opening and as the closing. */
const EDGE_SEGMENTS = 3;
const MAX_EVIDENCE = 4;
const SAID_SCORE = 0.65;
const SCORE_PER_FURTHER_CUE = 0.08;
/** A mark from what was not said is weaker than one from what was. */
const UNSAID_SCORE = 0.5;

type CueSide = "met" | "not_met" | "requires";

interface CompiledItem {
  readonly item: RubricItem;
  readonly cues: PhraseMatcher<CueSide>;
}

export class BuiltinQualityAssessor implements ModelEngine<"quality"> {
  readonly description;
  readonly #assets: BuiltinAssets;
  readonly #scopes: ScopeReader;
  readonly #heads: readonly { readonly head: string; readonly items: readonly CompiledItem[] }[];

  constructor(assets: BuiltinAssets, revision: string) {
    this.description = describeBuiltin("quality", revision);
    this.#assets = assets;
    this.#scopes = new ScopeReader(assets.scopes);
    this.#heads = assets.rubric.heads.map(({ head, items }) => ({
      head,
      items: items.map((item) => ({ item, cues: matcherOf(item) })),
    }));
  }

  async run(input: QualityInput, { signal }: { readonly signal: AbortSignal }): Promise<QualityOutput> {
    checkSegments(input.segments);
    const call = readCall(input.segments, { numbers: this.#assets.numbers, scopes: this.#scopes }, signal);
    const agent = call.filter(({ segment, tokens }) => segment.channel === "agent" && tokens.length > 0);
    const heads = this.#heads.map(({ head, items }) => {
      signal.throwIfAborted();
      return { head, items: items.map((item) => judgeItem(item, agent, input.segments)) };
    });
    return { quality: { heads } };
  }
}

function judgeItem({ item, cues }: CompiledItem, agent: CallReading, segments: readonly TranscriptSegment[]): QualityItem {
  if (agent.length === 0) return markOf(item.item, "not_enough_evidence", []);
  const place = item.rule === "start" ? agent.slice(0, EDGE_SEGMENTS) : agent;
  const judged = item.rule === "end" ? agent.slice(-EDGE_SEGMENTS) : place;
  const found = judged.flatMap((reading) => cuesOf(reading, cues));
  const evidenceOf = (side: CueSide): readonly Evidence[] => uniqueEvidence(found.filter((cue) => cue.side === side).map(({ evidence }) => evidence));
  const met = evidenceOf("met");
  const notMet = evidenceOf("not_met");
  if (item.requires !== undefined && evidenceOf("requires").length === 0) {
    return markOf(item.item, "not_enough_evidence", []);
  }
  if (notMet.length > (item.rule === "fluent" ? hesitationsAllowed(agent) : 0)) {
    return markOf(item.item, "not_met", notMet);
  }
  if (item.rule === "interruption") {
    const verdict = judgeInterruption(segments);
    return markOf(item.item, verdict.mark, verdict.evidence);
  }
  if (met.length >= item.min_met) return markOf(item.item, "met", met);
  return judgeAbsence(item, agent, judged);
}

/** What a mark is when no cue was said: the rubric says, once the counsellor has spoken enough. */
function judgeAbsence(item: RubricItem, agent: CallReading, judged: CallReading): QualityItem {
  const words = agent.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const { mark, min_agent_words: enough } = item.absence;
  if (words < enough || mark === "not_enough_evidence") return markOf(item.item, "not_enough_evidence", []);
  const longest = judged.reduce((best, reading) => (reading.tokens.length > best.tokens.length ? reading : best));
  const shown = item.rule === "start" ? judged[0] : item.rule === "end" ? judged.at(-1) : longest;
  const evidence = shown === undefined ? [] : [toEvidence(shown.segment, 0, shown.segment.text.length)];
  return { item: item.item, mark, score: UNSAID_SCORE, evidence };
}

function markOf(item: string, mark: QualityMark, evidence: readonly Evidence[]): QualityItem {
  if (mark === "not_enough_evidence") return { item, mark, score: 0, evidence: [] };
  const score = ruleScore(SAID_SCORE + SCORE_PER_FURTHER_CUE * (evidence.length - 1));
  return { item, mark, score, evidence: evidence.slice(0, MAX_EVIDENCE) };
}

/** Everyone hesitates now and then: one hesitation in a hundred words is allowed. */
function hesitationsAllowed(agent: CallReading): number {
  return Math.floor(agent.reduce((sum, { tokens }) => sum + tokens.length, 0) / 100);
}

function cuesOf(reading: SegmentReading, cues: PhraseMatcher<CueSide>): readonly { readonly side: CueSide; readonly evidence: Evidence }[] {
  // "This is not your fault" is the opposite of "your fault".
  const isDenied = (side: CueSide, firstToken: number): boolean => side === "not_met" && reading.marks.negated[firstToken] === 1;
  return cues
    .findAll(reading)
    .flatMap(({ payload, firstToken, endToken }) =>
      isDenied(payload, firstToken) ? [] : [{ side: payload, evidence: tokenEvidence(reading, firstToken, endToken) }],
    );
}

function matcherOf(item: RubricItem): PhraseMatcher<CueSide> {
  const sides: readonly (readonly [CueSide, PhrasesByLanguage])[] = [
    ["met", item.met],
    ["not_met", item.not_met],
    ["requires", item.requires ?? {}],
  ];
  return new PhraseMatcher(sides.flatMap(([payload, phrases]) => allPhrases(phrases).map((phrase) => ({ phrase, payload }))));
}
