/** The labels in force: those a model may choose from, and a counsellor may correct a classification to. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TaxonomyLabels } from "../calls/agent-feedback.js";
import { taxonomySchema } from "../inference/backends/builtin/asset-schemas.js";
import type { CaseTaxonomy } from "../inference/backends/text-classification/case-decision.js";
import { packageAssets } from "./paths.js";

/** @throws when the taxonomy's file is missing or not one; the model processes refuse it with more words. */
export async function loadTaxonomy(assetsDirectory: string = packageAssets().languageData): Promise<CaseTaxonomy> {
  const content = await readFile(join(assetsDirectory, "taxonomies", "openchs.json"), "utf8");
  const { main_categories: mains, interventions } = taxonomySchema.parse(JSON.parse(content));
  return { mainCategories: mains.map(({ label, sub_categories: subCategories }) => ({ label, subCategories })), interventions };
}

/** As sets. @throws as `loadTaxonomy` does */
export async function loadTaxonomyLabels(): Promise<TaxonomyLabels> {
  const { mainCategories, interventions } = await loadTaxonomy();
  return {
    mainCategories: new Set(mainCategories.map(({ label }) => label)),
    subCategories: new Set(mainCategories.flatMap(({ subCategories }) => subCategories)),
    interventions: new Set(interventions),
  };
}
