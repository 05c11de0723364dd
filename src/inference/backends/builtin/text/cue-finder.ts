/** Finds cue phrases in a call and says how each stands: stated, denied, asked, or asked and confirmed. */
import type { Evidence } from "../../../../core/evidence.js";
import type { CallReading, SegmentReading } from "./call-reading.js";
import type { PhraseMatch, PhraseMatcher } from "./phrase-matcher.js";
import type { ScopeReader } from "./scope-reader.js";
import { tokenEvidence } from "./text-reading.js";

export type CueStanding = "stated" | "negated" | "asked" | "confirmed";
export type CueTense = "present" | "past" | "hypothetical";

export interface Cue<Payload> {
  readonly payload: Payload;
  readonly segmentIndex: number;
  readonly firstToken: number;
  readonly endToken: number;
  readonly standing: CueStanding;
  readonly tense: CueTense;
  readonly evidence: Evidence;
  /** The caller's yes, for a confirmed cue. */
  readonly confirmation: Evidence | null;
}

/** All cues in time order. */
export function findCues<Payload>(
  call: CallReading,
  matcher: PhraseMatcher<Payload>,
  { scopes, signal }: { readonly scopes: ScopeReader; readonly signal: AbortSignal },
): readonly Cue<Payload>[] {
  return call.flatMap((reading, segmentIndex) => {
    signal.throwIfAborted();
    return matcher.findAll(reading).map((match) => {
      const standing = standingOf(reading, match, scopes);
      return {
        payload: match.payload,
        segmentIndex,
        firstToken: match.firstToken,
        endToken: match.endToken,
        standing,
        tense: tenseOf(reading, match),
        evidence: tokenEvidence(reading, match.firstToken, match.endToken),
        confirmation: standing === "confirmed" ? reading.confirmation : null,
      };
    });
  });
}

/** True when `inner` lies within `outer` and is shorter. */
export function isInside<Payload>(inner: Cue<Payload>, outer: Cue<Payload>): boolean {
  return (
    inner.segmentIndex === outer.segmentIndex &&
    inner.firstToken >= outer.firstToken &&
    inner.endToken <= outer.endToken &&
    inner.endToken - inner.firstToken < outer.endToken - outer.firstToken
  );
}

/** Leaves out cues that lie within a longer one of the same key. */
export function dropContained<Payload>(cues: readonly Cue<Payload>[], keyOf: (payload: Payload) => string): readonly Cue<Payload>[] {
  const bySegment = new Map<string, Cue<Payload>[]>();
  for (const cue of cues) {
    const key = `${cue.segmentIndex}:${keyOf(cue.payload)}`;
    const group = bySegment.get(key);
    if (group === undefined) bySegment.set(key, [cue]);
    else group.push(cue);
  }
  return cues.filter((cue) => {
    const group = bySegment.get(`${cue.segmentIndex}:${keyOf(cue.payload)}`) ?? [];
    return !group.some((other) => isInside(cue, other));
  });
}

function standingOf<T>(reading: SegmentReading, match: PhraseMatch<T>, scopes: ScopeReader): CueStanding {
  const { marks, tokens, sentences } = reading;
  const lastSentence = tokens[match.firstToken]?.sentence === sentences.length - 1;
  const confirmable = reading.confirmation !== null && lastSentence && reading.segment.channel !== "caller";
  if (marks.asked[match.firstToken] === 1) return confirmable ? "confirmed" : "asked";
  if (marks.negated[match.firstToken] === 1) return "negated";
  if (match.inflected) {
    const words = tokens.slice(match.firstToken, match.endToken);
    if (words.some(({ norm }) => scopes.isNegatedVerb(norm))) return "negated";
  }
  return confirmable && reading.segment.channel === "agent" ? "confirmed" : "stated";
}

function tenseOf<T>({ marks }: SegmentReading, { firstToken }: PhraseMatch<T>): CueTense {
  if (marks.hypothetical[firstToken] === 1) return "hypothetical";
  return marks.past[firstToken] === 1 ? "past" : "present";
}
