/**
 * Labelled data: one JSON object a line. A text carries its labels as marks within it (`[Amina|VICTIM:name]`) or as a list
 * beside it (`entities`); a call is a text, or turns. What a task needs of a record is checked by that task.
 */
import { z } from "zod";
import { AppError } from "../core/errors.js";
import type { Channel, TranscriptSegment } from "../core/transcript.js";
import { type Mark, parseMarkedText } from "./text/marked-text.js";

const level = z.enum(["low", "medium", "high", "critical"]);
const decision = z.string().nullable().optional();

/** Unknown keys are let through: a file may serve other programs as well. */
const recordSchema = z.looseObject({
  id: z.string().optional(),
  language: z.string().optional(),
  text: z.string().optional(),
  entities: z.array(z.looseObject({ start: z.int().min(0), end: z.int().min(1), label: z.string() })).optional(),
  turns: z.array(z.looseObject({ speaker: z.string(), text: z.string(), language: z.string().optional() })).optional(),
  speaker: z.string().optional(),
  kind: z.string().optional(),
  contact_type: decision,
  main_category: decision,
  sub_category: decision,
  intervention: decision,
  priority: decision,
  risks: z.array(z.looseObject({ kind: z.string(), level })).optional(),
  quality: z.record(z.string(), z.enum(["met", "not_met", "not_enough_evidence"])).optional(),
  summary: z.string().optional(),
  answers: z.record(z.string(), z.string().nullable()).optional(),
  question: z.string().optional(),
  answer: z.string().nullable().optional(),
  audio: z.string().optional(),
  source: z.string().optional(),
  target: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  source_language: z.string().optional(),
  target_language: z.string().optional(),
});
export type RecordFields = z.infer<typeof recordSchema>;

/** A mark of one segment of a record. */
export interface SegmentMark extends Mark {
  readonly segmentId: string;
  /** What was said, also where the text is a damaged copy. */
  readonly said: string;
}

export interface LabelledRecord {
  /** The record's own, else `line N`. */
  readonly id: string;
  readonly fields: RecordFields;
  /** Without marks; empty when the record has neither `text` nor `turns`. */
  readonly segments: readonly TranscriptSegment[];
  readonly marks: readonly SegmentMark[];
}

const CHANNELS: Readonly<Record<string, Channel>> = { caller: "caller", counsellor: "agent", agent: "agent", mixed: "mixed" };
const TURN_MS = 4_000;

/**
 * Reads labelled data.
 *
 * @throws AppError `EVALUATION_DATA_INVALID` with the number of the line, and never its content
 */
export function parseLabelledData(jsonLines: string): readonly LabelledRecord[] {
  const records: LabelledRecord[] = [];
  for (const [index, line] of jsonLines.split("\n").entries()) {
    if (line.trim() !== "") records.push(parseLine(line, index + 1));
  }
  if (records.length === 0) throw new AppError("EVALUATION_DATA_INVALID", "The labelled data hold no record; each line is one JSON object.");
  return records;
}

function parseLine(line: string, lineNumber: number): LabelledRecord {
  const json = parseJson(line);
  if (json === undefined) throw faulty(lineNumber, "is not JSON");
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw faulty(lineNumber, `has a fault in ${issue?.path.join(".") || "its shape"}`);
  }
  const { data: fields } = parsed;
  const turns = fields.turns ?? (fields.text === undefined ? [] : [{ speaker: fields.speaker ?? "mixed", text: fields.text }]);
  const segments: TranscriptSegment[] = [];
  const marks: SegmentMark[] = [];
  for (const [at, turn] of turns.entries()) {
    const channel = CHANNELS[turn.speaker];
    if (channel === undefined) throw faulty(lineNumber, "has a speaker that is none of caller, counsellor, agent and mixed");
    const read = fields.entities === undefined ? parseMarkedText(turn.text) : { text: turn.text, marks: [] };
    const id = `s${at + 1}`;
    segments.push({ id, channel, startMs: at * TURN_MS, endMs: (at + 1) * TURN_MS, text: read.text, language: spokenTag(fields.language), score: null });
    marks.push(...read.marks.map((mark) => ({ ...mark, segmentId: id, said: read.text.slice(mark.startOffset, mark.endOffset) })));
  }
  const { text = "" } = fields;
  for (const { start, end, label } of fields.entities ?? []) {
    if (end <= start || end > text.length) throw faulty(lineNumber, "has an entity outside its text");
    marks.push({ segmentId: "s1", startOffset: start, endOffset: end, label, flags: [], said: text.slice(start, end) });
  }
  return { id: fields.id ?? `line ${lineNumber}`, fields, segments, marks };
}

/** A mixture is asked for as the language that most of it is in. */
function spokenTag(language: string | undefined): string {
  if (language === "mixed") return "sw";
  return language ?? "und";
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function faulty(lineNumber: number, fault: string): AppError {
  return new AppError("EVALUATION_DATA_INVALID", `Line ${lineNumber} of the labelled data ${fault}.`);
}

/** @throws AppError `EVALUATION_DATA_INVALID` when no record has the field a task is measured by */
export function recordsWith(records: readonly LabelledRecord[], field: keyof RecordFields & string): readonly LabelledRecord[] {
  const found = records.filter(({ fields }) => fields[field] !== undefined);
  if (found.length === 0) throw new AppError("EVALUATION_DATA_INVALID", `No record has the field ${field}, by which this task is measured.`);
  return found;
}
