/** Labels of closed sets that the page names in the reader's language. Labels of the helpline's own taxonomy are shown as they are. */
import type { CallPhase, CallRecord, Channel, ClassificationHead, CONTACT_TYPES, Level, QualityMark, RiskKind } from "../wire/call-shapes.js";

export type EntityLabel =
  | "NAME"
  | "VICTIM"
  | "PERPETRATOR"
  | "LOCATION"
  | "LANDMARK"
  | "AGE"
  | "GENDER"
  | "INCIDENT_TYPE"
  | "PHONE_NUMBER"
  | "DATE_TIME"
  | "ORGANISATION"
  | "RELATION";

export type AnalysisStage =
  | "decode"
  | "voice_activity"
  | "transcript"
  | "translation"
  | "entities"
  | "classification"
  | "risk"
  | "summary"
  | "answers"
  | "quality";

export interface LabelWords {
  readonly riskKind: Readonly<Record<RiskKind, string>>;
  readonly level: Readonly<Record<Level, string>>;
  readonly contactType: Readonly<Record<(typeof CONTACT_TYPES)[number], string>>;
  readonly head: Readonly<Record<ClassificationHead, string>>;
  readonly entityLabel: Readonly<Record<EntityLabel, string>>;
  readonly channel: Readonly<Record<Channel, string>>;
  readonly phase: Readonly<Record<CallPhase, string>>;
  readonly status: Readonly<Record<CallRecord["status"], string>>;
  readonly mark: Readonly<Record<QualityMark, string>>;
  readonly stage: Readonly<Record<AnalysisStage, string>>;
  readonly stageStatus: Readonly<Record<"completed" | "failed" | "skipped", string>>;
}
