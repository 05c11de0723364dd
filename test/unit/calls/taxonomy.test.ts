/** The taxonomy a helpline picks or brings: what it is checked for, and what becomes of a classification in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { describeTaxonomy, loadTaxonomy, SHIPPED_TAXONOMIES } from "../../../src/app/casework/taxonomy.js";
import { ABSTAINED, type CaseClassification } from "../../../src/core/case-classification.js";
import { toHelplineLabels } from "../../../src/inference/backends/builtin/classification/helpline-labels.js";
import { createBuiltinEngines } from "../../../src/inference/backends/builtin/create-builtin-engines.js";
import { callOf, DATA_DIRECTORY } from "../inference/builtin-call.js";

const directory = mkdtempSync(join(tmpdir(), "openchs-taxonomy-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const OWN = {
  ...{ id: "own", version: 3, priorities: ["low", "medium", "high", "critical"], interventions: ["Talked", "Referral"] },
  main_categories: [
    { label: "Harm", sub_categories: ["Beaten", "Touched"] },
    { label: "Life", sub_categories: ["Bullying"] },
  ],
  built_from: { sub_categories: { "Physical Abuse": "Beaten" }, interventions: { Counselling: "Talked" } },
  mappings: [{ to: "others", source: "made up", certain: true, sub_categories: { Beaten: "Violence" } }],
};

function fileOf(taxonomy: object): string {
  const path = join(directory, "own.json");
  writeFileSync(path, JSON.stringify(taxonomy));
  return path;
}

const decided = (label: string) => ({ label, score: 0.8, evidence: [] });
const classified = (main: string, sub: string, intervention: string): CaseClassification => ({
  ...{ contactType: { label: "counselling", score: 0.9, evidence: [] }, priority: { label: "high", score: 0.7, evidence: [] } },
  ...{ mainCategory: decided(main), subCategory: decided(sub), intervention: decided(intervention) },
});

describe("a helpline's taxonomy", () => {
  it.each(SHIPPED_TAXONOMIES)("%s is well formed, and says where its labels are from", async (taxonomy) => {
    const { id, mainCategories, interventions, mappings } = await loadTaxonomy({ taxonomy });
    expect(id).toBe(taxonomy);
    expect(mainCategories.length).toBeGreaterThan(0);
    expect(interventions.length).toBeGreaterThan(0);
    expect(mappings.map(({ to, isCertain }) => [to, isCertain])).toEqual([["child-helpline-international", false]]);
    const { source } = JSON.parse(readFileSync(join(DATA_DIRECTORY, "taxonomies", `${taxonomy}.json`), "utf8")) as { readonly source?: string };
    expect(source?.length).toBeGreaterThan(50);
  });

  it("has the statutory lists whole", async () => {
    const counts = async (taxonomy: string) => {
      const { mainCategories, interventions } = await loadTaxonomy({ taxonomy });
      return [mainCategories.flatMap(({ subCategories }) => subCategories).length, interventions.length];
    };
    expect(await counts("kenya")).toEqual([41, 32]);
    expect(await counts("tanzania")).toEqual([15, 15]);
  });

  it("tells a classification in the helpline's labels, and not at all where it has none", async () => {
    const { helplineLabels } = await loadTaxonomy({ taxonomy: fileOf(OWN) });
    if (helplineLabels === undefined) throw new Error("labels of its own were expected");
    expect(toHelplineLabels(classified("VANE", "Physical Abuse", "Counselling"), helplineLabels)).toEqual(classified("Harm", "Beaten", "Talked"));
    const { mainCategory, subCategory, intervention, priority } = toHelplineLabels(classified("VANE", "Child Labor", "Signposting"), helplineLabels);
    expect([mainCategory, subCategory, intervention]).toEqual([ABSTAINED, ABSTAINED, ABSTAINED]);
    expect(priority.label).toBe("high");
  });

  it("needs no entry for a label that both lists have", async () => {
    const { helplineLabels } = await loadTaxonomy({ taxonomy: fileOf(OWN) });
    if (helplineLabels === undefined) throw new Error("labels of its own were expected");
    expect(toHelplineLabels(classified("Advice and Counselling", "Bullying", "Referral"), helplineLabels)).toEqual(classified("Life", "Bullying", "Referral"));
  });

  it("is what the builtin engine answers in, under a revision of its own", async () => {
    const segments = callOf(["caller", "My stepfather beats me with a belt, he beats me every day."]);
    const classify = async (taxonomy: string) => {
      const { helplineLabels: labels } = await loadTaxonomy({ taxonomy });
      const engine = createBuiltinEngines({ assetsDirectory: DATA_DIRECTORY, labels }).find(({ description }) => description.modelTask === "classification");
      const output = (await engine?.run({ segments } as never, { signal: new AbortController().signal })) as { readonly classification: CaseClassification };
      return { label: output.classification.subCategory.label, revision: engine?.description.revision };
    };
    const [builtin, kenya] = [await classify("openchs"), await classify("kenya")];
    expect([builtin.label, kenya.label]).toEqual(["Physical Abuse", "Physical abuse/violence"]);
    expect(kenya.revision).not.toBe(builtin.revision);
  });

  it("is told to a person in a line", async () => {
    expect(describeTaxonomy(await loadTaxonomy({ taxonomy: fileOf(OWN) }))).toBe(
      "own, version 3, 3 categories; the builtin engine can give 2 of them, others come from a model or a counsellor",
    );
    expect(describeTaxonomy(await loadTaxonomy())).not.toContain(";");
  });

  it.each([
    ["main_categories: a sub-category must stand under one main category only, and once", { main_categories: [{ label: "A", sub_categories: ["x", "x"] }] }],
    [
      "main_categories: a label must be there once",
      {
        main_categories: [
          { label: "A", sub_categories: ["Beaten"] },
          { label: "A", sub_categories: ["y"] },
        ],
      },
    ],
    ["interventions: a label must be there once", { interventions: ["Talked", "Talked"] }],
    [
      "built_from.sub_categories: a key must be a sub-category of data/taxonomies/openchs.json",
      { built_from: { sub_categories: { Beating: "Beaten" }, interventions: {} } },
    ],
    ["built_from.sub_categories: a value must be a sub-category of this file", { built_from: { sub_categories: { Bullying: "None" }, interventions: {} } }],
    [
      "built_from.interventions: a key must be an intervention of data/taxonomies/openchs.json",
      { built_from: { sub_categories: {}, interventions: { Tea: "Talked" } } },
    ],
    ["built_from.interventions: a value must be an intervention of this file", { built_from: { sub_categories: {}, interventions: { Referral: "Tea" } } }],
    ["law: a key must be a sub-category of this file", { law: { Unknown: "An Act" } }],
    [
      "mappings.sub_categories: a key must be a sub-category of this file",
      { mappings: [{ to: "x", source: "y", certain: false, sub_categories: { Unknown: "z" } }] },
    ],
  ])("is refused with the rule it breaks: %s", async (rule, change) => {
    await expect(loadTaxonomy({ taxonomy: fileOf({ ...OWN, ...change }) })).rejects.toMatchObject({ code: "CONFIG_INVALID", details: { rule } });
  });

  it("is refused by a message that says what to do when there is no such file, or it is no taxonomy", async () => {
    await expect(loadTaxonomy({ taxonomy: join(directory, "missing.json") })).rejects.toThrow(/^TAXONOMY must be one of openchs, kenya, tanzania, or the path/);
    await expect(loadTaxonomy({ taxonomy: fileOf({ id: "own" }) })).rejects.toThrow(
      /^The taxonomy can't be used: version: .* Correct the file that TAXONOMY names/,
    );
  });
});
