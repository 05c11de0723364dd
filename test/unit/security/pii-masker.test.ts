import { describe, expect, it } from "vitest";
import { toEvidence } from "../../../src/core/evidence.js";
import type { TranscriptSegment } from "../../../src/core/transcript.js";
import { createBuiltinPiiDetector } from "../../../src/inference/backends/builtin/personal-data/builtin-pii-detector.js";
import { CallMasker, maskEvidence } from "../../../src/security/masking/pii-masker.js";

const detector = createBuiltinPiiDetector({ assetsDirectory: "data" });

function segment(id: string, text: string): TranscriptSegment {
  return { id, channel: "caller", startMs: 0, endMs: 1_000, text, language: "en", score: null };
}

function masked(...texts: readonly string[]): readonly string[] {
  const masker = new CallMasker(detector);
  masker.learn(texts.map((text, index) => segment(`s${index}`, text)));
  return texts.map((text) => masker.mask(text).text);
}

describe("what of a call is masked", () => {
  it.each([
    ["My name is Wanjiku Otieno and my friend is Baraka.", "My name is [NAME_1] and my friend is [NAME_2]."],
    ["jina langu ni halima nina miaka kumi na mbili", "jina langu ni [NAME_1] nina miaka kumi na mbili"],
    ["Call me on +254 712 345 678 after four.", "Call me on [PHONE_NUMBER_1] after four."],
    ["namba yangu ni sifuri saba moja mbili tatu nne tano sita saba nane", "namba yangu ni [PHONE_NUMBER_1]"],
    ["Write to amina.h@example.co.ke please", "Write to [EMAIL_1] please"],
    ["my email is amina dot h at gmail dot com", "my email is [EMAIL_1]"],
    ["Her ID number is 28451190.", "Her ID number is [NATIONAL_ID_1]."],
    ["kitambulisho changu ni mbili nane nne tano moja moja", "kitambulisho changu ni [NATIONAL_ID_1]"],
    ["The matatu was KDA 417H, a white one.", "The matatu was [PLATE_1], a white one."],
    ["They gave us OB 34/17/6 at the desk.", "They gave us [CASE_NUMBER_1] at the desk."],
    ["We live in Nairobi, in Kawangware.", "We live in Nairobi, in [PLACE_1]."],
    ["I go to Enkorika Primary School.", "I go to [SCHOOL_1]."],
    ["P.O. Box 1142, the house is plot 12.", "[ADDRESS_1], the house is [ADDRESS_2]."],
  ])("%s", (text, wanted) => {
    expect(masked(text)).toEqual([wanted]);
  });

  it.each([
    "He is twelve years old and came on 12/03/2024 at 4 pm.",
    "It was in 2022, about 300 shillings.",
    "Tulienda Dodoma mwaka jana, mara tatu.",
    "Please call 116, it is free.",
    "I am scared and I don't know what to do.",
  ])("nothing: %s", (text) => {
    expect(masked(text)).toEqual([text]);
  });

  it("is the same person wherever the call says the name again", () => {
    expect(masked("My sister is called Mary Wanjiru.", "Then wanjiru ran away.", "And MARY cried, not Akinyi.")).toEqual([
      "My sister is called [NAME_1].",
      "Then [NAME_1] ran away.",
      "And [NAME_1] cried, not [NAME_2].",
    ]);
  });

  it("leaves the word that a name is where a text with capitals writes it small", () => {
    expect(masked("My sister is called Joy.", "There is no joy here, ask Joy.")).toEqual([
      "My sister is called [NAME_1].",
      "There is no joy here, ask [NAME_1].",
    ]);
  });

  it("is the same address where only what is before the at is said again", () => {
    expect(masked("andika ali hamisi nne sita at outlook nukta com", "ali hamisi nne sita si ndiyo")).toEqual(["andika [EMAIL_1]", "[EMAIL_1] si ndiyo"]);
  });

  it("is a name when it answers the question for one", () => {
    expect(masked("What is your name?", "Zuhuriwe.")[1]).toBe("[NAME_1].");
  });

  it("keeps the number of a name when more of the call is heard", () => {
    const masker = new CallMasker(detector);
    masker.learn([segment("s1", "My name is Wanjiku.")]);
    masker.learn([segment("s1", "My name is Wanjiku."), segment("s2", "My brother is called Kamau.")]);
    expect([masker.segmentText("s1")?.text, masker.segmentText("s2")?.text]).toEqual(["My name is [NAME_1].", "My brother is called [NAME_2]."]);
    expect(masker.mask("Wanjiku says that Njoroge helps her.").text).toBe("[NAME_1] says that [NAME] helps her.");
  });

  it("maps places of the masked text to the original and back", () => {
    const masker = new CallMasker(detector);
    const said = segment("s1", "My name is Wanjiku, I am scared.");
    masker.learn([said]);
    const text = masker.segmentText("s1");
    const from = said.text.indexOf("scared");
    const at = text?.toMasked(from, "start") ?? -1;
    expect(text?.text.slice(at, at + 6)).toBe("scared");
    expect(text?.toOriginal(at, "start")).toBe(from);
    const name = said.text.indexOf("Wanjiku");
    expect([text?.toMasked(name + 2, "start"), text?.toMasked(name + 2, "end")]).toEqual([name, name + "[NAME_1]".length]);
    expect([text?.toOriginal(name + 3, "start"), text?.toOriginal(name + 3, "end")]).toEqual([name, name + "Wanjiku".length]);
    expect(maskEvidence(masker, toEvidence(said, name, said.text.length)).text).toBe("[NAME_1], I am scared.");
  });
});
