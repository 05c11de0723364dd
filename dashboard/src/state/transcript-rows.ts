/** The rows of a transcript in time order: settled lines, speech in progress, and what happened between the words. */
import type { Segment } from "../wire/call-shapes.js";
import type { CallNote, CallState, InterimText } from "./call-state.js";

export type TranscriptRow =
  | { readonly kind: "final"; readonly key: string; readonly startMs: number; readonly segment: Segment }
  | { readonly kind: "interim"; readonly key: string; readonly startMs: number; readonly interim: InterimText }
  | { readonly kind: "note"; readonly key: string; readonly startMs: number; readonly note: CallNote };

/** An interim and the final of the same segment have the same key: the line settles in its place. */
export function toRows({ segments, interims, notes }: Pick<CallState, "segments" | "interims" | "notes">): readonly TranscriptRow[] {
  const rows: TranscriptRow[] = [];
  for (const segment of segments.values()) {
    if (segment.text.trim() !== "") rows.push({ kind: "final", key: segment.id, startMs: segment.start_ms, segment });
  }
  for (const interim of interims.values()) rows.push({ kind: "interim", key: interim.id, startMs: interim.startMs, interim });
  for (const [index, note] of notes.entries()) rows.push({ kind: "note", key: `note-${index}`, startMs: note.atMs, note });
  return rows.sort((one, other) => one.startMs - other.startMs || compareKeys(one.key, other.key));
}

/** Segments without their empty ones, in the order they stand on the page. */
export function toLineIds(rows: readonly TranscriptRow[]): readonly string[] {
  return rows.flatMap((row) => (row.kind === "final" ? [row.key] : []));
}

/** @param step - 1 for the next line, -1 for the one before; from no line: the last one. */
export function neighbourLine(ids: readonly string[], current: string | undefined, step: 1 | -1): string | undefined {
  const index = current === undefined ? -1 : ids.indexOf(current);
  if (index < 0) return ids.at(-1);
  return ids[Math.max(0, Math.min(ids.length - 1, index + step))];
}

function compareKeys(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
