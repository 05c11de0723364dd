/**
 * Personal data against labels: `recall` of a kind is the share of its labelled places of which every word is masked, as
 * whatever kind; `precision` the share of what was masked that is labelled as personal.
 */

import { PII_KINDS, type PiiDetector, type PiiKind } from "../../security/masking/pii-detector.js";
import { CallMasker, type MaskedText } from "../../security/masking/pii-masker.js";
import { type Measure, quotient, type RecordScore, type Sum, tally } from "../counts.js";
import type { LabelledRecord, SegmentMark } from "../labelled-record.js";

/** Towns, wards and named places to go by lead to a person in a village and to nobody in a city: masked or not, both are right. */
const EITHER = new Set(["LANDMARK", "LOCATION"]);
/** A short code such as 116 is everybody's. */
const LEAST_PHONE_DIGITS = 6;

/** Undefined for a mark of what is not personal. */
function kindOf({ label, flags, said }: SegmentMark): PiiKind | undefined {
  const digits = said.replace(/\D/g, "").length || said.split(/\s+/).length;
  if (label === "PHONE_NUMBER" && digits < LEAST_PHONE_DIGITS) return undefined;
  if (flags.includes("name")) return "NAME";
  if (label === "LOCATION") return flags.includes("local") ? "PLACE" : undefined;
  return PII_KINDS.find((kind) => kind === label && kind !== "NAME");
}

/** What a reader who may not read calls would be shown of a record. */
export function scorePii(record: LabelledRecord, detector: PiiDetector): RecordScore {
  const masker = new CallMasker(detector);
  masker.learn(record.segments);
  const masked = new Map(record.segments.map(({ id, text }) => [id, masker.mask(text)]));
  const counts: Record<string, number> = {};
  const faults: string[] = [];
  for (const mark of record.marks) {
    const kind = kindOf(mark);
    if (kind === undefined) continue;
    const text = record.segments.find(({ id }) => id === mark.segmentId)?.text ?? "";
    const isMasked = isCovered(text, mark, masked.get(mark.segmentId));
    tally(counts, `${kind} ${isMasked ? "masked" : "shown"}`);
    if (!isMasked) faults.push(`shown ${kind}: ${mark.said}`);
  }
  for (const { id, text } of record.segments) {
    for (const { startOffset, endOffset, pseudonym } of masked.get(id)?.pieces ?? []) {
      const marks = record.marks.filter((mark) => mark.segmentId === id && mark.startOffset < endOffset && startOffset < mark.endOffset);
      if (marks.some((mark) => kindOf(mark) !== undefined)) tally(counts, "masked rightly");
      else if (!marks.some(({ label }) => EITHER.has(label))) {
        tally(counts, "masked wrongly");
        faults.push(`masked as ${pseudonym}: ${text.slice(startOffset, endOffset)}`);
      }
    }
  }
  return { id: record.id, counts, faults };
}

function isCovered(text: string, mark: SegmentMark, masked: MaskedText | undefined): boolean {
  for (let offset = mark.startOffset; offset < mark.endOffset; offset += 1) {
    if (!/[\p{L}\p{N}]/u.test(text.charAt(offset))) continue;
    if (masked?.pieces.some(({ startOffset, endOffset }) => startOffset <= offset && offset < endOffset) !== true) return false;
  }
  return true;
}

/** A recall for each kind, two together, and the precision. */
export function piiMeasures(sum: Sum): readonly Measure[] {
  const recallOf = (name: string, kinds: readonly PiiKind[]): Measure => {
    const [masked, shown] = ["masked", "shown"].map((fate) => kinds.reduce((total, kind) => total + sum(`${kind} ${fate}`), 0)) as [number, number];
    return { name, value: quotient(masked, masked + shown), cases: masked + shown };
  };
  const [rightly, wrongly] = [sum("masked rightly"), sum("masked wrongly")];
  return [
    ...PII_KINDS.map((kind) => recallOf(`${kind} recall`, [kind])),
    recallOf("recall of phones, ids and e-mail", ["PHONE_NUMBER", "NATIONAL_ID", "EMAIL"]),
    recallOf("recall of all kinds", PII_KINDS),
    { name: "precision", value: quotient(rightly, rightly + wrongly), cases: rightly + wrongly },
  ];
}
