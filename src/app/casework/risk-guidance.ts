/** What would make a danger less grave, written for counsellors to find out, and given with every finding of an engine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RISK_KINDS, type RiskKind, type RiskLowering } from "../../core/risk.js";
import type { ModelEngine } from "../../inference/model-engine.js";
import type { RiskOutput } from "../../inference/risk-detector.js";

const guidanceSchema = z.strictObject({
  id: z.string().min(1),
  version: z.int().min(1),
  kinds: z.array(
    z.strictObject({ kind: z.enum(RISK_KINDS), lowered_by: z.record(z.string().regex(/^[a-z]{2,3}$/), z.array(z.string().trim().min(1).max(200)).min(1)) }),
  ),
});

export type RiskGuidance = ReadonlyMap<RiskKind, RiskLowering>;

/**
 * @param languageData - directory of `guidance/risks.json`
 * @throws when the file is missing or not in its form
 */
export async function loadRiskGuidance(languageData: string): Promise<RiskGuidance> {
  const { kinds } = guidanceSchema.parse(JSON.parse(await readFile(join(languageData, "guidance", "risks.json"), "utf8")));
  return new Map(kinds.map(({ kind, lowered_by: loweredBy }) => [kind, loweredBy]));
}

/** The same engines; those of risk say of each finding what would lower it. */
export function withRiskGuidance(engines: readonly ModelEngine[], guidance: RiskGuidance): readonly ModelEngine[] {
  return engines.map((engine) => (engine.description.modelTask === "risk" ? (guided(engine as ModelEngine<"risk">, guidance) as ModelEngine) : engine));
}

function guided(engine: ModelEngine<"risk">, guidance: RiskGuidance): ModelEngine<"risk"> {
  const add = ({ risks }: RiskOutput): RiskOutput => ({
    risks: risks.map((finding) => {
      const loweredBy = guidance.get(finding.kind);
      return loweredBy === undefined ? finding : { ...finding, loweredBy };
    }),
  });
  return {
    description: engine.description,
    run: async (input, options) => add(await engine.run(input, options)),
    load: async () => engine.load?.(),
    close: async () => engine.close?.(),
  };
}
