/** The labels a counsellor may correct a classification to: those of the taxonomy in use. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TaxonomyLabels } from "../calls/agent-feedback.js";
import { taxonomySchema } from "../inference/backends/builtin/asset-schemas.js";
import { packageAssets } from "./paths.js";

/** @throws when the taxonomy's file is missing or not one; the model processes refuse it with more words. */
export async function loadTaxonomyLabels(): Promise<TaxonomyLabels> {
  const content = await readFile(join(packageAssets().languageData, "taxonomies", "openchs.json"), "utf8");
  const { main_categories: mains, interventions } = taxonomySchema.parse(JSON.parse(content));
  return {
    mainCategories: new Set(mains.map(({ label }) => label)),
    subCategories: new Set(mains.flatMap((main) => main.sub_categories)),
    interventions: new Set(interventions),
  };
}
