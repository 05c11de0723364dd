/** Shared by the benchmarks. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @returns the value below which `share` (0..1) of the samples lie. */
export function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (samples) => percentile(samples, 0.5);

export const round = (value, digits = 2) => Number(value.toFixed(digits));

/** Runs `work` with a directory that is gone afterwards. */
export async function inDirectory(work) {
  const directory = mkdtempSync(join(tmpdir(), "openchs-bench-"));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
