/** Where a model's quotation stands in a call. What is not there, word for word, is no evidence. Pure. */
import { type Evidence, toEvidence } from "../../../../core/evidence.js";
import type { TranscriptSegment } from "../../../../core/transcript.js";

/** As a model gives it. */
export interface Quotation {
  readonly segmentId: string;
  readonly text: string;
}

/** Case, kind of quotation mark and width of blanks may differ, and what stands around the quotation; words may not. */
export class QuoteFinder {
  readonly #segments: ReadonlyMap<string, TranscriptSegment>;

  constructor(segments: readonly TranscriptSegment[]) {
    this.#segments = new Map(segments.map((segment) => [segment.id, segment]));
  }

  /** The first place in the segment that was named; undefined when the words are not in it. */
  find({ segmentId, text }: Quotation): Evidence | undefined {
    const segment = this.#segments.get(segmentId);
    const words = text.replace(/^["'“”‘’\s]+|["'“”‘’.…,;:\s]+$/gu, "");
    if (segment === undefined || words === "") return undefined;
    const pattern = words
      .split(/\s+/u)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&").replace(/['‘’]/gu, "['‘’]"))
      .join("\\s+");
    const found = new RegExp(`(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`, "iu").exec(segment.text);
    return found === null ? undefined : toEvidence(segment, found.index, found.index + found[0].length);
  }

  /** Those that stand in the call. */
  findAll(quotations: readonly Quotation[]): readonly Evidence[] {
    return quotations.flatMap((quotation) => this.find(quotation) ?? []);
  }
}
