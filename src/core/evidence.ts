/**
 * Evidence: the words a claim rests on. Every label, entity, summary sentence, mark and alert carries it; a claim
 * without evidence is not shown.
 */
import type { Channel, TranscriptSegment } from "./transcript.js";

/** A span of one segment. Offsets are UTF-16 code units of that segment's text, half-open; times are call audio ms. */
export interface Evidence {
  readonly segmentId: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly text: string;
  readonly channel: Channel;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Builds evidence from a span of a segment. The time is that of the words covered when the segment has word times,
 * otherwise interpolated by character position, which is right to about a second in a ten-second segment.
 *
 * @param startOffset - first code unit, `0 <= startOffset < endOffset <= segment.text.length`.
 * @throws RangeError when the span is empty or outside the text.
 */
export function toEvidence(segment: TranscriptSegment, startOffset: number, endOffset: number): Evidence {
  const { length } = segment.text;
  if (!(startOffset >= 0 && startOffset < endOffset && endOffset <= length)) {
    throw new RangeError("evidence span lies outside its segment");
  }
  return {
    segmentId: segment.id,
    startOffset,
    endOffset,
    text: segment.text.slice(startOffset, endOffset),
    channel: segment.channel,
    ...(wordTimes(segment, startOffset, endOffset) ?? interpolatedTimes(segment, startOffset, endOffset)),
  };
}

type Times = Pick<Evidence, "startMs" | "endMs">;

function interpolatedTimes({ text: { length }, startMs, endMs }: TranscriptSegment, startOffset: number, endOffset: number): Times {
  const spanMs = endMs - startMs;
  return { startMs: startMs + Math.floor((spanMs * startOffset) / length), endMs: startMs + Math.ceil((spanMs * endOffset) / length) };
}

/** Times of the words the span touches; undefined when the words can't be found in the text in their order. */
function wordTimes({ text, words }: TranscriptSegment, startOffset: number, endOffset: number): Times | undefined {
  let times: Times | undefined;
  let searchFrom = 0;
  for (const word of words ?? []) {
    const wordStart = text.indexOf(word.text, searchFrom);
    if (wordStart === -1) return undefined;
    searchFrom = wordStart + word.text.length;
    if (searchFrom <= startOffset || wordStart >= endOffset) continue;
    times = { startMs: times?.startMs ?? word.startMs, endMs: word.endMs };
  }
  return times;
}
