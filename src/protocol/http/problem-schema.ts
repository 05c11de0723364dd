/** Errors on the wire: RFC 9457 problem documents with our stable `code`. */
import { z } from "zod";

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** What every guarded route may answer besides what it is there for. */
export const PROBLEM_RESPONSES = { "4xx": problemSchema, "5xx": problemSchema };
