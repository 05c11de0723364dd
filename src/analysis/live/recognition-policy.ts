/**
 * Who is recognized next while calls run: the whole rule, pure, so that it can be tested with scripted recognizers and
 * made-up time. Finals go before interims, and calls with a risk before others; among equals the call that was served
 * longest ago comes first, so that nobody's speech crowds out another's.
 */

/** One channel that has something to recognize. */
export interface RecognitionCandidate {
  readonly callId: string;
  readonly kind: "final" | "interim";
  /** Since when it could have been recognized; monotonic. */
  readonly dueSinceMs: number;
  /** When a recognizer last began on this call; 0 for never. */
  readonly servedAtMs: number;
  readonly hasRisk: boolean;
}

export interface RecognizerLoad {
  readonly slots: number;
  readonly busy: number;
}

/** An interim that waited this long may take the slot that is kept for finals: it may hold a cry for help. */
const MAX_INTERIM_WAIT_MS = 800;
/** A final that waited this long goes before everything: risk must not starve the other calls. */
const MAX_FINAL_WAIT_MS = 10_000;

/** @returns the candidate to serve now; undefined when there is none, or none that may take a slot. */
export function chooseNext<Candidate extends RecognitionCandidate>(
  candidates: readonly Candidate[],
  { slots, busy }: RecognizerLoad,
  nowMs: number,
): Candidate | undefined {
  if (busy >= slots) return undefined;
  // Interims leave a slot free, where there is more than one: the final that comes next seldom waits for them.
  const isSlotKept = slots > 1 && busy === slots - 1;
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (isSlotKept && candidate.kind === "interim" && nowMs - candidate.dueSinceMs < MAX_INTERIM_WAIT_MS) continue;
    if (best === undefined || isBefore(candidate, best, nowMs)) best = candidate;
  }
  return best;
}

function isBefore(one: RecognitionCandidate, other: RecognitionCandidate, nowMs: number): boolean {
  if (one.kind !== other.kind) return one.kind === "final";
  const [isOverdue, isOtherOverdue] = [one, other].map((candidate) => candidate.kind === "final" && nowMs - candidate.dueSinceMs > MAX_FINAL_WAIT_MS);
  if (isOverdue !== isOtherOverdue) return isOverdue === true;
  if (isOverdue === true) return one.dueSinceMs < other.dueSinceMs;
  if (one.hasRisk !== other.hasRisk) return one.hasRisk;
  if (one.servedAtMs !== other.servedAtMs) return one.servedAtMs < other.servedAtMs;
  return one.dueSinceMs < other.dueSinceMs;
}
