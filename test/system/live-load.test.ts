/** Many live calls at once, in small: the benchmark's own machinery for half a minute, judged by what must never be lost. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/source-tree.js";

interface BenchRow {
  readonly measure: string;
  readonly value: number;
}

const run = promisify(execFile);

describe("eight calls of two legs, for half a minute at real time", () => {
  it("lose no audio and no event", async () => {
    const { stdout } = await run(process.execPath, [join(ROOT, "bench", "run.mjs"), "live", "--calls", "8", "--seconds", "30"], {
      cwd: ROOT,
      maxBuffer: 10_000_000,
    });
    const { rows } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { readonly rows: readonly BenchRow[] };
    const measured = (start: string): number | undefined => rows.find(({ measure }) => measure.startsWith(start))?.value;
    expect({
      streams: measured("streams at real time"),
      accountedFor: measured("calls of two legs, ended"),
      cutOff: measured("streams cut off"),
      lostMs: measured("audio lost"),
      missingEvents: measured("events missing"),
    }).toEqual({ streams: 16, accountedFor: 8, cutOff: 0, lostMs: 0, missingEvents: 0 });
    expect(measured("of what arrived: speech with text")).toBeGreaterThan(60);
  });
});
