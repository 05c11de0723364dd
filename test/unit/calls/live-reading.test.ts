import { describe, expect, it } from "vitest";
import type { LiveCallParts } from "../../../src/calls/live/live-call-parts.js";
import { LiveReading } from "../../../src/calls/live/live-reading.js";
import type { NewCallEvent } from "../../../src/core/call-event.js";
import type { Channel, TranscriptSegment } from "../../../src/core/transcript.js";

/** Answers risk scans one by one, when the test says so. */
class SlowScans {
  readonly asked: string[] = [];
  found: readonly { readonly kind: string; readonly level: string }[] = [];
  readonly #answers: (() => void)[] = [];

  readonly parts = {
    clock: { monotonicMs: () => 0 },
    inference: {
      run: (_task: string, { segments }: { readonly segments: readonly TranscriptSegment[] }) => {
        this.asked.push(segments.map(({ text }) => text).join(" | "));
        return new Promise((resolve) => this.#answers.push(() => resolve({ output: { risks: this.found } })));
      },
    },
  } as unknown as LiveCallParts;

  async answer(): Promise<void> {
    this.#answers.shift()?.();
    // Everything that follows from an answer happens before the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const segment = (id: string, text: string, channel: Channel = "caller"): TranscriptSegment =>
  ({ id, text, channel, startMs: 0, endMs: 1_000, language: "en", words: [], score: 1 }) as unknown as TranscriptSegment;

describe("looking for danger while somebody speaks", () => {
  it("looks at the newest text of each channel when looks wait, and at no text twice", async () => {
    const scans = new SlowScans();
    const reading = new LiveReading(scans.parts, { segments: () => [], taskId: () => "t", emit: () => {} });
    reading.look(segment("l1", "he"));
    await scans.answer();
    reading.look(segment("l1", "he hits"));
    reading.look(segment("l2", "tell me", "agent"));
    reading.look(segment("l1", "he hits me"));
    await scans.answer();
    await scans.answer();
    await scans.answer();
    expect(scans.asked).toEqual(["he", "he hits me", "tell me"]);
  });

  it("leaves out text that is final by the time its turn comes, and keeps what is said after it", async () => {
    const scans = new SlowScans();
    const settled: TranscriptSegment[] = [];
    const reading = new LiveReading(scans.parts, { segments: () => settled, taskId: () => "t", emit: () => {} });
    reading.look(segment("l1", "one"));
    await scans.answer();
    reading.look(segment("l1", "one two"));
    const final = segment("l1", "one two three");
    settled.push(final);
    reading.read(final);
    reading.look(segment("l2", "four"));
    for (let turn = 0; turn < 4; turn++) await scans.answer();
    expect(scans.asked).toEqual(["one", "one two three | four", "one two three"]);
  });

  it("tells of grave danger in unsettled words, and of the rest once they are settled", async () => {
    const scans = new SlowScans();
    const settled: TranscriptSegment[] = [];
    const raised: string[] = [];
    const emit = ({ payload }: NewCallEvent) => {
      if ("finding" in payload) raised.push(`${payload.finding.kind} ${payload.finding.level} ${payload.isInterim}`);
    };
    const reading = new LiveReading(scans.parts, { segments: () => settled, taskId: () => "t", emit });
    scans.found = [
      { kind: "threats", level: "high" },
      { kind: "drugs", level: "medium" },
      { kind: "weapons", level: "low" },
    ];
    reading.look(segment("l1", "he will kill"));
    for (let turn = 0; turn < 2; turn++) await scans.answer();
    expect(raised).toEqual(["threats high true"]);
    settled.push(segment("l1", "he will kill me"));
    reading.read(segment("l1", "he will kill me"));
    for (let turn = 0; turn < 2; turn++) await scans.answer();
    expect(raised).toEqual(["threats high true", "drugs medium false"]);
  });
});
