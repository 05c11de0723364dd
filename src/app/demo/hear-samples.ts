/** Act one: audio to words, every sample against its script. */
import { basename } from "node:path";
import type { Config } from "../../config/config-schema.js";
import { alignWords, normalizeWords, type WordAlignment } from "../../core/text/word-alignment.js";
import { toWireAnalysis, type WireAnalysis } from "../../protocol/http/analysis-schema.js";
import { processRecordings } from "../process-recordings.js";
import { renderAnalysis } from "../render-analysis.js";
import type { SampleCall, SampleScript } from "./sample-script.js";

type Print = (line: string) => void;

/** Labels whose strings are names of people and places. */
const NAME_LABELS = ["NAME", "VICTIM", "LOCATION"];

interface HeardSample {
  readonly script: SampleScript;
  readonly file: string;
  readonly analysis: WireAnalysis | undefined;
  readonly problem: string | undefined;
}

/** Prints the words of every sample and a table of all of them. @returns whether anything could be heard here. */
export async function hearSamples(
  config: Config,
  samples: readonly SampleCall[],
  { print, signal }: { readonly print: Print; readonly signal: AbortSignal },
): Promise<boolean> {
  print("\n===== ACT 1: HEARD - from audio to words, by the engine installed here =====");
  const byPath = new Map(samples.flatMap((sample) => sample.recordings.map((path) => [path, sample.script] as const)));
  const rows: string[] = [];
  let isFirst = true;
  let hasHeard = false;
  for await (const { path, result, error } of processRecordings(config, {
    paths: [...byPath.keys()],
    language: "auto",
    includeTranslation: false,
    signal,
    engine: "auto",
  })) {
    const script = byPath.get(path);
    if (script === undefined) continue;
    const analysis = result === undefined ? undefined : toWireAnalysis(result);
    const heard = { script, file: basename(path), analysis, problem: error?.safeMessage ?? transcriptProblem(analysis) };
    if (isFirst && analysis !== undefined) {
      print(`\nThe main job, on one whole call (${script.id}, ${heard.file}):\n`);
      print(renderAnalysis(analysis));
      print("\nNow the words of every sample. [said>heard] is a wrong word, [said>] a missed one, [>heard] one never said.");
    }
    isFirst = false;
    hasHeard ||= analysis?.transcript != null;
    rows.push(printSample(heard, print));
  }
  print("\nsample                 file                words  wrong  word error  names heard");
  for (const row of rows) print(row);
  return hasHeard;
}

function transcriptProblem(analysis: WireAnalysis | undefined): string | undefined {
  const error = analysis?.stages.find(({ stage }) => stage === "transcript")?.error;
  return error === undefined ? undefined : `${error.code}: ${error.message}`;
}

/** @returns the sample's row of the table. */
function printSample({ script, file, analysis, problem }: HeardSample, print: Print): string {
  const label = `${script.id.padEnd(22)} ${file.padEnd(18)}`;
  print(`\n${script.id}, ${file}:`);
  const segments = analysis?.transcript?.segments ?? [];
  if (problem !== undefined) print(`  ${problem}`);
  if (segments.length === 0)
    return `${label} ${String(countWords(script)).padStart(6)}      -           -  nothing heard${problem === undefined ? "" : ", and it says so"}`;
  const alignments = (["caller", "agent"] as const).map((channel) => alignChannel(script, segments, channel));
  for (const { channel, alignment } of alignments) print(`  ${channel.padEnd(6)} ${markErrors(alignment)}`);
  const wrong = alignments.reduce((sum, { alignment }) => sum + alignment.errors, 0);
  const said = alignments.reduce((sum, { alignment }) => sum + alignment.saidCount, 0);
  const names = namesOf(script);
  const heardWords = new Set(segments.flatMap(({ text }) => normalizeWords(text)));
  const heardNames = names.filter((name) => heardWords.has(name));
  return `${label} ${String(said).padStart(6)} ${String(wrong).padStart(6)} ${`${((100 * wrong) / said).toFixed(1)} %`.padStart(11)}  ${heardNames.length} of ${names.length}`;
}

function alignChannel(script: SampleScript, segments: NonNullable<WireAnalysis["transcript"]>["segments"], channel: "caller" | "agent") {
  const words = (items: readonly { readonly channel: string; readonly text: string }[]): readonly string[] =>
    items.filter((item) => item.channel === channel).flatMap(({ text }) => normalizeWords(text));
  return { channel, alignment: alignWords(words(script.segments), words(segments)) };
}

function markErrors({ words }: WordAlignment): string {
  return words.map(({ said, heard }) => (said === heard ? said : `[${said ?? ""}>${heard ?? ""}]`)).join(" ");
}

function countWords(script: SampleScript): number {
  return script.segments.reduce((sum, { text }) => sum + normalizeWords(text).length, 0);
}

/** Single words of the names in the script. */
function namesOf(script: SampleScript): readonly string[] {
  return [...new Set(script.entities.filter(({ label }) => NAME_LABELS.includes(label)).flatMap(({ text }) => normalizeWords(text)))];
}
