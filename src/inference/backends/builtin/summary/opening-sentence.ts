/** The first sentence of a summary: who calls about whom, how old, where; only what was found, each part in the words it was said in. */
import type { SummarySentence } from "../../../../core/call-summary.js";
import type { Entity } from "../../../../core/entity.js";
import type { Evidence } from "../../../../core/evidence.js";
import type { SummaryFrames } from "../asset-schemas.js";
import type { Fact } from "../facts/caller-turns.js";

export interface OpeningFacts {
  readonly caller: Fact | null;
  readonly child: Fact | null;
  readonly age: Fact | null;
  readonly place: Fact | null;
}

/** "my nephew", "binti yangu": said by the caller of somebody of theirs. */
const OWN_PERSON = /^(?:my (?<english>.+)|(?<swahili>.+ (?:wangu|yangu)))$/iu;

/** @returns null when the call says neither who calls nor about whom */
export function openingSentence(facts: OpeningFacts, entities: readonly Entity[], frames: SummaryFrames): SummarySentence | null {
  const { caller, child, age, place } = facts;
  const isOwnCall = child === null ? false : sameName(caller, child);
  const relation = isOwnCall ? null : relationTo(entities, [child, age]);
  if (caller === null && child === null && age === null && relation === null) return null;
  let person = named(child, relation, frames);
  const isAboutOther = child !== null || age !== null || relation !== null;
  if (!isAboutOther && caller !== null) person = caller.evidence.text;
  if (age !== null) person = fill(frames.aged, { child: person, age: age.evidence.text });
  if (place !== null) person = fill(frames.placed, { child: person, place: place.evidence.text });
  const text =
    isOwnCall || !isAboutOther
      ? fill(frames.own_call, { child: person })
      : fill(frames.call_about, { caller: caller?.evidence.text ?? frames.unnamed_caller, child: person });
  const evidence = [caller, isOwnCall ? null : child, age, place].flatMap((fact) => (fact === null ? [] : [fact.evidence]));
  return { text: capitalised(text), evidence: relation === null ? evidence : [...evidence, relation] };
}

/** Puts words into a frame. */
export function fill(frame: string, words: Readonly<Record<string, string>>): string {
  return frame.replace(/\{(\w+)\}/gu, (slot, name: string) => words[name] ?? slot);
}

function named(child: Fact | null, relation: Evidence | null, frames: SummaryFrames): string {
  const name = child?.evidence.text;
  if (relation === null) return name ?? frames.unnamed_child;
  const groups = OWN_PERSON.exec(relation.text)?.groups ?? {};
  const words = { relation: groups["english"] ?? relation.text, child: name ?? "" };
  return fill(name === undefined ? frames.relation : frames.named_relation, words);
}

function sameName(one: Fact | null, other: Fact | null): boolean {
  return one !== null && other !== null && one.evidence.text.toLowerCase() === other.evidence.text.toLowerCase();
}

/** What the child is to the caller, where that is said beside the child's name or age: elsewhere it may be somebody else. */
function relationTo(entities: readonly Entity[], facts: readonly (Fact | null)[]): Evidence | null {
  const segments = new Set(facts.flatMap((fact) => fact?.evidence.segmentId ?? []));
  const mentions = entities.filter(({ label }) => label === "VICTIM").flatMap(({ mentions: said }) => said);
  return mentions.find(({ text, channel, segmentId }) => channel !== "agent" && segments.has(segmentId) && OWN_PERSON.test(text)) ?? null;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
