/** The language of each segment by its words alone. */
import { describe, expect, it } from "vitest";
import type { Channel } from "../../../src/core/transcript.js";
import { callOf, runBuiltin } from "./builtin-call.js";

async function languagesOf(...lines: readonly (readonly [Channel, string])[]): Promise<readonly string[]> {
  const segments = callOf(...lines).map((segment) => ({ ...segment, language: "und" }));
  return (await runBuiltin("language", { segments })).segments.map(({ language }) => language);
}

describe("the builtin language identifier", () => {
  it.each([
    ["sw", "Baba yangu ananipiga kila siku na mama hayupo nyumbani."],
    ["en", "My father beats me every day and my mother is not at home."],
    ["lg", "Kitange ankuba buli lunaku era maama taliwo awaka."],
    ["mixed", "My father amekuwa akinipiga kila siku, I am so tired."],
    ["sw", "naogopa sana kurudi"],
    ["en", "i am scared"],
  ])("hears %s, however it is written", async (language, text) => {
    const bare = text.toLowerCase().replace(/[.,]/g, "");
    expect(await languagesOf(["caller", text])).toEqual([language]);
    expect(await languagesOf(["caller", bare])).toEqual([language]);
  });

  it("takes no name or place for a word of a language", async () => {
    expect(await languagesOf(["caller", "Her name is Wanjiku Achieng Nakato from Kisumu"])).toEqual(["en"]);
  });

  it("gives one or two words the language of their speaker's last words, else of the next", async () => {
    const lines = [
      ["agent", "Okay, asante."],
      ["agent", "Child helpline, how can I help you today?"],
      ["caller", "Naomba msaada, mtoto wangu amepotea tangu jana."],
      ["agent", "Amina?"],
      ["caller", "Amina, ndiyo."],
    ] as const;
    expect(await languagesOf(...lines)).toEqual(["en", "en", "sw", "en", "sw"]);
  });

  it("says that nothing tells rather than guess", async () => {
    expect(await languagesOf(["caller", "Mm."])).toEqual(["und"]);
    expect(await languagesOf(["caller", "0722 114 908 0733"])).toEqual(["und"]);
    expect(await languagesOf()).toEqual([]);
  });

  it("leaves what has a language alone, and lets it speak for its short neighbours", async () => {
    const [known, short] = callOf(["caller", "Bonjour, je cherche mon enfant."], ["caller", "Oui."]);
    if (known === undefined || short === undefined) throw new Error("two segments were asked for");
    const segments = [
      { ...known, language: "fr" },
      { ...short, language: "und" },
    ];
    expect((await runBuiltin("language", { segments })).segments).toEqual([{ segmentId: short.id, language: "fr" }]);
  });
});
