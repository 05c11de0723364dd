/** The labels in force: those a model may choose from, and a counsellor may correct a classification to. A helpline picks or brings its own. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TaxonomyLabels } from "../../calls/agent-feedback.js";
import type { CategoryMapping } from "../../calls/call-history.js";
import { AppError } from "../../core/errors.js";
import { type Taxonomy, taxonomySchema } from "../../inference/backends/builtin/asset-schemas.js";
import type { HelplineLabels } from "../../inference/backends/builtin/classification/helpline-labels.js";
import type { CaseTaxonomy } from "../../inference/backends/text-classification/case-decision.js";
import { packageAssets } from "../paths.js";

/** Those that come with the package; `TAXONOMY` names one of them, or a file. */
export const SHIPPED_TAXONOMIES = ["openchs", "kenya", "tanzania"] as const;
const BUILTIN = "openchs";

export interface LoadedTaxonomy extends CaseTaxonomy {
  readonly id: string;
  readonly version: number;
  /** How the builtin engine's labels become these; undefined where they are the same. */
  readonly helplineLabels: HelplineLabels | undefined;
  /** To others' lists, such as Child Helpline International's. */
  readonly mappings: readonly CategoryMapping[];
}

export interface TaxonomyChoice {
  /** The name of a shipped one, or a path. Default: the builtin engine's own. */
  readonly taxonomy?: string;
  readonly assetsDirectory?: string;
}

/** @throws AppError `CONFIG_INVALID`: what is wrong, the rule, and what to do */
export async function loadTaxonomy({ taxonomy = BUILTIN, assetsDirectory = packageAssets().languageData }: TaxonomyChoice = {}): Promise<LoadedTaxonomy> {
  const shipped = (name: string): string => join(assetsDirectory, "taxonomies", `${name}.json`);
  const isShipped = SHIPPED_TAXONOMIES.some((name) => name === taxonomy);
  const { parsed, digest } = await readTaxonomy(isShipped ? shipped(taxonomy) : taxonomy);
  const builtin = taxonomy === BUILTIN ? parsed : (await readTaxonomy(shipped(BUILTIN))).parsed;
  checkTaxonomy(parsed, builtin);
  const { id, version, main_categories: mains, interventions, built_from: builtFrom, mappings } = parsed;
  const mainOf = new Map(mains.flatMap(({ label, sub_categories: subs }) => subs.map((sub) => [sub, label] as const)));
  // A file that says nothing of the builtin labels may have them in common.
  const [ownSubs, ownInterventions] = [new Set(mainOf.keys()), new Set(interventions)];
  const subCategories = { ...sameLabels(subLabels(builtin), ownSubs), ...builtFrom?.sub_categories };
  const acts = { ...sameLabels(builtin.interventions, ownInterventions), ...builtFrom?.interventions };
  const helplineLabels = {
    revision: digest,
    mainOf,
    subCategories: new Map(Object.entries(subCategories)),
    interventions: new Map(Object.entries(acts)),
  };
  return {
    ...{ id, version, interventions },
    mainCategories: mains.map(({ label, sub_categories: subs }) => ({ label, subCategories: subs })),
    helplineLabels: taxonomy === BUILTIN ? undefined : helplineLabels,
    mappings: (mappings ?? []).map(({ to, certain, sub_categories: labels }) => ({ to, isCertain: certain, categoryOf: new Map(Object.entries(labels)) })),
  };
}

/** As sets. */
export function taxonomyLabels({ mainCategories, interventions }: CaseTaxonomy): TaxonomyLabels {
  return {
    mainCategories: new Set(mainCategories.map(({ label }) => label)),
    subCategories: new Set(mainCategories.flatMap(({ subCategories }) => subCategories)),
    interventions: new Set(interventions),
  };
}

/** One line for a person: which is in use, and how much of it the builtin engine can give. */
export function describeTaxonomy({ id, version, mainCategories, helplineLabels }: LoadedTaxonomy): string {
  const count = mainCategories.reduce((sum, { subCategories }) => sum + subCategories.length, 0);
  const reached = helplineLabels === undefined ? count : new Set(helplineLabels.subCategories.values()).size;
  const rest = reached === count ? "" : `; the builtin engine can give ${reached} of them, others come from a model or a counsellor`;
  return `${id}, version ${version}, ${count} categories${rest}`;
}

async function readTaxonomy(path: string): Promise<{ readonly parsed: Taxonomy; readonly digest: string }> {
  const content = await readFile(path, "utf8").catch(() => {
    throw new AppError("CONFIG_INVALID", `TAXONOMY must be one of ${SHIPPED_TAXONOMIES.join(", ")}, or the path of a file that can be read; correct it.`);
  });
  const result = taxonomySchema.safeParse(toJson(content));
  if (!result.success) {
    const [issue] = result.error.issues;
    throw faulty(`${issue?.path.join(".") || "the file"}: ${issue?.message ?? "must match its schema"}`);
  }
  return { parsed: result.data, digest: createHash("sha256").update(content).digest("hex") };
}

function checkTaxonomy(taxonomy: Taxonomy, builtin: Taxonomy): void {
  const subs = subLabels(taxonomy);
  const known = new Set(subs);
  const mains = taxonomy.main_categories.map(({ label }) => label);
  if (known.size !== subs.length) throw faulty("main_categories: a sub-category must stand under one main category only, and once");
  if (new Set(mains).size !== mains.length) throw faulty("main_categories: a label must be there once");
  if (new Set(taxonomy.interventions).size !== taxonomy.interventions.length) throw faulty("interventions: a label must be there once");
  const { built_from: builtFrom, law = {}, mappings = [] } = taxonomy;
  const all = (labels: readonly string[], allowed: Iterable<string>): boolean => {
    const set = new Set(allowed);
    return labels.every((label) => set.has(label));
  };
  const from = builtFrom?.sub_categories ?? {};
  const acts = builtFrom?.interventions ?? {};
  if (!all(Object.keys(from), subLabels(builtin))) throw faulty("built_from.sub_categories: a key must be a sub-category of data/taxonomies/openchs.json");
  if (!all(Object.values(from), known)) throw faulty("built_from.sub_categories: a value must be a sub-category of this file");
  if (!all(Object.keys(acts), builtin.interventions)) throw faulty("built_from.interventions: a key must be an intervention of data/taxonomies/openchs.json");
  if (!all(Object.values(acts), taxonomy.interventions)) throw faulty("built_from.interventions: a value must be an intervention of this file");
  if (!all(Object.keys(law), known)) throw faulty("law: a key must be a sub-category of this file");
  for (const { sub_categories: mapped } of mappings)
    if (!all(Object.keys(mapped), known)) throw faulty("mappings.sub_categories: a key must be a sub-category of this file");
}

function subLabels({ main_categories: mains }: Taxonomy): readonly string[] {
  return mains.flatMap(({ sub_categories: subs }) => subs);
}

function sameLabels(labels: readonly string[], known: ReadonlySet<string>): Readonly<Record<string, string>> {
  return Object.fromEntries(labels.filter((label) => known.has(label)).map((label) => [label, label]));
}

function faulty(rule: string): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `The taxonomy can't be used: ${rule}. Correct the file that TAXONOMY names; data/taxonomies/kenya.json shows how one is written.`,
    {
      details: { rule },
    },
  );
}

function toJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
