/**
 * Reads and validates the data files of the builtin engines, once, and names each set of them by a digest, so that a
 * changed lexicon is a changed revision.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { AppError } from "../../../core/errors.js";
import * as schemas from "./asset-schemas.js";
import { linearModelSchema } from "./linear/linear-weights.js";
import { readModelLines } from "./linear/model-lines.js";

const FILES = {
  taxonomy: { path: "taxonomies/openchs.json", schema: schemas.taxonomySchema },
  rubric: { path: "rubrics/openchs-quality.json", schema: schemas.rubricSchema },
  categories: { path: "lexicons/categories.json", schema: schemas.categoriesSchema },
  contactTypes: { path: "lexicons/contact-types.json", schema: schemas.contactTypesSchema },
  interventions: { path: "lexicons/interventions.json", schema: schemas.interventionsSchema },
  risks: { path: "lexicons/risks.json", schema: schemas.risksSchema },
  priorities: { path: "lexicons/priorities.json", schema: schemas.prioritiesSchema },
  scopes: { path: "lexicons/scopes.json", schema: schemas.scopesSchema },
  people: { path: "lexicons/people.json", schema: schemas.peopleSchema },
  incidents: { path: "lexicons/incidents.json", schema: schemas.incidentsSchema },
  numbers: { path: "lexicons/numbers.json", schema: schemas.numbersSchema },
  times: { path: "lexicons/times.json", schema: schemas.timesSchema },
  landmarks: { path: "lexicons/landmarks.json", schema: schemas.landmarksSchema },
  facts: { path: "lexicons/facts.json", schema: schemas.factsSchema },
  summary: { path: "lexicons/summary.json", schema: schemas.summarySchema },
  languages: { path: "lexicons/languages.json", schema: schemas.languagesSchema },
  questions: { path: "lexicons/questions.json", schema: schemas.questionsSchema },
  places: { path: "gazetteers/places.json", schema: schemas.placesSchema },
  names: { path: "gazetteers/names.json", schema: schemas.namesSchema },
  districts: { path: "gazetteers/districts.json", schema: schemas.districtsSchema },
  plainWords: { path: "lexicons/plain-words.json", schema: schemas.commonWordsSchema },
  commonWords: { path: "lexicons/common-words.json", schema: schemas.commonWordsSchema },
  personalData: { path: "lexicons/personal-data.json", schema: schemas.personalDataSchema },
  topics: { path: "lexicons/topics.json", schema: schemas.topicsSchema },
  topicModel: { path: "models/topics.json", schema: linearModelSchema },
  caseModel: { path: "models/case.json", schema: linearModelSchema },
  riskModel: { path: "models/risk.json", schema: linearModelSchema },
  entityTagger: { path: "models/entity-tagger.json", schema: linearModelSchema },
} as const;

export type AssetName = keyof typeof FILES;
const ASSET_NAMES = Object.keys(FILES).sort() as AssetName[];

export type BuiltinAssets = { readonly [Name in AssetName]: z.infer<(typeof FILES)[Name]["schema"]> };

export interface AssetRevisions {
  /** `builtin-<12 hex of sha256>-1` over the named files, and what else the results depend on; the last number is the revision of the rules in code. */
  revisionOf(names: readonly AssetName[], other?: string): string;
}

export interface LoadedAssets extends AssetRevisions {
  readonly assets: BuiltinAssets;
}

const RULES_REVISION = 1;

/**
 * Loads every data file.
 *
 * @param assetsDirectory - the folder that holds `taxonomies/`, `rubrics/`, `lexicons/` and `gazetteers/`.
 * @throws AppError `CONFIG_INVALID`, naming the file and the rule it breaks, never the value.
 */
export function loadBuiltinAssets(assetsDirectory: string): LoadedAssets {
  const loaded = loadSomeAssets(assetsDirectory, ASSET_NAMES);
  checkLabels(loaded.assets);
  return loaded;
}

/** Names the data files' revisions without looking into them. @throws AppError `CONFIG_INVALID` when one is missing */
export function digestBuiltinAssets(assetsDirectory: string): AssetRevisions {
  return revisionsBy(new Map(ASSET_NAMES.map((name) => [name, digestOf(readAsset(assetsDirectory, FILES[name].path))])));
}

function digestOf(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

function revisionsBy(digests: ReadonlyMap<AssetName, string>): AssetRevisions {
  return {
    revisionOf(names, other) {
      const hash = createHash("sha256");
      for (const name of [...names].sort()) hash.update(`${name}:${digests.get(name) ?? ""}\n`);
      if (other !== undefined) hash.update(`other:${other}\n`);
      return `builtin-${hash.digest("hex").slice(0, 12)}-${RULES_REVISION}`;
    },
  };
}

/** Loads some of the data files. @throws AppError `CONFIG_INVALID`, as `loadBuiltinAssets` does */
export function loadSomeAssets<Name extends AssetName>(
  assetsDirectory: string,
  names: readonly Name[],
): AssetRevisions & { readonly assets: Pick<BuiltinAssets, Name> } {
  const digests = new Map<AssetName, string>();
  const loaded: Partial<Record<AssetName, unknown>> = {};
  for (const name of names) {
    const content = readAsset(assetsDirectory, FILES[name].path);
    digests.set(name, digestOf(content));
    loaded[name] = parseAsset(FILES[name].path, FILES[name].schema, content);
  }
  return { assets: loaded as Pick<BuiltinAssets, Name>, ...revisionsBy(digests) };
}

function readAsset(assetsDirectory: string, path: string): string {
  try {
    return readFileSync(join(assetsDirectory, path), "utf8");
  } catch (cause) {
    throw assetError(path, "the file must exist and be readable", cause);
  }
}

function parseAsset(path: string, schema: z.ZodType, content: string): unknown {
  const model = schema === linearModelSchema ? readModelLines(content) : undefined;
  if (model !== undefined) return model;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw assetError(path, "the file must be JSON", cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw assetError(path, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "must match its schema"}`, result.error);
}

/** Labels must agree across files: a sub-category stands under one main category only. */
function checkLabels(assets: BuiltinAssets): void {
  const subCategories = assets.taxonomy.main_categories.flatMap((main) => main.sub_categories);
  const known = new Set(subCategories);
  if (known.size !== subCategories.length) {
    throw assetError(FILES.taxonomy.path, "a sub-category label must be unique");
  }
  if (!assets.topics.topics.every(({ label }) => known.has(label))) {
    throw assetError(FILES.topics.path, "every label must be a sub-category of the taxonomy");
  }
  if (!assets.categories.categories.every(({ label }) => known.has(label))) {
    throw assetError(FILES.categories.path, "every label must be a sub-category of the taxonomy");
  }
  const interventions = new Set(assets.taxonomy.interventions);
  if (!assets.interventions.interventions.every(({ label }) => interventions.has(label))) {
    throw assetError(FILES.interventions.path, "every label must be an intervention of the taxonomy");
  }
}

function assetError(file: string, rule: string, cause?: unknown): AppError {
  const message = `The data file ${file} cannot be used: ${rule}. Correct the file or restore the one shipped.`;
  return new AppError("CONFIG_INVALID", message, { details: { file, rule }, cause });
}
