/** Cuts a text into runs of plain and marked words, for marks that may overlap or reach beyond it. */

export type MarkKind = "focus" | "risk";

export interface TextMark {
  readonly kind: MarkKind;
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface TextRun {
  readonly text: string;
  readonly startOffset: number;
  readonly kinds: readonly MarkKind[];
}

/** @returns runs that join to the text; empty ones are left out. */
export function toRuns(text: string, marks: readonly TextMark[]): readonly TextRun[] {
  const edges = new Set([0, text.length]);
  for (const { startOffset, endOffset } of marks) {
    edges.add(clamp(startOffset, text.length));
    edges.add(clamp(endOffset, text.length));
  }
  const sorted = [...edges].sort((one, other) => one - other);
  const runs: TextRun[] = [];
  for (const [index, startOffset] of sorted.entries()) {
    const endOffset = sorted[index + 1];
    if (endOffset === undefined) break;
    const over = marks.filter((mark) => mark.startOffset <= startOffset && mark.endOffset >= endOffset);
    runs.push({ text: text.slice(startOffset, endOffset), startOffset, kinds: [...new Set(over.map(({ kind }) => kind))].sort() });
  }
  return runs;
}

function clamp(offset: number, length: number): number {
  return Math.max(0, Math.min(length, offset));
}
