/** Act two: what the language engines read in a call, apart from how well it was heard; scored against the script. */
import { analyseTranscript } from "../../analysis/analyse-transcript.js";
import { systemClock } from "../../core/clock.js";
import { newId } from "../../core/ids.js";
import { toWireAnalysis, type WireAnalysis } from "../../protocol/http/analysis-schema.js";
import { loadCaseForm } from "../casework/case-form.js";
import { createOneShotPool } from "../one-shot-pool.js";
import { renderAnalysis } from "../render-analysis.js";
import { type SampleCall, type SampleScript, scriptTranscript } from "./sample-script.js";

type Print = (line: string) => void;

/** An English, a Swahili and a mixed call. */
const SCRIPTS = ["child-violence-home", "swahili-neglect", "swahili-mixed"];

/** Prints an analysis of each script and how it compares with what its author meant. */
export async function readScripts(samples: readonly SampleCall[], { print, signal }: { readonly print: Print; readonly signal: AbortSignal }): Promise<void> {
  print("\n===== ACT 2: READ - from words to a case; transcript supplied, not recognized =====");
  const pool = createOneShotPool({ taxonomy: "openchs" });
  try {
    await pool.start();
    const caseForm = await loadCaseForm();
    for (const { script } of samples.filter((sample) => SCRIPTS.includes(sample.script.id))) {
      const result = await analyseTranscript(
        { inference: pool, clock: systemClock },
        { callId: newId(), taskId: newId(), transcript: scriptTranscript(script), translateTo: null, caseForm, signal },
      );
      const analysis = toWireAnalysis(result);
      print(`\n--- ${script.title} (${script.languages.join(" + ")}; transcript supplied, not recognized) ---\n`);
      print(renderAnalysis(analysis));
      print("Against the script:");
      for (const line of compareWithScript(analysis, script)) print(`  ${line}`);
    }
  } finally {
    await pool.close();
  }
}

function compareWithScript(analysis: WireAnalysis, script: SampleScript): readonly string[] {
  return [entityLine(analysis, script), ...classificationLines(analysis, script), riskLine(analysis, script), qualityLine(analysis, script)];
}

function entityLine(analysis: WireAnalysis, script: SampleScript): string {
  const keyOf = ({ label, text }: { readonly label: string; readonly text: string }): string => `${label} ${text.toLowerCase()}`;
  const found = new Set((analysis.entities ?? []).map(keyOf));
  const missed = script.entities.filter((entity) => !found.has(keyOf(entity))).map(({ label, text }) => `${label} "${text}"`);
  const count = script.entities.length - missed.length;
  return `entities        ${count} of ${script.entities.length} found as labelled${missed.length === 0 ? "" : `; missed ${missed.join(", ")}`}`;
}

function classificationLines(analysis: WireAnalysis, script: SampleScript): readonly string[] {
  const { classification } = analysis;
  if (classification === null) return ["classification  not available"];
  const heads = ["contact_type", "main_category", "sub_category", "intervention", "priority"] as const;
  return heads.map((head) => {
    const [meant, got] = [script.classification[head], classification[head].label];
    return `${head.padEnd(15)} ${meant === got ? "right" : "WRONG"}: ${got ?? "not enough evidence"}${meant === got ? "" : ` (script: ${meant ?? "none"})`}`;
  });
}

function riskLine(analysis: WireAnalysis, script: SampleScript): string {
  const meant = script.risks.map(({ kind }) => kind);
  const got = (analysis.risk ?? []).map(({ kind }) => kind);
  const missed = meant.filter((kind) => !got.includes(kind));
  const extra = got.filter((kind) => !meant.includes(kind));
  const notes = [...missed.map((kind) => `missed ${kind}`), ...extra.map((kind) => `not in the script: ${kind}`)];
  return `risk            ${meant.length - missed.length} of ${meant.length} found${notes.length === 0 ? "" : `; ${notes.join(", ")}`}`;
}

function qualityLine(analysis: WireAnalysis, script: SampleScript): string {
  const marks = new Map((analysis.quality?.heads ?? []).flatMap(({ items }) => items.map(({ item, mark }) => [item, mark] as const)));
  const same = script.quality.filter(({ item, mark }) => marks.get(item) === mark).length;
  return `quality         ${same} of ${script.quality.length} marks as the script's author set them`;
}
