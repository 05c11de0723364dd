import { describe, expect, it } from "vitest";
import { callOf, runBuiltin } from "./builtin-call.js";

const CALL = callOf(
  ["caller", "My name is Amina and I am twelve years old."],
  ["caller", "I live in Kibera near the mosque."],
  ["caller", "My uncle beats me. It started last week."],
  ["caller", "My teacher gave me a book about rivers."],
);

async function answer(question: string): Promise<string | null> {
  return (await runBuiltin("question_answering", { segments: CALL, question })).answer;
}

describe("builtin question answerer", () => {
  it("answers who with the person an act is bound to", async () => {
    expect(await answer("Who beats the child?")).toBe("My uncle");
  });

  it("answers how old with an age", async () => {
    expect(await answer("How old is she?")).toBe("twelve");
  });

  it("answers where with a place, also in Swahili", async () => {
    expect(await answer("Where does the caller live?")).toBe("Kibera");
    expect(await answer("anaishi wapi")).toBe("Kibera");
  });

  it("answers when with a date", async () => {
    expect(await answer("When did it start?")).toBe("last week");
  });

  it("answers a question of no known kind with the best sentence", async () => {
    expect(await answer("Tell me about the book")).toBe("My teacher gave me a book about rivers");
  });

  it("answers nothing when the call does not carry it", async () => {
    const output = await runBuiltin("question_answering", { segments: CALL, question: "What is the phone number?" });
    expect(output).toEqual({ answer: null, score: 0, evidence: [] });
  });

  it("gives as answer the text of its first evidence", async () => {
    const output = await runBuiltin("question_answering", { segments: CALL, question: "Who beats her?" });
    expect(output.evidence[0]?.text).toBe(output.answer);
  });

  it("refuses an empty question", async () => {
    await expect(answer("  ")).rejects.toMatchObject({ code: "MODEL_INPUT_INVALID" });
  });
});
