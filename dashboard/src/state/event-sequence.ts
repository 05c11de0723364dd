/** Keeps a call's events whole: none twice, and none left out without asking for it once. */

export interface EventSequence {
  /** Call when a connection opens. */
  restart(): void;
  /** What to do with the event of this number. */
  judge(seq: number, lastSeq: number): "take" | "skip" | "ask-again";
}

/**
 * A gap is asked for once, by a new connection from the last event taken. Where the answer begins after the same gap, what is
 * missing is not kept any more (such as interim text of a call long ended), and gaps are taken as they are from then on.
 */
export function createEventSequence(): EventSequence {
  let isFirst = true;
  let hasAsked = false;
  let allowsGaps = false;
  return {
    restart: () => {
      isFirst = true;
    },
    judge: (seq, lastSeq) => {
      if (seq <= lastSeq) return "skip";
      const isGap = seq !== lastSeq + 1;
      if (isGap && !allowsGaps) {
        if (!isFirst || !hasAsked) {
          hasAsked = true;
          return "ask-again";
        }
        allowsGaps = true;
      }
      isFirst = false;
      return "take";
    },
  };
}
