import { describe, expect, it } from "vitest";
import { createBuiltinPiiDetector } from "../../../src/inference/backends/builtin/personal-data/builtin-pii-detector.js";

const detector = createBuiltinPiiDetector({ assetsDirectory: "data" });

/** What is found in the last of the texts, as `KIND words`. */
function found(...texts: readonly string[]): readonly string[] {
  const text = texts.at(-1) ?? "";
  return (detector.detect(texts).at(-1) ?? []).map(({ kind, startOffset, endOffset }) => `${kind} ${text.slice(startOffset, endOffset)}`);
}

describe("e-mail addresses as they are spoken", () => {
  it.each([
    ["it is grace dot achieng at gmail dot com okay", "grace dot achieng at gmail dot com"],
    ["ni fatma ali themanini na tisa at yahoo nukta com", "fatma ali themanini na tisa at yahoo nukta com"],
    ["andika neema alama ya chini mushi kwenye gmail nukta com", "neema alama ya chini mushi kwenye gmail nukta com"],
    ["Write to t m mwangi, at, health dot go dot ke", "t m mwangi, at, health dot go dot ke"],
    ["it's b as in boy wanyonyi 2004 at gmail", "b as in boy wanyonyi 2004 at gmail"],
    ["M W I K A one nine at gmail dot com.", "M W I K A one nine at gmail dot com"],
    ["my email is jane doe gmail com", "jane doe gmail com"],
    ["send it to p naliaka bungomafarmers co ke", "p naliaka bungomafarmers co ke"],
    ["use info.rehab at starlightcentre dot co dot ke", "info.rehab at starlightcentre dot co dot ke"],
  ])("%s", (text, wanted) => {
    expect(found(text)).toEqual([`EMAIL ${wanted}`]);
  });

  it.each(["I was at school at ten and at home at night", "look at the dot on my arm", "my gmail does not open", "visit www childhelp co ke"])(
    "none: %s",
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );
});
