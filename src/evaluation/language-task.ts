/**
 * The language of each segment, asked without telling it. A record's own `language` is that of its text; of a call, that of each
 * turn that has none of its own. A `mixed` call says nothing of a single turn, so such turns are not counted, nor are texts of
 * no word.
 */
import { MIXED_LANGUAGE, UNDETERMINED_LANGUAGE } from "../core/language.js";
import { normalizeWords } from "../core/text/word-alignment.js";
import { quotient, type RecordScore, type Sum, tally } from "./counts.js";
import type { PrepareTask } from "./evaluation-task.js";
import { type LabelledRecord, recordsWith } from "./labelled-record.js";

/** By which rule a segment is read: neighbours, words, words and letters. */
const LENGTHS = [
  ["under 3 words", 1, 2],
  ["3 to 7 words", 3, 7],
  ["8 words and more", 8, Number.POSITIVE_INFINITY],
] as const;

interface Wanted {
  readonly segmentId: string;
  readonly language: string;
  readonly length: (typeof LENGTHS)[number][0];
}

function wantedOf({ fields, segments }: LabelledRecord): readonly Wanted[] {
  return segments.flatMap(({ id: segmentId, text }, index) => {
    const ofTurn = fields.turns?.[index]?.language;
    const ofCall = fields.turns !== undefined && fields.language === MIXED_LANGUAGE ? undefined : fields.language;
    const language = ofTurn ?? ofCall;
    const count = normalizeWords(text).length;
    const length = LENGTHS.find(([, least, most]) => count >= least && count <= most)?.[0];
    return language === undefined || length === undefined ? [] : [{ segmentId, language, length }];
  });
}

export const prepareLanguage: PrepareTask<"language"> = (all) => {
  const records = recordsWith(all, "language").filter((record) => wantedOf(record).length > 0);
  const languages = [...new Set(records.flatMap((record) => wantedOf(record).map(({ language }) => language)))].sort();
  return {
    modelTask: "language",
    records,
    inputsOf: ({ segments }) => [{ segments: segments.map((segment) => ({ ...segment, language: UNDETERMINED_LANGUAGE })) }],
    score: (record, [output]): RecordScore => {
      const given = new Map(output?.segments.map(({ segmentId, language }) => [segmentId, language]));
      const counts: Record<string, number> = {};
      const faults: string[] = [];
      const confusions: { wanted: string; given: string }[] = [];
      for (const { segmentId, language, length } of wantedOf(record)) {
        const found = given.get(segmentId) ?? UNDETERMINED_LANGUAGE;
        const isRight = found === language;
        tally(counts, `${length} cases`);
        tally(counts, `${length} right`, isRight ? 1 : 0);
        if (length !== LENGTHS[0][0]) {
          tally(counts, `${language} cases`);
          tally(counts, `${language} right`, isRight ? 1 : 0);
          tally(counts, `${found} given`);
        }
        if (isRight) continue;
        faults.push(`${segmentId}: ${language}, not ${found}`);
        confusions.push({ wanted: language, given: found });
      }
      return { id: record.id, counts, faults, confusions };
    },
    measuresOf: (sum) => {
      const [[inherited], ...read] = LENGTHS;
      const overall = { right: total(sum, read, "right"), cases: total(sum, read, "cases") };
      return [
        { name: "accuracy, 3 words and more", value: quotient(overall.right, overall.cases), cases: overall.cases },
        ...[...read.map(([length]) => length), inherited].map((length) => ({
          name: `accuracy, ${length}`,
          value: quotient(sum(`${length} right`), sum(`${length} cases`)),
          cases: sum(`${length} cases`),
        })),
        ...languages.flatMap((language) => [
          { name: `recall of ${language}`, value: quotient(sum(`${language} right`), sum(`${language} cases`)), cases: sum(`${language} cases`) },
          { name: `precision of ${language}`, value: quotient(sum(`${language} right`), sum(`${language} given`)), cases: sum(`${language} given`) },
        ]),
      ];
    },
  };
};

function total(sum: Sum, lengths: readonly (readonly [string, number, number])[], outcome: string): number {
  return lengths.reduce((all, [length]) => all + sum(`${length} ${outcome}`), 0);
}
