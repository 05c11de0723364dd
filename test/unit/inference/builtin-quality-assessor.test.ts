import { describe, expect, it } from "vitest";
import type { QualityItem } from "../../../src/core/quality-score.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { callOf, runBuiltin } from "./builtin-call.js";

async function itemsOf(segments: readonly TranscriptSegment[]): Promise<ReadonlyMap<string, QualityItem>> {
  const { quality } = await runBuiltin("quality", { segments });
  return new Map(quality.heads.flatMap(({ items }) => items.map((item) => [item.item, item] as const)));
}

describe("builtin quality assessor", () => {
  it("gives the seventeen items under six heads in the rubric's order", async () => {
    const { quality } = await runBuiltin("quality", { segments: [] });
    expect(quality.heads.map(({ head, items }) => [head, items.length])).toEqual([
      ["opening", 1],
      ["listening", 5],
      ["proactiveness", 3],
      ["resolution", 5],
      ["hold", 2],
      ["closing", 1],
    ]);
  });

  it("lacks evidence for every item without a counsellor channel", async () => {
    const items = await itemsOf(callOf(["mixed", "Thank you for calling the child helpline. I am so sorry. Goodbye."]));
    expect([...items.values()].every(({ mark, score }) => mark === "not_enough_evidence" && score === 0)).toBe(true);
  });

  it("judges the counsellor and not the caller", async () => {
    const items = await itemsOf(callOf(["agent", "Child helpline, how can I help you?"], ["caller", "I am so sorry, please, thank you"]));
    expect(items.get("Use of call opening phrase")?.mark).toBe("met");
    expect(items.get("Uses 'please' and 'thank you'")?.mark).toBe("not_enough_evidence");
  });

  it("quotes the words that meet an item", async () => {
    const items = await itemsOf(callOf(["agent", "Pole sana, sio kosa lako."]));
    const empathy = items.get("Empathizes with the caller");
    expect(empathy?.mark).toBe("met");
    expect(empathy?.evidence.map(({ text }) => text)).toContain("sio kosa lako");
  });

  it("lacks evidence for the hold items when no hold is spoken of", async () => {
    const items = await itemsOf(callOf(["agent", "Thank you for calling the helpline."]));
    expect(items.get("Explains before placing on hold")?.mark).toBe("not_enough_evidence");
    expect(items.get("Thanks caller for holding")?.mark).toBe("not_enough_evidence");
  });

  it("marks a hold that is explained but not thanked for", async () => {
    const items = await itemsOf(callOf(["agent", "Please hold on while I ask my supervisor."], ["agent", "He agrees."]));
    expect(items.get("Explains before placing on hold")?.mark).toBe("met");
    expect(items.get("Thanks caller for holding")?.mark).toBe("not_met");
  });

  it("sees from the times that the counsellor spoke into the caller's speech", async () => {
    const segments = callOf(["caller", "I want"], ["caller", "to say what my uncle did"], ["caller", "last week"], ["agent", "please tell me your full name"]);
    const moved = segments.map((segment, index) => (index === 3 ? { ...segment, startMs: 6500, endMs: 9500 } : segment));
    const calm = await itemsOf(segments);
    const interrupted = await itemsOf(moved);
    expect(calm.get("Caller was not interrupted")?.mark).toBe("met");
    expect(interrupted.get("Caller was not interrupted")?.mark).toBe("not_met");
  });
});
