/** A call as text for reading and printing. */

import type { z } from "zod";
import type { callExportSchema } from "../protocol/http/call-schema.js";

type CallExport = z.infer<typeof callExportSchema>;

/** Plain text in sections: about the call, summary, risks, classification, entities, transcript. */
export function callAsText({ call, analysis, exported_at, text }: CallExport): string {
  const { summary, risk, classification, entities, transcript } = analysis;
  const sections: (readonly [string, readonly string[]])[] = [
    ["CALL", aboutCall(call, `${exported_at} (${text} text)`)],
    ["SUMMARY", [summary?.text ?? "none"]],
    ["RISK", (risk ?? []).map((finding) => `${finding.kind} (${finding.level}, ${percent(finding.score)}): "${finding.evidence[0]?.text ?? ""}"`)],
    [
      "CLASSIFICATION",
      Object.entries(classification ?? {}).map(([name, { label, score }]) => `${name}: ${label ?? "not enough evidence"} (${percent(score)})`),
    ],
    ["ENTITIES", (entities ?? []).map((entity) => `${entity.label}: ${entity.text} (${percent(entity.score)})`)],
    ["TRANSCRIPT", (transcript?.segments ?? []).map((segment) => `${clock(segment.start_ms)} ${segment.channel}: ${segment.text}`)],
    ["WARNINGS", analysis.warnings],
  ];
  return sections.map(([title, lines]) => `${title}\n${(lines.length === 0 ? ["none"] : lines).map((line) => `  ${line}`).join("\n")}\n`).join("\n");
}

function aboutCall(call: CallExport["call"], exported: string): readonly string[] {
  return [
    `id: ${call.call_id}`,
    `started: ${call.started_at}`,
    `duration: ${call.duration_ms === null ? "unknown" : clock(call.duration_ms)}`,
    `languages: ${call.languages.join(", ") || "unknown"}`,
    `exported: ${exported}`,
  ];
}

function percent(score: number): string {
  return `${Math.round(score * 100)}%`;
}

/** `0:07`, `1:02:03`. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours > 0 ? `${hours}:${two(Math.floor(seconds / 60) % 60)}` : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}
