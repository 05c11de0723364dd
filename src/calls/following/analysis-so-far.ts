/** What is known of a call that runs, in the shape of an analysis: made from its events, replaced by the real one. Pure. */
import { mainLanguage } from "../../analysis/steps/transcribe-channels.js";
import type { AnalysedAudio, AnalysisResult } from "../../core/analysis-result.js";
import type { CallEvent, CallEventType } from "../../core/call-event.js";
import type { LiveAudio, LiveLedger } from "../../core/live-ledger.js";
import type { RiskFinding } from "../../core/risk.js";
import type { TranscriptSegment } from "../../core/transcript.js";

export const EVENTS_OF_ANALYSIS: readonly CallEventType[] = [
  "segment.final",
  "entities.updated",
  "classification.updated",
  "risk.raised",
  "summary.updated",
  "call.measured",
  "call.ended",
];

type SoFar = Pick<AnalysisResult, "audio" | "transcript" | "entities" | "classification" | "risk" | "summary" | "warnings">;

/** @param events - of the types above, in order. */
export function analysisSoFar(events: readonly CallEvent[]): SoFar {
  const segments = new Map<string, TranscriptSegment>();
  const risks = new Map<string, RiskFinding>();
  const found: { -readonly [Part in keyof SoFar]: SoFar[Part] } = {
    ...{ audio: null, transcript: null, entities: null, classification: null, risk: null, summary: null },
    warnings: [],
  };
  for (const event of events) {
    if (event.type === "segment.final") segments.set(event.payload.segment.id, event.payload.segment);
    else if (event.type === "entities.updated") found.entities = event.payload.entities;
    else if (event.type === "classification.updated") found.classification = event.payload.classification;
    else if (event.type === "summary.updated") found.summary = event.payload.summary;
    else if (event.type === "risk.raised") risks.set(event.payload.finding.kind, event.payload.finding);
    else if (event.type === "call.measured" || event.type === "call.ended") found.audio = toAnalysedAudio(event.payload.audio, event.payload.durationMs);
    if (event.type === "call.measured") found.warnings = event.payload.warnings;
  }
  const sorted = [...segments.values()].sort((a, b) => a.startMs - b.startMs || a.channel.localeCompare(b.channel));
  const lowQuality = found.warnings.some((warning) => warning.startsWith("low_quality"));
  return {
    ...found,
    transcript: sorted.length === 0 ? null : { language: mainLanguage(sorted), segments: sorted, lowQuality },
    risk: risks.size === 0 ? null : [...risks.values()],
  };
}

/** Speech whose text is still to come counts as not transcribed, which it is. */
function toAnalysedAudio({ channels, ledger }: LiveAudio, durationMs: number): AnalysedAudio {
  const settled = ({ pendingMs, ...counts }: LiveLedger) => ({ ...counts, failedMs: counts.failedMs + pendingMs });
  return {
    ...{ durationMs, sampleRateHz: 0 },
    channels: channels.map((channel) => ({ channel: channel.channel, gainDb: 0, ledger: settled(channel.ledger) })),
    ledger: settled(ledger),
  };
}
