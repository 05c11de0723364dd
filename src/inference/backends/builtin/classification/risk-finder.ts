/** The dangers of a call: each utterance by itself, cue phrases and model together, then one finding per kind. */
import { PRIORITIES } from "../../../../core/case-classification.js";
import { RISK_KINDS, type RiskFinding } from "../../../../core/risk.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading, SegmentReading } from "../text/call-reading.js";
import type { ScopeReader } from "../text/scope-reader.js";
import { RiskReader } from "./risk-reader.js";
import { type RiskScan, uniqueEvidence } from "./risk-scan.js";

export class RiskFinder {
  readonly #scan: RiskScan;
  readonly #reader: RiskReader;

  constructor(assets: BuiltinAssets, scopes: ScopeReader, scan: RiskScan) {
    this.#scan = scan;
    this.#reader = new RiskReader(assets.riskModel, scopes);
  }

  /** One finding per kind, highest level first. */
  find(call: CallReading, signal: AbortSignal): readonly RiskFinding[] {
    return mergeFindings(call.flatMap((reading) => this.#readSegment(reading, signal)));
  }

  #readSegment(reading: SegmentReading, signal: AbortSignal): readonly RiskFinding[] {
    signal.throwIfAborted();
    if (reading.tokens.length === 0) return [];
    const ruled = this.#scan.find([reading], signal);
    // What only the counsellor says is no sign; what the caller confirms of it is, and the cue phrases know.
    if (reading.segment.channel === "agent") return ruled;
    return this.#reader.read(reading, ruled);
  }
}

const MAX_EVIDENCE = 6;

/** One finding per kind, highest level first: the gravest of its utterances, with the evidence of all that are as likely. */
function mergeFindings(findings: readonly RiskFinding[]): readonly RiskFinding[] {
  return RISK_KINDS.flatMap((kind): readonly RiskFinding[] => {
    const own = findings.filter((finding) => finding.kind === kind);
    const [gravest] = [...own].sort((one, other) => PRIORITIES.indexOf(other.level) - PRIORITIES.indexOf(one.level) || other.score - one.score);
    if (gravest === undefined) return [];
    const shown = own.filter(({ level }) => level !== "low" || gravest.level === "low");
    const evidence = uniqueEvidence(shown.flatMap((finding) => finding.evidence)).slice(0, MAX_EVIDENCE);
    return [{ ...gravest, score: Math.max(...own.map(({ score }) => score)), evidence, atMs: evidence[0]?.startMs ?? 0 }];
  }).sort((one, other) => PRIORITIES.indexOf(other.level) - PRIORITIES.indexOf(one.level));
}
