import { describe, expect, it } from "vitest";
import type { Channel } from "../../../src/core/transcript.js";
import { callOf, runBuiltin } from "./builtin-call.js";

async function labelsOf(...lines: readonly (readonly [Channel, string])[]): Promise<Readonly<Record<string, string>>> {
  const { entities } = await runBuiltin("entities", { segments: callOf(...lines) });
  return Object.fromEntries(entities.map(({ label, text }) => [text, label]));
}

describe("builtin entity recognizer", () => {
  it("gives exact offsets for every mention of a name", async () => {
    const segments = callOf(["caller", "my name is Achieng"], ["agent", "Thank you Achieng"]);
    const { entities } = await runBuiltin("entities", { segments });
    expect(entities).toHaveLength(1);
    const places = entities[0]?.mentions.map((mention) => [mention.segmentId, mention.startOffset, mention.endOffset]);
    expect(places).toEqual([
      ["s0", 11, 18],
      ["s1", 10, 17],
    ]);
  });

  it("finds names, ages and places in lower case without punctuation", async () => {
    const labels = await labelsOf(["mixed", "my name is wanjiru kamau i am calling from kawangware my sister is twelve years old"]);
    expect(labels).toMatchObject({ "wanjiru kamau": "NAME", kawangware: "LOCATION", twelve: "AGE" });
  });

  it("takes a name that is a common word only where the context makes it one", async () => {
    expect(await labelsOf(["mixed", "there is peace and hope and joy at home"])).toEqual({});
    expect(await labelsOf(["mixed", "my name is joy"])).toEqual({ joy: "NAME" });
  });

  it("reads Swahili number words as an age", async () => {
    expect(await labelsOf(["caller", "nina miaka kumi na mbili"])).toEqual({ "kumi na mbili": "AGE" });
  });

  it("says what an age below a year is counted in", async () => {
    expect(await labelsOf(["caller", "the baby is six months old"])).toMatchObject({ "six months": "AGE" });
    expect(await labelsOf(["caller", "mtoto wa miezi sita"])).toMatchObject({ "miezi sita": "AGE" });
  });

  it("takes a capital in mid sentence for a name, also when someone is spoken to", async () => {
    const labels = await labelsOf(["mixed", "Yes, this is Tariqo. Tell me more, Zelphine. Tariqo, thank you for listening on Monday."]);
    expect(labels).toEqual({ Tariqo: "NAME", Zelphine: "NAME", Monday: "DATE_TIME" });
  });

  it("takes a capital after a word of place for a place", async () => {
    const labels = await labelsOf(["mixed", "I am calling from Ndolowezi and she is in Class Six."]);
    expect(labels).toEqual({ Ndolowezi: "LOCATION", she: "GENDER" });
  });

  it("tells the gender by a word, and by a pronoun only where there is no word", async () => {
    expect(await labelsOf(["caller", "It is a boy and he is hungry"])).toMatchObject({ boy: "GENDER" });
    expect(await labelsOf(["caller", "It is a boy and he is hungry"])).not.toHaveProperty("he");
    expect(await labelsOf(["caller", "The little one next door, he is hungry"])).toMatchObject({ he: "GENDER" });
  });

  it("does not take a length of time for an age", async () => {
    const labels = await labelsOf(["caller", "it happened two years ago and it went on for three years"]);
    expect(labels).toEqual({ "two years ago": "DATE_TIME", "for three years": "DATE_TIME" });
  });

  it("binds the abusive act to its doer and keeps an innocent relation a relation", async () => {
    const labels = await labelsOf(["caller", "My stepfather beats me. My mother is away."]);
    expect(labels).toMatchObject({ "My stepfather": "PERPETRATOR", "My mother": "RELATION" });
  });

  it("finds the doer of a Swahili verb", async () => {
    const labels = await labelsOf(["caller", "baba wa kambo anakunywa pombe halafu ananipiga"]);
    expect(labels).toMatchObject({ "baba wa kambo": "PERPETRATOR", ananipiga: "INCIDENT_TYPE" });
  });

  it("finds the doer after a passive verb", async () => {
    const labels = await labelsOf(["caller", "My daughter was raped by our neighbour"]);
    expect(labels).toEqual({ "My daughter": "VICTIM", daughter: "GENDER", raped: "INCIDENT_TYPE", "our neighbour": "PERPETRATOR" });
  });

  it("binds nobody to an act that is denied", async () => {
    const labels = await labelsOf(["caller", "nobody beats me and my uncle is kind"]);
    expect(labels).toEqual({ "my uncle": "RELATION" });
  });

  it("calls a child who reports about itself the victim", async () => {
    const labels = await labelsOf(["caller", "my name is brian i am eleven years old my aunt beats me"]);
    expect(labels).toMatchObject({ brian: "VICTIM", "my aunt": "PERPETRATOR" });
  });

  it("leaves an adult caller a name and makes the named child the victim in every mention", async () => {
    const segments = callOf(["caller", "My name is Otieno. My son Kevin was beaten by his teacher."], ["caller", "Kevin is crying."]);
    const { entities } = await runBuiltin("entities", { segments });
    const byText = new Map(entities.map((entity) => [entity.text, entity]));
    expect(byText.get("Otieno")?.label).toBe("NAME");
    expect(byText.get("Kevin")?.label).toBe("VICTIM");
    expect(byText.get("Kevin")?.mentions.map(({ segmentId }) => segmentId)).toEqual(["s0", "s1"]);
  });

  it("reads telephone numbers in digit groups and in spoken digits", async () => {
    expect(await labelsOf(["caller", "call 0712 345 678 please"])).toEqual({ "0712 345 678": "PHONE_NUMBER" });
    expect(await labelsOf(["caller", "call +254 712-345-678"])).toEqual({ "+254 712-345-678": "PHONE_NUMBER" });
    const spoken = "sifuri saba mbili mbili tano nane moja tatu nne sita";
    expect(await labelsOf(["caller", `namba ni ${spoken}`])).toEqual({ [spoken]: "PHONE_NUMBER" });
  });

  it("begins a telephone number where it begins, and takes none that nobody can dial", async () => {
    const own = "zero seven two nine five five zero one four zero";
    expect(await labelsOf(["caller", `i have one ${own}`])).toMatchObject({ [own]: "PHONE_NUMBER" });
    const abroad = "plus two five six seven seven two one nine oh four double five";
    expect(await labelsOf(["caller", `it is ${abroad}`])).toMatchObject({ [abroad]: "PHONE_NUMBER" });
    expect(await labelsOf(["caller", "number yake ni 0716 908 77 dabo two"])).toMatchObject({ "0716 908 77 dabo two": "PHONE_NUMBER" });
    expect(Object.values(await labelsOf(["caller", "the account is 0142 3347 8100"]))).not.toContain("PHONE_NUMBER");
    expect(await labelsOf(["caller", "call the constructor 0712 345 678 constructor"])).toMatchObject({ "0712 345 678": "PHONE_NUMBER" });
  });

  it("takes no word for a number by what JavaScript calls it", async () => {
    expect(await labelsOf(["caller", "my son the constructor is constructor years old"])).not.toHaveProperty("constructor");
  });

  it("takes a short code for a telephone number where somebody calls it, and no other number of three digits", async () => {
    expect(await labelsOf(["caller", "I called 116"])).toEqual({ "116": "PHONE_NUMBER" });
    expect(await labelsOf(["caller", "nilipiga one one six jana"])).toMatchObject({ "one one six": "PHONE_NUMBER" });
    expect(await labelsOf(["caller", "we are 116 pupils"])).toEqual({});
    expect(await labelsOf(["caller", "I called 118 times"])).toEqual({});
  });

  it("names a landmark by its own name or by the word near", async () => {
    expect(await labelsOf(["caller", "we live near the mosque"])).toEqual({ mosque: "LANDMARK" });
    expect(await labelsOf(["caller", "I go to Olympic Primary School"])).toEqual({
      "Olympic Primary School": "LANDMARK",
    });
    expect(await labelsOf(["caller", "i go to school"])).toEqual({});
  });
});
