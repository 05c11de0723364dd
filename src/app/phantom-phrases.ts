/** The sentences that speech models write when they hear noise, as data that a helpline can change. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { normalizePhrase } from "../analysis/live/suspect-text.js";
import { packageAssets } from "./paths.js";

const phantomPhrasesSchema = z.object({ version: z.string(), about: z.string(), phrases: z.array(z.string().min(1)) });

/** Normalized for comparing. */
export async function loadPhantomPhrases(): Promise<ReadonlySet<string>> {
  const text = await readFile(join(packageAssets().languageData, "lexicons", "phantom-phrases.json"), "utf8");
  return new Set(phantomPhrasesSchema.parse(JSON.parse(text)).phrases.map(normalizePhrase));
}
