/** The facts a case form asks for, found in a call that was read once. */
import type { AnswerKind } from "../../../../core/case/case-answer.js";
import type { Entity } from "../../../../core/entity.js";
import type { BuiltinAssets } from "../load-builtin-assets.js";
import type { CallReading } from "../text/call-reading.js";
import type { ScopeReader } from "../text/scope-reader.js";
import type { Fact } from "./caller-turns.js";
import { PersonFacts } from "./person-facts.js";
import { SituationFacts } from "./situation-facts.js";

export interface FactInput {
  readonly call: CallReading;
  readonly entities: readonly Entity[];
  readonly signal: AbortSignal;
}

export class CaseFacts {
  readonly #persons: PersonFacts;
  readonly #situation: SituationFacts;

  constructor(assets: BuiltinAssets, scopes: ScopeReader) {
    this.#persons = new PersonFacts(assets.people, assets.facts);
    this.#situation = new SituationFacts(assets, scopes);
  }

  /** @returns null when the call does not say */
  find(kind: AnswerKind, { call, entities, signal }: FactInput): Fact | null {
    const [persons, situation] = [this.#persons, this.#situation];
    switch (kind) {
      case "caller_name":
        return persons.callerName(call, entities);
      case "child_name":
        return persons.childName(call, entities);
      case "child_age":
        return persons.childAge(call, entities);
      case "perpetrator":
        return persons.perpetrator(call, entities, situation.incident(call, entities, signal));
      case "place":
        return situation.place(call, entities);
      case "incident":
        return situation.incident(call, entities, signal);
      case "time":
        return situation.time(call, entities, situation.incident(call, entities, signal));
      case "safety":
        return situation.safety(call);
      case "phone":
        return situation.phone(call, entities);
      case "next_step":
        return situation.nextSteps(call, entities, signal)[0] ?? null;
    }
  }

  /** What the counsellor says will be done, the weightiest first. */
  nextSteps({ call, entities, signal }: FactInput): readonly Fact[] {
    return this.#situation.nextSteps(call, entities, signal);
  }
}
