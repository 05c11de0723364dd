/** The facts of a case form: who, which child, where, what, when, whether it is safe and what was agreed. */
import { describe, expect, it } from "vitest";
import type { AnswerKind } from "../../../src/core/case/case-answer.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { callOf, isGrounded, runBuiltin } from "./builtin-call.js";

const ENGLISH = callOf(
  ["agent", "Child helpline, my name is Rose. Who am I speaking to?"],
  ["caller", "My name is Amina. I live in Kibera, Nairobi."],
  ["agent", "What happened, Amina?"],
  ["caller", "It is about my brother Brian. He is nine years old. My stepfather beats him with a belt since January."],
  ["agent", "Is he safe now?"],
  ["caller", "He is hiding at our neighbour's house. My number is 0722 114 908."],
  ["agent", "I am sending a children's officer to you today. I will call you tomorrow."],
);
const SWAHILI = callOf(
  ["agent", "Karibu, naitwa Neema. Unaitwa nani?"],
  ["caller", "Naitwa Zuhura, naishi Tanga."],
  ["agent", "Nini kimetokea?"],
  ["caller", "Baba wa kambo ananipiga kila siku. Nina miaka kumi na mbili."],
  ["agent", "Uko salama sasa?"],
  ["caller", "Niko kwa jirani."],
  ["agent", "Nitamtuma afisa wa ustawi leo jioni."],
);

async function answer(segments: readonly TranscriptSegment[], kind: AnswerKind): Promise<string | null> {
  const output = await runBuiltin("question_answering", { segments, kind, question: "?" });
  expect(isGrounded(segments, output.evidence)).toBe(true);
  expect(output.evidence[0]?.text ?? null).toBe(output.answer);
  return output.answer;
}

describe("the facts of a case form", () => {
  it.each([
    ["caller_name", "Amina"],
    ["place", "Kibera, Nairobi"],
    ["child_age", "nine"],
    ["incident", "My stepfather beats him with a belt since January"],
    ["perpetrator", "My stepfather"],
    ["time", "since January"],
    ["safety", "He is hiding at our neighbour's house"],
    ["phone", "0722 114 908"],
    ["next_step", "I am sending a children's officer to you today"],
  ] as const)("finds the %s of an English call", async (kind, expected) => {
    expect(await answer(ENGLISH, kind)).toBe(expected);
  });

  it.each([
    ["caller_name", "Zuhura"],
    ["child_name", "Zuhura"],
    ["place", "Tanga"],
    ["child_age", "kumi na mbili"],
    ["incident", "Baba wa kambo ananipiga kila siku"],
    ["safety", "Niko kwa jirani"],
    ["next_step", "Nitamtuma afisa wa ustawi leo jioni"],
  ] as const)("finds the %s of a Swahili call", async (kind, expected) => {
    expect(await answer(SWAHILI, kind)).toBe(expected);
  });

  it("takes the counsellor's name for nobody else's, and a question for no statement", async () => {
    const call = callOf(["agent", "My name is Rose. Does your father beat you?"], ["caller", "No, he has never beaten me."]);
    expect(await answer(call, "caller_name")).toBeNull();
    expect(await answer(call, "incident")).toBeNull();
    expect(await answer(call, "next_step")).toBeNull();
  });

  it("finds nothing in a call that says nothing, rather than guess", async () => {
    const call = callOf(["agent", "Hello? Child helpline."], ["caller", "Mm."]);
    for (const kind of ["caller_name", "child_name", "child_age", "place", "incident", "perpetrator", "time", "safety", "phone", "next_step"] as const)
      expect(await answer(call, kind)).toBeNull();
  });

  it("answers the same without capitals and punctuation", async () => {
    const bare = ENGLISH.map((segment) => ({ ...segment, text: segment.text.toLowerCase().replace(/[.,?]/g, "") }));
    expect(await answer(bare, "caller_name")).toBe("amina");
    expect(await answer(bare, "phone")).toBe("0722 114 908");
    expect(await answer(bare, "time")).toBe("since january");
  });

  it("takes the entities it is given", async () => {
    expect((await runBuiltin("question_answering", { segments: ENGLISH, kind: "phone", question: "?", entities: [] })).answer).toBeNull();
  });
});
