/** An analysis as a page of text for a terminal: what was heard and read, each claim with its words. */
import type { WireAnalysis } from "../protocol/http/analysis-schema.js";

type WireEvidence = NonNullable<WireAnalysis["risk"]>[number]["evidence"][number];

/** @returns lines under the headings Transcript, Entities, Classification, Priority, Risk, Summary, Case form, Quality. */
export function renderAnalysis(analysis: WireAnalysis): string {
  const sections = [
    ["Transcript", renderTranscript(analysis)],
    ["Entities", renderEntities(analysis)],
    ["Classification", renderClassification(analysis)],
    ["Priority", analysis.classification === null ? notThere(analysis, "classification") : [renderDecision("priority", analysis.classification.priority)]],
    ["Risk", renderRisk(analysis)],
    ["Summary", renderSummary(analysis)],
    ["Case form", renderAnswers(analysis)],
    ["Quality", renderQuality(analysis)],
  ] as const;
  const warnings = analysis.warnings.map((warning) => `! ${warning}`);
  return [...sections.flatMap(([title, lines]) => [`## ${title}`, ...lines, ""]), ...warnings].join("\n");
}

function notThere(analysis: WireAnalysis, stage: string): string[] {
  const report = analysis.stages.find((candidate) => candidate.stage === stage);
  if (report?.error !== undefined) return [`  not available: ${report.error.message} (${report.error.code})`];
  return [`  not available: ${report?.status === "skipped" ? "there is no transcript to read" : "this stage did not run"}`];
}

function quote(evidence: readonly WireEvidence[], count = 2): string {
  if (evidence.length === 0) return "";
  const quotes = evidence.slice(0, count).map((item) => `"${item.text}" ${item.channel} ${clock(item.start_ms)}`);
  return `  <- ${quotes.join("; ")}${evidence.length > count ? `; +${evidence.length - count}` : ""}`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

function renderTranscript(analysis: WireAnalysis): string[] {
  if (analysis.transcript === null) return notThere(analysis, "transcript");
  if (analysis.transcript.segments.length === 0) return ["  no speech was heard"];
  return analysis.transcript.segments.map((segment) => `  ${clock(segment.start_ms)} ${segment.channel.padEnd(6)} ${segment.text}`);
}

function renderEntities(analysis: WireAnalysis): string[] {
  if (analysis.entities === null) return notThere(analysis, "entities");
  if (analysis.entities.length === 0) return ["  none found"];
  return analysis.entities.map(({ label, text, score, mentions }) => `  ${label.padEnd(14)} ${text}  ${score.toFixed(2)}${quote(mentions, 1)}`);
}

function renderDecision(name: string, { label, score, evidence }: { label: string | null; score: number; evidence: readonly WireEvidence[] }): string {
  return label === null ? `  ${name.padEnd(14)} not enough evidence` : `  ${name.padEnd(14)} ${label}  ${score.toFixed(2)}${quote(evidence)}`;
}

function renderClassification(analysis: WireAnalysis): string[] {
  const { classification } = analysis;
  if (classification === null) return notThere(analysis, "classification");
  return [
    renderDecision("contact type", classification.contact_type),
    renderDecision("main category", classification.main_category),
    renderDecision("sub-category", classification.sub_category),
    renderDecision("intervention", classification.intervention),
  ];
}

function renderRisk(analysis: WireAnalysis): string[] {
  if (analysis.risk === null) return notThere(analysis, "risk");
  if (analysis.risk.length === 0) return ["  no sign of risk in the words"];
  return analysis.risk.flatMap(({ kind, level, score, evidence, lowered_by: loweredBy }) => [
    `  ${level.padEnd(8)} ${kind}  ${score.toFixed(2)}${quote(evidence)}`,
    ...(level === "low" ? [] : (loweredBy?.["en"] ?? []).map((statement) => `           lower if: ${statement}`)),
  ]);
}

function renderSummary(analysis: WireAnalysis): string[] {
  if (analysis.summary === null) return notThere(analysis, "summary");
  if (analysis.summary.sentences.length === 0) return ["  not enough was said"];
  return analysis.summary.sentences.map(
    ({ text, evidence }) => `  ${text}${evidence[0] === undefined ? "" : `  [${evidence[0].channel} ${clock(evidence[0].start_ms)}]`}`,
  );
}

function renderAnswers(analysis: WireAnalysis): string[] {
  if (analysis.answers === null) return notThere(analysis, "answers");
  return analysis.answers.map(({ question, answer, score, evidence }) =>
    answer === null ? `  ${question}  not said` : `  ${question}  ${answer}  ${score.toFixed(2)}${quote(evidence, 1)}`,
  );
}

function renderQuality(analysis: WireAnalysis): string[] {
  if (analysis.quality === null) return notThere(analysis, "quality");
  return analysis.quality.heads.flatMap(({ head, items }) =>
    items.map(({ item, mark, evidence }) => `  ${mark.padEnd(20)} ${head}: ${item}${quote(evidence, 1)}`),
  );
}
