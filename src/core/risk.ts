/** Risk findings: signs of danger to a child, raised once per kind, judged by recall. */
import type { Priority } from "./case-classification.js";
import type { Evidence } from "./evidence.js";

export const RISK_KINDS = [
  "suicide_self_harm",
  "sexual_violence",
  "physical_violence",
  "immediate_danger",
  "abduction",
  "trafficking",
  "early_marriage_fgm",
  "severe_neglect",
  "weapons",
  "drugs",
  "run_away",
  "threats",
] as const;
export type RiskKind = (typeof RISK_KINDS)[number];

/** What would make a danger less grave, for a counsellor to find out: statements by language, `en` and `sw`. */
export type RiskLowering = Readonly<Record<string, readonly string[]>>;

/** One risk of a call. `evidence` is never empty; `atMs` is the call audio time of its first words. */
export interface RiskFinding {
  readonly kind: RiskKind;
  readonly level: Priority;
  /** 0..1 */
  readonly score: number;
  readonly evidence: readonly Evidence[];
  readonly atMs: number;
  /** The same for every finding of the kind; undefined in analyses from before there was any. */
  readonly loweredBy?: RiskLowering;
}
