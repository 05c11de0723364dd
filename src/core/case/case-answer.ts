/** Answers to the standing questions of a case form, each with the words it rests on. "Not found" is an answer. */
import type { Evidence } from "../evidence.js";

/** What a question is about, so that rewording it changes nothing; a question of no kind is answered by its words. */
export const ANSWER_KINDS = ["caller_name", "child_name", "child_age", "place", "incident", "perpetrator", "time", "safety", "phone", "next_step"] as const;
export type AnswerKind = (typeof ANSWER_KINDS)[number];

/** One question of the form, answered. */
export interface CaseAnswer {
  /** The question's id in the form. */
  readonly id: string;
  /** As asked, in the language of the call. */
  readonly question: string;
  /** The words of `evidence[0]`; null: the call does not say. */
  readonly answer: string | null;
  /** 0..1; 0 without an answer. */
  readonly score: number;
  readonly evidence: readonly Evidence[];
}

/** One question that is asked of every call. */
export interface StandingQuestion {
  readonly id: string;
  /** Absent: it is answered by its words. */
  readonly kind?: AnswerKind;
  /** By language tag; `en` at least. */
  readonly text: Readonly<Record<string, string>>;
}

/** The question in the language of a call, else in English. */
export function questionText({ text }: StandingQuestion, language: string): string {
  return text[language] ?? text["en"] ?? "";
}
