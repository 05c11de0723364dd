import { describe, expect, test } from "vitest";
import { toChoices, withKnownLabels } from "../../../dashboard/src/state/label-choices.js";
import { SHORTCUTS, toShortcut } from "../../../dashboard/src/state/shortcuts.js";
import { toClock, toDayAndTime, toSeconds, toTimeOfDay } from "../../../dashboard/src/state/spoken-times.js";
import type { Classification } from "../../../dashboard/src/wire/call-shapes.js";
import { NO_ANSWER, toProblem } from "../../../dashboard/src/wire/problem.js";
import { choosePageLanguage, explainProblem, nameOf, nameOfLabel, WORDS } from "../../../dashboard/src/words/page-language.js";

describe("shortcut keys", () => {
  const press = { key: "a", hasModifier: false, isTyping: false, isDialogOpen: false, isRepeat: false };

  test("act, but not while typing, with a modifier, or over a dialog", () => {
    expect(toShortcut(press)).toBe("acknowledge");
    expect(toShortcut({ ...press, isTyping: true })).toBeUndefined();
    expect(toShortcut({ ...press, hasModifier: true })).toBeUndefined();
    expect(toShortcut({ ...press, isDialogOpen: true })).toBeUndefined();
    expect(toShortcut({ ...press, key: "A" })).toBeUndefined();
  });

  test("repeat for walking lines, and not for acknowledging", () => {
    expect(toShortcut({ ...press, isRepeat: true })).toBeUndefined();
    expect(toShortcut({ ...press, key: "j", isRepeat: true })).toBe("next-line");
  });

  test("mean one thing each", () => {
    expect(new Set(SHORTCUTS.map(({ key }) => key)).size).toBe(SHORTCUTS.length);
  });
});

describe("the words of the page", () => {
  const leavesOf = (tree: object, path = ""): readonly (readonly [string, unknown])[] =>
    Object.entries(tree).flatMap(([key, leaf]) =>
      typeof leaf === "object" && leaf !== null ? leavesOf(leaf, `${path}${key}.`) : [[`${path}${key}`, leaf] as const],
    );

  test("are there in both languages and none is empty", () => {
    const [english, swahili] = [leavesOf(WORDS.en), leavesOf(WORDS.sw)];
    expect(swahili.map(([path]) => path).sort()).toEqual(english.map(([path]) => path).sort());
    for (const [path, leaf] of [...english, ...swahili]) expect(leaf, path).not.toBe("");
  });

  test("say what they are given in both languages", () => {
    for (const [path, leaf] of [...leavesOf(WORDS.en), ...leavesOf(WORDS.sw)]) {
      if (typeof leaf !== "function") continue;
      const given = Array.from({ length: leaf.length }, (_, index) => 41 + index);
      for (const value of given) expect(leaf(...given), path).toContain(String(value));
    }
  });

  test("begin in the first language that is asked for and known", () => {
    expect(choosePageLanguage(["", "fr-FR", "sw-KE", "en"])).toBe("sw");
    expect(choosePageLanguage(["en-GB", "sw"])).toBe("en");
    expect(choosePageLanguage(["fr", "swe"])).toBe("en");
  });

  test("name labels of closed sets, and leave others as they came", () => {
    expect(nameOfLabel(WORDS.sw, "priority", "critical")).toBe("Mbaya sana");
    expect(nameOfLabel(WORDS.sw, "main_category", "VANE")).toBe("VANE");
    expect(nameOf(WORDS.en.riskKind, "new_kind")).toBe("new_kind");
    expect(nameOf(WORDS.en.riskKind, "toString")).toBe("toString");
  });

  test("explain refusals plainly", () => {
    const { en } = WORDS;
    expect(explainProblem(en, NO_ANSWER)).toBe(en.problemNoAnswer);
    expect(explainProblem(en, toProblem(403, undefined))).toBe(en.problemDenied);
    expect(explainProblem(en, toProblem(409, { code: "CALL_NOT_LIVE" }))).toBe(en.problemNotLive);
    expect(explainProblem(en, toProblem(409, { code: "CALL_NOT_ANALYSED" }))).toBe(en.feedbackNotYet);
    expect(explainProblem(en, toProblem(502, "<html>"))).toBe(en.problemFault);
  });
});

describe("a problem document", () => {
  test("is read with its labels, and anything else leaves the status", () => {
    const document = { code: "FEEDBACK_LABEL_UNKNOWN", detail: "No.", details: { labels: ["GBV", 3] } };
    expect(toProblem(422, document)).toEqual({ status: 422, code: "FEEDBACK_LABEL_UNKNOWN", detail: "No.", labels: ["GBV"] });
    expect(toProblem(500, null)).toEqual({ status: 500, code: "UNKNOWN", detail: "", labels: [] });
  });
});

describe("labels to choose from", () => {
  const none = { label: null, score: 0, evidence: [] };
  const said: Classification = { contact_type: none, main_category: { ...none, label: "VANE" }, sub_category: none, intervention: none, priority: none };

  test("are closed where the set is known, and what the page has met elsewhere", () => {
    const known = withKnownLabels({ main_category: ["GBV"] }, said);
    expect(withKnownLabels(known, said)).toBe(known);
    expect(toChoices("main_category", known, [])).toEqual({ labels: ["GBV", "VANE"], isClosed: false });
    expect(toChoices("priority", known, []).isClosed).toBe(true);
    expect(toChoices("main_category", known, ["A"])).toEqual({ labels: ["A"], isClosed: true });
    expect(toChoices("intervention", known, [])).toEqual({ labels: [], isClosed: false });
  });
});

describe("times", () => {
  test("are read as people say them", () => {
    expect([toClock(0), toClock(65_999), toClock(3_600_000), toClock(-5)]).toEqual(["0:00", "1:05", "1:00:00", "0:00"]);
    expect([toSeconds(2_640), toSeconds(-1)]).toEqual(["2.6", "0.0"]);
    expect([toTimeOfDay("", "en"), toDayAndTime("nonsense", "sw")]).toEqual(["", ""]);
    expect(toTimeOfDay("2026-01-01T00:05:00Z", "en")).toMatch(/^\d\d:\d5$/);
  });
});
