/**
 * A text that was sent, as the segments that engines read, and evidence back from them as places in the text. A line that
 * begins with who speaks ("Caller: ...") is a segment of that channel; a text without such lines is one of `mixed`.
 */
import type { Channel, TranscriptSegment } from "../core/transcript.js";

export interface TextTranscript {
  readonly segments: readonly TranscriptSegment[];
  /** A copy of an engine's output in which every offset counts from the beginning of the text, and no segment is named. */
  toTextOffsets<Output>(output: Output): Output;
}

const SPEAKERS: Readonly<Record<string, Channel>> = {
  ...{ caller: "caller", child: "caller", client: "caller", mtoto: "caller", mpigaji: "caller" },
  ...{ agent: "agent", counsellor: "agent", counselor: "agent", helpline: "agent", mshauri: "agent" },
};
const LABELLED_LINE = /^[ \t]*([A-Za-z]{4,12})[ \t]*:[ \t]*/;

/** @param language - of the whole text; `und` when it is not known. */
export function toTextTranscript(text: string, language: string): TextTranscript {
  const { segments, starts } = splitText(text, language);
  return {
    segments,
    toTextOffsets: (output) => shift(output, starts) as typeof output,
  };
}

function splitText(text: string, language: string): { readonly segments: readonly TranscriptSegment[]; readonly starts: ReadonlyMap<string, number> } {
  const segments: TranscriptSegment[] = [];
  const starts = new Map<string, number>();
  const add = (channel: Channel, start: number, content: string): void => {
    if (content.trim() === "") return;
    const id = `s${segments.length + 1}`;
    segments.push({ id, channel, startMs: 0, endMs: 0, text: content, language, score: null });
    starts.set(id, start);
  };
  const lines = splitLines(text);
  const speakers = lines.map(({ content }) => SPEAKERS[LABELLED_LINE.exec(content)?.[1]?.toLowerCase() ?? ""]);
  if (speakers.every((speaker) => speaker === undefined)) {
    add("mixed", 0, text);
    return { segments, starts };
  }
  let speaking: Channel = "mixed";
  for (const [index, { start, content }] of lines.entries()) {
    const speaker = speakers[index];
    const skipped = speaker === undefined ? 0 : (LABELLED_LINE.exec(content)?.[0].length ?? 0);
    speaking = speaker ?? speaking;
    add(speaking, start + skipped, content.slice(skipped));
  }
  return { segments, starts };
}

function splitLines(text: string): readonly { readonly start: number; readonly content: string }[] {
  let start = 0;
  return text.split("\n").map((content) => {
    const line = { start, content };
    start += content.length + 1;
    return line;
  });
}

/** Finds evidence by its fields, wherever an engine's output has it. */
function shift(value: unknown, starts: ReadonlyMap<string, number>): unknown {
  if (Array.isArray(value)) return value.map((item) => shift(item, starts));
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shift(inner, starts)]));
  const { segmentId, startOffset, endOffset } = copy;
  const start = typeof segmentId === "string" ? starts.get(segmentId) : undefined;
  if (start === undefined || typeof startOffset !== "number" || typeof endOffset !== "number") return copy;
  return { ...copy, segmentId: "", startOffset: startOffset + start, endOffset: endOffset + start };
}
