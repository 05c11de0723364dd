import { describe, expect, it } from "vitest";
import { callOf, runBuiltin } from "./builtin-call.js";

describe("builtin summarizer", () => {
  it("quotes the caller's case and the counsellor's action in time order", async () => {
    const segments = callOf(
      ["agent", "How can I help you?"],
      ["caller", "My stepfather beats me every day."],
      ["caller", "I am scared to go home."],
      ["agent", "I will refer you to the children's officer."],
    );
    const { summary } = await runBuiltin("summary", { segments });
    expect(summary.sentences.map(({ text }) => text)).toEqual([
      "The caller says: “My stepfather beats me every day”.",
      "The caller says: “I am scared to go home”.",
      "The counsellor says: “I will refer you to the children's officer”.",
    ]);
    expect(summary.text).toBe(summary.sentences.map(({ text }) => text).join(" "));
  });

  it("says nothing when there is nothing to say", async () => {
    const { summary } = await runBuiltin("summary", {
      segments: callOf(["caller", "hello hello"], ["agent", "yes hello"]),
    });
    expect(summary).toEqual({ text: "", sentences: [] });
  });

  it("never gives more than six sentences", async () => {
    const lines = Array.from({ length: 20 }, (_, index) => ["caller", `My uncle beats me on day ${index}.`] as const);
    const { summary } = await runBuiltin("summary", { segments: callOf(...lines) });
    expect(summary.sentences.length).toBeLessThanOrEqual(6);
  });

  it("frames a Swahili call in Swahili", async () => {
    const segments = callOf(["caller", "Mjomba wangu ananipiga kila siku."]).map((segment) => ({
      ...segment,
      language: "sw",
    }));
    const { summary } = await runBuiltin("summary", { segments });
    expect(summary.text).toBe("Mpiga simu anasema: “Mjomba wangu ananipiga kila siku”.");
  });

  it("cuts a long unpunctuated quotation at whole words", async () => {
    const filler = Array.from({ length: 60 }, () => "maneno").join(" ");
    const segments = callOf(["caller", `${filler} my stepfather beats me ${filler}`]);
    const { summary } = await runBuiltin("summary", { segments });
    const quoted = summary.sentences[0]?.evidence[0]?.text ?? "";
    expect(quoted).toContain("my stepfather beats me");
    expect(quoted.split(" ")).toHaveLength(28);
  });
});
