/** The sample calls of the package: their scripts as ground truth, and where their audio lies. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { CONTACT_TYPES, PRIORITIES } from "../../core/case-classification.js";
import { ENTITY_LABELS } from "../../core/entity.js";
import { QUALITY_MARKS } from "../../core/quality-score.js";
import { RISK_KINDS } from "../../core/risk.js";
import type { Transcript } from "../../core/transcript.js";
import { packageRoot } from "../paths.js";

const scriptSchema = z.object({
  id: z.string(),
  title: z.string(),
  languages: z.array(z.string()).min(1),
  segments: z.array(z.object({ channel: z.enum(["caller", "agent"]), text: z.string(), language: z.string(), start_ms: z.int(), end_ms: z.int() })),
  entities: z.array(z.object({ label: z.enum(ENTITY_LABELS), text: z.string() })),
  classification: z.object({
    contact_type: z.enum(CONTACT_TYPES),
    main_category: z.string().nullable(),
    sub_category: z.string().nullable(),
    intervention: z.string().nullable(),
    priority: z.enum(PRIORITIES).nullable(),
  }),
  risks: z.array(z.object({ kind: z.enum(RISK_KINDS), level: z.enum(PRIORITIES), quote: z.string() })),
  quality: z.array(z.object({ item: z.string(), mark: z.enum(QUALITY_MARKS) })),
});

export type SampleScript = z.infer<typeof scriptSchema>;

export interface SampleCall {
  readonly script: SampleScript;
  /** Absolute paths; none for a script that was written to be read only. */
  readonly recordings: readonly string[];
}

/** Every sample of the package, in name order. */
export async function loadSamples(): Promise<readonly SampleCall[]> {
  const directory = join(packageRoot(), "samples");
  const entries = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return Promise.all(
    entries.map(async ({ name }) => {
      const folder = join(directory, name);
      const script = scriptSchema.parse(JSON.parse(await readFile(join(folder, "script.json"), "utf8")));
      const recordings = (await readdir(folder)).filter((file) => file.startsWith("call-")).map((file) => join(folder, file));
      return { script, recordings };
    }),
  );
}

/** The script as a transcript that needs no recognition. */
export function scriptTranscript(script: SampleScript): Transcript {
  return {
    language: script.languages[0] ?? "und",
    lowQuality: false,
    segments: script.segments.map((segment, index) => ({
      id: `s${index + 1}`,
      channel: segment.channel,
      startMs: segment.start_ms,
      endMs: segment.end_ms,
      text: segment.text,
      language: segment.language,
      score: null,
    })),
  };
}
