/**
 * Shapes of the data files under `data/` that the builtin engines read. Every phrase is checked against the phrase
 * language, so a typing error in a lexicon is found when the service starts, not in a call.
 */
import { z } from "zod";
import { ANSWER_KINDS } from "../../../core/case/case-answer.js";
import { CONTACT_TYPES, PRIORITIES } from "../../../core/case-classification.js";
import { ENTITY_LABELS } from "../../../core/entity.js";
import { RISK_KINDS } from "../../../core/risk.js";
import { PII_KINDS } from "../../../security/masking/pii-detector.js";
import { phraseFault } from "./text/phrase-pattern.js";

const phrase = z.string().superRefine((value, context) => {
  const fault = phraseFault(value);
  if (fault !== null) context.addIssue({ code: "custom", message: fault });
});
const phrases = z.array(phrase);
const label = z.string().min(1).max(100);
const languageKey = z.string().regex(/^[a-z]{2,3}$/);
const byLanguage = z.record(languageKey, phrases);
const header = { id: z.string().min(1), version: z.int().min(1) };
const strengths = z.strictObject({
  strong: phrases.default([]),
  medium: phrases.default([]),
  weak: phrases.default([]),
});
const strengthsByLanguage = z.record(languageKey, strengths);
const weights = z.strictObject({
  strong: z.number().positive(),
  medium: z.number().positive(),
  weak: z.number().positive(),
});
const weighted = { ...header, weights, threshold: z.number().positive() };

const labelByLabel = z.record(label, label);

export const taxonomySchema = z.strictObject({
  ...header,
  /** Where the labels are from, and what is not known of them. */
  source: z.string().optional(),
  main_categories: z.array(z.strictObject({ label, sub_categories: z.array(label).min(1) })).min(1),
  interventions: z.array(label).min(1),
  priorities: z.array(z.enum(PRIORITIES)).length(PRIORITIES.length),
  /** By sub-category: an Act that deals with it. */
  law: z.record(label, z.string().min(1)).optional(),
  /** By the builtin engine's label: the one of this taxonomy that it becomes. */
  built_from: z.strictObject({ sub_categories: labelByLabel, interventions: labelByLabel }).optional(),
  /** To others' lists, for reports; by sub-category. */
  mappings: z.array(z.strictObject({ to: z.string().min(1), source: z.string().min(1), certain: z.boolean(), sub_categories: labelByLabel })).optional(),
});

const rubricItem = z.strictObject({
  item: label,
  rule: z.enum(["start", "end", "anywhere", "interruption", "fluent", "steps"]),
  requires: byLanguage.optional(),
  min_met: z.int().min(1).default(1),
  absence: z.strictObject({ mark: z.enum(["met", "not_met", "not_enough_evidence"]), min_agent_words: z.int().min(0) }),
  met: byLanguage,
  not_met: byLanguage,
});

export const rubricSchema = z.strictObject({
  ...header,
  heads: z.array(z.strictObject({ head: label, items: z.array(rubricItem).min(1) })).min(1),
});

export const categoriesSchema = z.strictObject({
  ...weighted,
  categories: z.array(z.strictObject({ label, priority: z.enum(PRIORITIES), cues: strengthsByLanguage })),
});

/** What callers say of each matter: the topic model learns its words from them. */
export const topicsSchema = z.strictObject({
  ...header,
  topics: z.array(z.strictObject({ label, en: z.array(z.string().min(1)), sw: z.array(z.string().min(1)) })),
});

export const contactTypesSchema = z.strictObject({
  ...weighted,
  silent: z.strictObject({ max_caller_words: z.int().min(0), cues: byLanguage }),
  types: z.array(z.strictObject({ contact_type: z.enum(CONTACT_TYPES), cues: strengthsByLanguage })),
});

export const interventionsSchema = z.strictObject({
  ...weighted,
  interventions: z.array(z.strictObject({ label, cues: strengthsByLanguage })),
});

const levels = z.partialRecord(z.enum(PRIORITIES), byLanguage);

export const risksSchema = z.strictObject({
  ...header,
  kinds: z.array(z.strictObject({ kind: z.enum(RISK_KINDS), levels })),
});

export const prioritiesSchema = z.strictObject({ ...header, levels });

const scope = z.strictObject({ window_tokens: z.int().min(1), words: byLanguage });

export const scopesSchema = z.strictObject({
  ...header,
  negation: z.strictObject({
    window_tokens: z.int().min(1),
    words: byLanguage,
    verb_prefixes: byLanguage,
    breakers: byLanguage,
    subject_pronouns: phrases,
    reporting_verbs: phrases,
  }),
  past: scope,
  hypothetical: scope,
  questions: z.strictObject({ first_words: byLanguage, anywhere: byLanguage, fillers: phrases }),
  affirmations: byLanguage,
  hesitations: phrases,
});

export const peopleSchema = z.strictObject({
  ...header,
  possessives_before: phrases,
  possessives_after: phrases,
  articles: phrases,
  relations: z.strictObject({ child: byLanguage, adult: byLanguage, other: byLanguage }),
  strangers: byLanguage,
  children_words: byLanguage,
  gender: byLanguage,
  acts: z.strictObject({ active: byLanguage, passive: byLanguage }),
  be_words: phrases,
  names: z.strictObject({ strong_introducers: byLanguage, weak_introducers: byLanguage, titles: phrases }),
  self_introducers: byLanguage,
  self_age_words: phrases,
  helpline_words: phrases,
  male_words: phrases,
  female_words: phrases,
  name_links: phrases,
  school_cues: byLanguage,
  not_names: phrases,
  capital_words: phrases,
});

export const incidentsSchema = z.strictObject({ ...header, incidents: byLanguage });

/** Without a prototype: "constructor" is a word that may be said. */
const numberWords = z.record(z.string(), z.int().min(0)).transform((words): Readonly<Record<string, number>> => Object.assign(Object.create(null), words));

export const numbersSchema = z.strictObject({
  ...header,
  units: numberWords,
  teens: numberWords,
  tens: numberWords,
  joiners: z.array(z.string()),
  spoken_zero: z.array(z.string()),
  repeaters: numberWords,
  country_codes: z.array(z.string().regex(/^\d{1,3}$/)),
  plus_words: z.array(z.string()),
  short_codes: z.array(z.string().regex(/^\d{3,5}$/)),
  calling_words: z.array(z.string()),
});

export const timesSchema = z.strictObject({
  ...header,
  ages: byLanguage,
  young_units: phrases,
  age_contexts: byLanguage,
  not_ages: byLanguage,
  dates: byLanguage,
  clock: z.string().refine(isPattern, "must be a regular expression"),
});

export const landmarksSchema = z.strictObject({
  ...header,
  landmark_nouns: byLanguage,
  school_levels: phrases,
  near_words: byLanguage,
  place_introducers: z.strictObject({ strong: byLanguage, weak: byLanguage }),
  before_capitals: phrases,
  place_suffixes: phrases,
  organisations: byLanguage,
});

export const placesSchema = z.strictObject({
  ...header,
  countries: z.array(label),
  kenya: z.array(label),
  tanzania: z.array(label),
  uganda: z.array(label),
  ambiguous: z.array(label),
});

/** Countries, counties, regions, districts and cities: what lies below them could lead to a person. */
export const districtsSchema = z.strictObject({
  ...header,
  source: z.string(),
  countries: z.array(label),
  kenya: z.array(label),
  tanzania: z.array(label),
  uganda: z.array(label),
});

const words = z.array(z.string().min(1));

export const personalDataSchema = z.strictObject({
  ...header,
  number_cues: z.partialRecord(z.enum(PII_KINDS), byLanguage),
  /** Everybody's: helplines and emergency services. */
  public_numbers: words,
  /** Words for a kind of number that are written as its beginning: "OB 34/6". */
  code_prefixes: words,
  number_spellings: words,
  letter_names: words,
  code_words: words,
  number_multipliers: words,
  number_corrections: words,
  plain_number_words: z.record(languageKey, words),
  /** `stops`: words that an address never begins with; `spelling_aids`: phrases within one that are not of it ("as in"). */
  email: z.strictObject({ at: words, dot: words, domains: words, providers: words, joiners: words, spelling_aids: words, number_words: words, stops: words }),
  /** `counted_units`: after which a number in words is a count; `things`: what ways are described by. */
  addresses: z.strictObject({
    units: words,
    counted_units: words,
    number_words: words,
    streets: words,
    buildings: words,
    ordinals: words,
    fixed: words,
    street_heads: words,
    things: words,
  }),
  local_places: z.strictObject({ heads: words, cues: words, endings: words, parts: words, questions: words }),
  /** `endings`: such as only follow a name; `not_names`: what may stand beside the word for a school and is no name. */
  schools: z.strictObject({
    words,
    levels: words,
    endings: words,
    not_names: words,
    name_words: words,
    before_names: words,
    introducers: words,
    questions: words,
  }),
  name_questions: byLanguage,
  name_answer_fillers: words,
  name_introducers: byLanguage,
  /** `weak_names`: names that are words so often that only a capital or "my name is" makes them one; `shapes`: of names, by people. */
  name_contexts: z.strictObject({
    introducers: words,
    titles_of_names: words,
    person_verbs: words,
    verbs_after_unknown: words,
    weak_names: words,
    shapes: z.array(z.string().refine(isPattern)),
  }),
  after_names: words,
  never_names: words,
});

/** Words that are nobody's name. */
export const commonWordsSchema = z.strictObject({ ...header, words });
export type PersonalDataLexicon = z.infer<typeof personalDataSchema>;

export const namesSchema = z.strictObject({
  ...header,
  groups: z.array(z.strictObject({ origin: z.string(), names: z.array(label) })),
  ambiguous: z.array(label),
});

const told = z.string().includes("{words}");
const summaryFrames = z.strictObject({
  own_call: z.string().includes("{child}"),
  call_about: z.string().includes("{caller}").includes("{child}"),
  unnamed_caller: label,
  unnamed_child: label,
  relation: z.string().includes("{relation}"),
  named_relation: z.string().includes("{relation}").includes("{child}"),
  aged: z.string().includes("{child}").includes("{age}"),
  placed: z.string().includes("{child}").includes("{place}"),
  told: z.strictObject({ caller: told, agent: told, mixed: told }),
  ...{ time: told, safety: told, agreed: told, next_step: told },
});

/** Our own words in a summary, around what was said. */
export const summarySchema = z.strictObject({ ...header, frames: z.strictObject({ en: summaryFrames, sw: summaryFrames }) });

/** Words that lead to the answers of a case form. */
export const factsSchema = z.strictObject({
  ...header,
  caller_name_questions: byLanguage,
  caller_name_introducers: byLanguage,
  child_name_introducers: byLanguage,
  own_age_questions: byLanguage,
  safety_questions: byLanguage,
  safety_statements: byLanguage,
  commitments: z.strictObject({ strong: byLanguage, weak: byLanguage }),
  greetings: byLanguage,
  /** When something happened or began; what is planned is another matter. */
  told_times: byLanguage,
  planned_times: byLanguage,
});

/** Words of one language each; what is among them in two languages stands in `shared`, and says nothing. */
export const languagesSchema = z.strictObject({
  ...header,
  source: z.string(),
  /** A text is mixed when the second language has so many of its words, and such a share of those that say anything. */
  mixed: z.strictObject({ min_words: z.int().min(1), min_share: z.number().gt(0).lt(1) }),
  /** With less of its words in the lexicon, letters decide. */
  thin_share: z.number().min(0).max(1),
  letters: z.strictObject({ min_lead: z.number().positive() }),
  /** Noises that any language makes. */
  noises: words,
  shared: words,
  /** Groups of languages that share words and forms: within a group the stronger is taken, and nothing is mixed. */
  related: z.array(z.array(languageKey).min(2)),
  languages: z.record(languageKey, words),
});

export const questionsSchema = z.strictObject({
  ...header,
  /** A sentence answers a question of no known kind when it has so many of its words, and such a share of them. */
  min_overlap: z.int().min(1),
  min_share: z.number().min(0).max(1),
  /** With a `kind` the question is one of a case form; else one of these entities answers it. */
  types: z.array(z.strictObject({ kind: z.enum(ANSWER_KINDS).optional(), answers: z.array(z.enum(ENTITY_LABELS)).default([]), phrases: byLanguage })),
  stop_words: byLanguage,
});

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, "gi").source !== "";
  } catch {
    return false;
  }
}

export type LanguageLexicon = z.infer<typeof languagesSchema>;
export type SummaryFrames = z.infer<typeof summaryFrames>;
export type FactLexicon = z.infer<typeof factsSchema>;
export type QuestionLexicon = z.infer<typeof questionsSchema>;
export type PhrasesByLanguage = z.infer<typeof byLanguage>;
export type StrengthsByLanguage = z.infer<typeof strengthsByLanguage>;
export type StrengthWeights = z.infer<typeof weights>;
export type Taxonomy = z.infer<typeof taxonomySchema>;
export type Rubric = z.infer<typeof rubricSchema>;
export type RubricItem = z.infer<typeof rubricItem>;
export type CategoryLexicon = z.infer<typeof categoriesSchema>;
export type ContactTypeLexicon = z.infer<typeof contactTypesSchema>;
export type InterventionLexicon = z.infer<typeof interventionsSchema>;
export type RiskLexicon = z.infer<typeof risksSchema>;
export type PriorityLexicon = z.infer<typeof prioritiesSchema>;
export type ScopeLexicon = z.infer<typeof scopesSchema>;
export type PeopleLexicon = z.infer<typeof peopleSchema>;
export type IncidentLexicon = z.infer<typeof incidentsSchema>;
export type NumberLexicon = z.infer<typeof numbersSchema>;
export type TimeLexicon = z.infer<typeof timesSchema>;
export type LandmarkLexicon = z.infer<typeof landmarksSchema>;
export type PlaceGazetteer = z.infer<typeof placesSchema>;
export type NameGazetteer = z.infer<typeof namesSchema>;
