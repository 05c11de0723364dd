/** The tasks of `evaluate` that an engine of the pool answers. */
import { ENTITY_LABELS } from "../core/entity.js";
import { RISK_KINDS } from "../core/risk.js";
import type { Sum } from "./counts.js";
import { quotient, tally } from "./counts.js";
import type { HelplineForms, PreparedTask, PrepareTask } from "./evaluation-task.js";
import { type LabelledRecord, type RecordFields, recordsWith } from "./labelled-record.js";
import { prepareLanguage } from "./language-task.js";
import { prepareQuestions } from "./question-task.js";
import { entityMeasures, scoreEntities, usedLabels } from "./scorers/entity-scores.js";
import { labelMeasures, scoreLabel } from "./scorers/label-scores.js";
import { riskMeasures, scoreRisk } from "./scorers/risk-scores.js";
import { rougeL } from "./scorers/text-scores.js";
import { chrfOfOne, scoreTranslation, translationMeasures } from "./scorers/translation-scores.js";

const prepareEntities: PrepareTask<"entities"> = (records) => {
  const labels = usedLabels(records, ENTITY_LABELS);
  return {
    modelTask: "entities",
    records: records.filter(({ segments }) => segments.length > 0),
    inputsOf: ({ segments }) => [{ segments }],
    score: (record, [output]) => {
      const found = (output?.entities ?? []).flatMap(({ label, mentions }) => mentions.map((mention) => ({ ...mention, label })));
      return scoreEntities(record, found, labels);
    },
    measuresOf: entityMeasures(labels),
  };
};

const DECISIONS = {
  "contact type": ["contact_type", "contactType"],
  "main category": ["main_category", "mainCategory"],
  "sub category": ["sub_category", "subCategory"],
  intervention: ["intervention", "intervention"],
  priority: ["priority", "priority"],
} as const satisfies Readonly<Record<string, readonly [keyof RecordFields, string]>>;
type DecisionName = keyof typeof DECISIONS;
const DECISION_NAMES = Object.keys(DECISIONS) as readonly DecisionName[];

function usedValues(
  records: readonly LabelledRecord[],
  field: "contact_type" | "main_category" | "sub_category" | "intervention" | "priority",
): readonly string[] {
  return [...new Set(records.flatMap(({ fields }) => fields[field] ?? []))].sort();
}

const prepareClassification: PrepareTask<"classification"> = (all) => {
  const records = recordsWith(all, "main_category").filter(({ segments }) => segments.length > 0);
  const labels = Object.fromEntries(DECISION_NAMES.map((name) => [name, usedValues(records, DECISIONS[name][0])]));
  return {
    modelTask: "classification",
    records,
    inputsOf: ({ segments }) => [{ segments }],
    score: ({ id, fields }, [output]) => {
      const counts: Record<string, number> = {};
      const faults: string[] = [];
      const confusions: { wanted: string; given: string }[] = [];
      for (const name of DECISION_NAMES) {
        const [field, key] = DECISIONS[name];
        const wanted = fields[field];
        const given = output?.classification[key];
        // A field that is not there was not labelled; null says that there is nothing to choose.
        if (wanted === undefined || given === undefined) continue;
        scoreLabel(counts, name, wanted, given);
        if (given.label === wanted) continue;
        faults.push(`${name}: ${wanted ?? "none"}, not ${given.label ?? "none"}`);
        if (name === "main category") confusions.push({ wanted: wanted ?? "none", given: given.label ?? "none" });
      }
      return { id, counts, faults, confusions };
    },
    measuresOf: (sum: Sum) => [...DECISION_NAMES.flatMap((name) => labelMeasures(name, labels[name] ?? [])(sum)), recallOf("critical", sum)],
  };
};

function recallOf(priority: string, sum: Sum): { name: string; value: number | undefined; cases: number } {
  const right = sum(`priority of ${priority} right`);
  const cases = right + sum(`priority of ${priority} missed`);
  return { name: `recall of ${priority} priority`, value: cases === 0 ? undefined : right / cases, cases };
}

const prepareRisk: PrepareTask<"risk"> = (all) => {
  const records = recordsWith(all, "risks").filter(({ segments }) => segments.length > 0);
  const used = new Set(records.flatMap(({ fields }) => (fields.risks ?? []).map(({ kind }) => kind)));
  return {
    modelTask: "risk",
    records,
    inputsOf: ({ segments }) => [{ segments }],
    score: (record, [output]) => scoreRisk(record, output?.risks ?? []),
    measuresOf: riskMeasures(RISK_KINDS.filter((kind) => used.has(kind))),
  };
};

const prepareSummary: PrepareTask<"summary"> = (all) => ({
  modelTask: "summary",
  records: recordsWith(all, "summary").filter(({ segments }) => segments.length > 0),
  inputsOf: ({ segments }) => [{ segments }],
  score: ({ id, fields }, [output]) => {
    const given = output?.summary.text ?? "";
    const value = rougeL(fields.summary ?? "", given);
    const poor = value < POOR_ROUGE ? [`ROUGE-L ${value.toFixed(2)}`] : [];
    const { language = "und" } = fields;
    return { id, counts: { summaries: 1, rouge: value, [`of ${language}`]: 1, [`rouge of ${language}`]: value, empty: given === "" ? 1 : 0 }, faults: poor };
  },
  measuresOf: (sum) => [
    { name: "ROUGE-L", value: sum("rouge") / (sum("summaries") || 1), cases: sum("summaries") },
    ...usedLanguages(all).map((language) => ({
      name: `ROUGE-L, ${language}`,
      value: quotient(sum(`rouge of ${language}`), sum(`of ${language}`)),
      cases: sum(`of ${language}`),
    })),
    { name: "no summary", value: sum("empty") / (sum("summaries") || 1), cases: sum("summaries") },
  ],
});
const POOR_ROUGE = 0.15;

/** A reference in another language than the call shares little but names with any summary of it: each language is told apart. */
function usedLanguages(records: readonly LabelledRecord[]): readonly string[] {
  return [...new Set(records.map(({ fields: { language = "und" } }) => language))].sort();
}

const prepareTranslation: PrepareTask<"translation"> = (all) => ({
  modelTask: "translation",
  records: recordsWith(recordsWith(all, "source"), "target"),
  inputsOf: ({ fields: { source = "", source_language: language = "sw", target_language: targetLanguage = "en" } }) => [
    { segments: [{ id: "s1", channel: "mixed", startMs: 0, endMs: 0, text: source, language, score: null }], targetLanguage },
  ],
  score: ({ id, fields: { target = "" } }, [output]) => {
    const counts: Record<string, number> = {};
    const references = typeof target === "string" ? [target] : target;
    const given = output?.segments.map(({ text }) => text).join(" ") ?? "";
    scoreTranslation(counts, references, given);
    const chrf = chrfOfOne(references, given);
    return { id, counts, faults: chrf < POOR_CHRF ? [`chrF ${chrf.toFixed(0)}`] : [] };
  },
  measuresOf: translationMeasures,
});
const POOR_CHRF = 40;

const prepareQuality: PrepareTask<"quality"> = (all) => ({
  modelTask: "quality",
  records: recordsWith(all, "quality").filter(({ segments }) => segments.length > 0),
  inputsOf: ({ segments }) => [{ segments }],
  score: ({ id, fields: { quality = {} } }, [output]) => {
    const given = new Map((output?.quality.heads ?? []).flatMap(({ items }) => items.map((item) => [item.item, item] as const)));
    const counts: Record<string, number> = {};
    const faults: string[] = [];
    for (const [item, mark] of Object.entries(quality)) {
      const found = given.get(item);
      const label = found?.mark === "not_enough_evidence" ? null : (found?.mark ?? null);
      scoreLabel(counts, "mark", mark === "not_enough_evidence" ? null : mark, { label, score: found?.score ?? 0 });
      if (found?.mark !== mark) {
        tally(counts, "wrong marks");
        faults.push(`${item}: ${mark}, not ${found?.mark ?? "none"}`);
      }
    }
    return { id, counts, faults };
  },
  measuresOf: labelMeasures("mark", ["met", "not_met"]),
});

const TASKS = {
  language: prepareLanguage,
  entities: prepareEntities,
  classification: prepareClassification,
  risk: prepareRisk,
  summary: prepareSummary,
  translation: prepareTranslation,
  quality: prepareQuality,
  qa: prepareQuestions,
};

export const ENGINE_EVALUATIONS = Object.keys(TASKS) as readonly (keyof typeof TASKS)[];
export type EngineEvaluation = keyof typeof TASKS;

/** @throws AppError `EVALUATION_DATA_INVALID` when the data can't measure this task */
export function prepareEvaluation(task: EngineEvaluation, records: readonly LabelledRecord[], helpline: HelplineForms = {}): PreparedTask {
  // Each entry's input and output types agree with its own model task, which the map's union type can't say.
  return TASKS[task](records, helpline) as unknown as PreparedTask;
}
