/** A written sentence is shown with the words of the call that it rests on, or not at all. */
import { describe, expect, it } from "vitest";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { supportOf } from "../../../src/inference/backends/seq2seq/summary-support.js";

const SAID = ["My stepfather beats me with a belt every night.", "I am twelve and live in Kisumu.", "We will refer you to the children's officer tomorrow."];
const call = SAID.map((text, index) => {
  const segment: TranscriptSegment = {
    id: `s${index}`,
    channel: "caller",
    startMs: index * 1_000,
    endMs: index * 1_000 + 900,
    text,
    language: "en",
    score: null,
  };
  return { segment, text };
});
const restsOn = (sentence: string): readonly string[] => supportOf(sentence, call).map(({ segmentId }) => segmentId);

describe("supportOf", () => {
  it("finds the segment that says so", () => {
    expect(restsOn("The stepfather beats the caller with a belt every night.")).toEqual(["s0"]);
    expect(restsOn("They will refer her to the children's officer.")).toEqual(["s2"]);
  });

  it("is empty for what nobody said", () => {
    expect(restsOn("The caller attends a university in another country.")).toEqual([]);
  });

  it("is empty for a number or a name that was not said, however true the rest", () => {
    expect(restsOn("The stepfather beats the caller with a belt every night in Mombasa.")).toEqual([]);
    expect(restsOn("The stepfather beats the caller with a belt 3 times every night.")).toEqual([]);
  });

  it("quotes whole segments exactly", () => {
    const [evidence] = supportOf("The stepfather beats with a belt every night.", call);
    expect(evidence).toMatchObject({ startOffset: 0, text: SAID[0] });
  });

  it("rests a translated sentence on what was said", () => {
    const [first] = call;
    if (first === undefined) throw new Error("no segment");
    const spoken = { ...first.segment, language: "sw", text: "Baba wa kambo ananipiga na mshipi kila usiku." };
    expect(supportOf("The stepfather beats her with a belt.", [{ segment: spoken, text: first.text }])[0]?.text).toBe(spoken.text);
  });
});
