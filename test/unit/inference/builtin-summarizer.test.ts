/** A summary as a counsellor's note: who about whom, where, what, since when, safety, what was agreed; every word of it was said. */
import { describe, expect, it } from "vitest";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { callOf, isGrounded, runBuiltin } from "./builtin-call.js";

const ENGLISH = callOf(
  ["agent", "Child helpline, my name is Rose. Who am I speaking to?"],
  ["caller", "My name is Amina, I am twelve years old. I live in Kibera, Nairobi."],
  ["agent", "What happened, Amina?"],
  ["caller", "My stepfather beats me with a belt every night. It started in January."],
  ["agent", "Has he hurt you today?"],
  ["caller", "No, he is not at home now."],
  ["agent", "I am sending a children's officer to you today."],
);
const SWAHILI = callOf(
  ["agent", "Karibu, naitwa Neema. Unaitwa nani?"],
  ["caller", "Naitwa Zuhura, naishi Tanga. Nina miaka kumi na mbili."],
  ["caller", "Baba wa kambo ananipiga na mkanda kila siku."],
  ["agent", "Nitamtuma afisa wa ustawi leo jioni."],
).map((segment) => ({ ...segment, language: "sw" }));

async function sentencesOf(segments: readonly TranscriptSegment[]): Promise<readonly string[]> {
  const { summary } = await runBuiltin("summary", { segments });
  expect(summary.text).toBe(summary.sentences.map(({ text }) => text).join(" "));
  for (const { evidence } of summary.sentences) expect(evidence.length).toBeGreaterThan(0);
  expect(
    isGrounded(
      segments,
      summary.sentences.flatMap(({ evidence }) => evidence),
    ),
  ).toBe(true);
  return summary.sentences.map(({ text }) => text);
}

describe("builtin summarizer", () => {
  it("says who calls and where, what is told, and what was agreed, in this order", async () => {
    const sentences = await sentencesOf(ENGLISH);
    expect(sentences[0]).toBe("Amina (twelve) in Kibera, Nairobi calls the helpline.");
    expect(sentences[1]).toBe("The caller says: “My stepfather beats me with a belt every night”.");
    expect(sentences.at(-1)).toBe("Agreed: “I am sending a children's officer to you today”.");
  });

  it("keeps a denial with the words that deny, and quotes no question", async () => {
    const sentences = await sentencesOf(ENGLISH);
    expect(sentences).toContain("On safety: “No, he is not at home now”.");
    expect(sentences.join(" ")).not.toContain("Has he hurt you");
  });

  it("is in Swahili where the call is", async () => {
    expect(await sentencesOf(SWAHILI)).toEqual([
      "Zuhura (kumi na mbili) huko Tanga anapiga simu.",
      "Mpiga simu anasema: “Baba wa kambo ananipiga na mkanda kila siku”.",
      "Makubaliano: “Nitamtuma afisa wa ustawi leo jioni”.",
    ]);
  });

  it("says about whom somebody else calls", async () => {
    const segments = callOf(
      ["caller", "My name is Rose Atieno, I live in Langas. I am calling about my nephew Felix, he is fifteen years old."],
      ["caller", "The police beat him with sticks and locked him in a cell."],
      ["agent", "I will call the children's officer today."],
    );
    expect((await sentencesOf(segments))[0]).toMatch(/^Rose Atieno calls the helpline about (?:their nephew )?Felix \(fifteen\) in Langas\.$/);
  });

  it("says nothing when there is nothing to say, nor what was only denied or supposed", async () => {
    const nothing = { summary: { text: "", sentences: [] } };
    expect(await runBuiltin("summary", { segments: callOf(["caller", "hello hello"], ["agent", "yes hello"]) })).toEqual(nothing);
    expect(await runBuiltin("summary", { segments: callOf(["caller", "Nobody beats me."]) })).toEqual(nothing);
  });

  it("never gives more than eight sentences", async () => {
    const lines = Array.from({ length: 20 }, (_, index) => ["caller", `My uncle beats me on day ${index}.`] as const);
    expect((await sentencesOf(callOf(...lines))).length).toBeLessThanOrEqual(8);
  });

  it("works without capitals and punctuation", async () => {
    const bare = ENGLISH.map((segment) => ({ ...segment, text: segment.text.toLowerCase().replace(/[.,?]/g, "") }));
    const sentences = await sentencesOf(bare);
    expect(sentences[0]).toMatch(/^Amina \(twelve\) in kibera/);
    expect(sentences.join(" ")).toContain("stepfather beats me with a belt");
  });

  it("cuts a long unpunctuated quotation at whole words", async () => {
    const filler = Array.from({ length: 60 }, () => "maneno").join(" ");
    const { summary } = await runBuiltin("summary", { segments: callOf(["caller", `${filler} my stepfather beats me ${filler}`]) });
    const quoted = summary.sentences[0]?.evidence[0]?.text ?? "";
    expect(quoted).toContain("my stepfather beats me");
    expect(quoted.split(" ")).toHaveLength(28);
  });
});
