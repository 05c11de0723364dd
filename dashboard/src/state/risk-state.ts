/** Risks of one call: at most one per kind, highest first, calm once somebody has seen them at the level they have now. */
import { LEVELS, type Level, type RiskFinding } from "../wire/call-shapes.js";

export interface Acknowledgement {
  readonly by: string;
  /** When, as a UTC time. */
  readonly at: string;
  /** The level it had when it was seen. */
  readonly level: Level;
}

export interface RiskState {
  readonly finding: RiskFinding;
  /** Rests on words that were not settled yet. */
  readonly isInterim: boolean;
  readonly raisedAt: string;
  readonly acknowledgement?: Acknowledgement;
}

export function levelRank(level: Level): number {
  return LEVELS.indexOf(level);
}

/** False again when the risk has risen since it was seen: nobody has seen it like this. */
export function isCalm({ acknowledgement, finding }: RiskState): boolean {
  return acknowledgement !== undefined && levelRank(acknowledgement.level) >= levelRank(finding.level);
}

/** A kind raised again replaces its finding and keeps when it was first raised and who has seen it. */
export function withRaised(risks: readonly RiskState[], raised: RiskState): readonly RiskState[] {
  const known = risks.find(({ finding }) => finding.kind === raised.finding.kind);
  if (known === undefined) return [...risks, raised];
  return risks.map((risk) => (risk === known ? { ...known, finding: raised.finding, isInterim: raised.isInterim } : risk));
}

/** Of a kind that was not raised: nothing changes. */
export function withAcknowledged(risks: readonly RiskState[], { kind, by, at }: { kind: string; by: string; at: string }): readonly RiskState[] {
  return risks.map((risk) => (risk.finding.kind === kind ? { ...risk, acknowledgement: { by, at, level: risk.finding.level } } : risk));
}

/** Not yet seen before seen, higher levels before lower, earlier before later. */
export function inUrgency(risks: readonly RiskState[]): readonly RiskState[] {
  return [...risks].sort(
    (one, other) =>
      Number(isCalm(one)) - Number(isCalm(other)) ||
      levelRank(other.finding.level) - levelRank(one.finding.level) ||
      one.finding.at_ms - other.finding.at_ms ||
      one.finding.kind.localeCompare(other.finding.kind),
  );
}
