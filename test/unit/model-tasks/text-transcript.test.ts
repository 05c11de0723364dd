/** A text as segments and evidence back from them: whatever the text, offsets lead to the same words in it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Entity } from "../../../src/core/entity.js";
import { type Evidence, toEvidence } from "../../../src/core/evidence.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { toTextTranscript } from "../../../src/model-tasks/text-transcript.js";

const CALL = "Counsellor: Hello, this is the helpline.\nCaller: Naitwa Zuhura 👧🏾, niko Dodoma.\nCounsellor: Pole sana.";

/** Every word of a segment as an engine would quote it. */
function wordsOf(segment: TranscriptSegment): readonly Evidence[] {
  return [...segment.text.matchAll(/\S+/g)].map((found) => toEvidence(segment, found.index, found.index + found[0].length));
}

const WORDS = "my uncle hits me naitwa Zuhura niko Dodoma İstanbul ǅ 👧🏾 e\u0301 : - he said: ng'ombe 0712 \u00a0 \u2028".split(" ");
const LABELS = ["Caller: ", "Counsellor: ", "Agent: ", "caller:", "COUNSELLOR : ", "  Caller: ", "He said: ", ""];
const BREAKS = ["\n", "\r\n", "\n\n", "\r"];
const line = fc.tuple(
  fc.constantFrom(...LABELS),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((words) => words.join(" ")),
  fc.constantFrom(...BREAKS),
);
const anyText = fc
  .oneof(
    fc.array(line, { maxLength: 6 }).map((lines) => lines.map((parts) => parts.join("")).join("")),
    fc.string({ unit: "binary", maxLength: 60 }),
  )
  .filter((text) => /\S/.test(text));

describe("a text as segments", () => {
  it("has a segment of the channel that each line names", () => {
    const { segments } = toTextTranscript(CALL, "sw");
    expect(segments.map(({ channel, text }) => [channel, text.trim()])).toEqual([
      ["agent", "Hello, this is the helpline."],
      ["caller", "Naitwa Zuhura 👧🏾, niko Dodoma."],
      ["agent", "Pole sana."],
    ]);
    expect(new Set(segments.map(({ id }) => id)).size).toBe(3);
    expect(segments.map(({ language }) => language)).toEqual(["sw", "sw", "sw"]);
  });

  it("reads lines that end as they do on Windows like any others", () => {
    const { segments } = toTextTranscript(CALL.replaceAll("\n", "\r\n"), "en");
    expect(segments.map(({ channel, text }) => [channel, text.trim()])).toEqual(
      toTextTranscript(CALL, "en").segments.map(({ channel, text }) => [channel, text.trim()]),
    );
  });

  it.each([
    ["one line", "My name is Zuhura and I live in Dodoma."],
    ["several lines", "My name is Zuhura.\nI live in Dodoma.\r\n\r\nHelp me."],
    ["a colon that names no speaker", "He said: come with me.\nAt 12:30 we went: home."],
    ["a speaker's name within a line", "I was the Caller: yes, me."],
  ])("is one of the mixed channel when it is %s without speakers", (_what, text) => {
    const { segments } = toTextTranscript(text, "en");
    expect(segments.map(({ channel }) => channel)).toEqual(["mixed"]);
    expect(segments[0]?.text.trim()).toBe(text);
  });

  it("has no speaker's name among the words of a segment", () => {
    for (const { text } of toTextTranscript(CALL, "en").segments) expect(text).not.toMatch(/Caller|Counsellor/);
  });

  it("keeps words that stand before the first speaker, and on a line without one", () => {
    const { segments } = toTextTranscript("Case 12 of today.\nCaller: I am Zuhura.\nI live in Dodoma.\nCounsellor: Asante.", "en");
    const told = segments.map(({ text }) => text).join("\n");
    for (const words of ["Case 12 of today.", "I am Zuhura.", "I live in Dodoma.", "Asante."]) expect(told).toContain(words);
    expect(segments.find(({ text }) => text.includes("I am Zuhura."))?.channel).toBe("caller");
  });
});

describe("evidence of a text", () => {
  it("leads to the same words of the text, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { segments, toTextOffsets } = toTextTranscript(text, "und");
        for (const evidence of segments.flatMap(wordsOf)) {
          const { startOffset, endOffset, text: words } = toTextOffsets(evidence);
          expect(text.slice(startOffset, endOffset)).toBe(evidence.text);
          expect(words).toBe(evidence.text);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("comes in the order of the text and never twice from one place", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { segments, toTextOffsets } = toTextTranscript(text, "und");
        const places = segments.flatMap(wordsOf).map((evidence) => toTextOffsets(evidence));
        for (const [index, { startOffset }] of places.entries()) expect(startOffset).toBeGreaterThanOrEqual(places[index - 1]?.endOffset ?? 0);
      }),
    );
  });

  it("can be had of every word that follows a speaker's name, and of every word where none is named", () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
        const text = lines.map((parts) => parts.join("")).join("");
        fc.pre(/\S/.test(text));
        const { segments, toTextOffsets } = toTextTranscript(text, "und");
        const covered = new Set(
          segments.flatMap(wordsOf).flatMap((evidence) => {
            const { startOffset, endOffset } = toTextOffsets(evidence);
            return Array.from({ length: endOffset - startOffset }, (_, index) => startOffset + index);
          }),
        );
        let at = 0;
        for (const [label, words, end] of lines) {
          for (const found of words.matchAll(/\S+/g)) expect(covered.has(at + label.length + found.index), JSON.stringify([text, found[0]])).toBe(true);
          at += label.length + words.length + end.length;
        }
      }),
    );
  });

  it("names no segment", () => {
    const { segments, toTextOffsets } = toTextTranscript(CALL, "en");
    const ids = segments.map(({ id }) => id);
    const shown = segments.flatMap(wordsOf).map((evidence): Partial<Evidence> => toTextOffsets(evidence));
    expect(shown.filter(({ segmentId }) => segmentId !== undefined && ids.includes(segmentId))).toEqual([]);
  });

  it("is shifted wherever it stands in an output, and everything else stays as it was", () => {
    const { segments, toTextOffsets } = toTextTranscript(CALL, "en");
    const [, caller] = segments;
    if (caller === undefined) throw new Error("three segments were expected");
    const mentions = wordsOf(caller);
    const entities: readonly Entity[] = [{ label: "NAME", text: "Zuhura", score: 0.75, mentions }];
    const output = { entities, decision: { label: null, score: 0, evidence: mentions.slice(1) }, startMs: 7, notes: ["a", null, true] };
    const before = structuredClone(output);
    const shifted = toTextOffsets(output);
    expect(output).toEqual(before);
    expect(shifted).toMatchObject({ decision: { label: null, score: 0 }, startMs: 7, notes: ["a", null, true] });
    expect(shifted.entities[0]).toMatchObject({ label: "NAME", text: "Zuhura", score: 0.75 });
    for (const { startOffset, endOffset, text } of [...(shifted.entities[0]?.mentions ?? []), ...shifted.decision.evidence])
      expect(CALL.slice(startOffset, endOffset)).toBe(text);
    expect(shifted.entities[0]?.mentions).toHaveLength(mentions.length);
  });
});
