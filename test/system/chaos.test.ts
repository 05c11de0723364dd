/** Processes killed at random under load, for a minute: the benchmark's own machinery in small, judged by what must never be lost. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { isMissing } from "../support/requirements.js";
import { ROOT } from "../support/source-tree.js";

interface BenchRow {
  readonly measure: string;
  readonly value: number;
}

const SETTINGS = ["--seconds", "60", "--uploads", "30", "--calls", "6", "--kill-every", "8"];
const run = promisify(execFile);

describe.skipIf(isMissing("pocketsphinx", "redis-server", "postgres"))(
  "one api, two streams and two workers, of which one is killed every eight seconds",
  () => {
    it("analyse every acknowledged upload and call once, and lose no second but the last of a call that was cut off", async () => {
      const { stdout } = await run(process.execPath, [join(ROOT, "bench", "run.mjs"), "chaos", ...SETTINGS], { cwd: ROOT, maxBuffer: 10_000_000 });
      const { rows } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { readonly rows: readonly BenchRow[] };
      const measured = (name: string): number | undefined => rows.find(({ measure }) => measure === name)?.value;
      expect({
        acknowledged: measured("uploads acknowledged"),
        notAnalysed: measured("calls not analysed"),
        notOnce: measured("calls not analysed exactly once"),
        tooMany: measured("calls in the history that nobody made, or twice"),
        lostMs: measured("audio lost of calls that were not cut off"),
      }).toEqual({ acknowledged: 30, notAnalysed: 0, notOnce: 0, tooMany: 0, lostMs: 0 });
      expect(measured("audio lost of a call that was, at most")).toBeLessThanOrEqual(1_000);
      expect(measured("processes killed or servers restarted")).toBeGreaterThan(3);
    });
  },
);
