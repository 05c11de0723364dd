import { describe, expect, it } from "vitest";
import type { PiiDetector, PiiSpan } from "../../../src/security/masking/pii-detector.js";
import { RememberingDetector } from "../../../src/security/masking/remembering-detector.js";

/** Finds every "Wumbazo", and remembers what it was asked. */
function countingDetector(revision = "rules-1") {
  const asked: (readonly string[])[] = [];
  const detector: PiiDetector = {
    revision,
    detect(texts) {
      asked.push(texts);
      return texts.map((text) =>
        [...text.matchAll(/Wumbazo/g)].map(
          ({ index }): PiiSpan => ({ kind: "NAME", startOffset: index, endOffset: index + 7, ...(index > 0 ? { isWord: true } : {}) }),
        ),
      );
    },
  };
  return { detector, asked };
}

const TEXTS = ["Wumbazo here", "it is Wumbazo, yes", "nothing"];

describe("a detector that remembers", () => {
  it("looks at the same texts once, and at the same text in other company again", () => {
    const { detector, asked } = countingDetector();
    const remembering = new RememberingDetector(detector, () => {});
    const found = remembering.detect(TEXTS);
    expect(found).toEqual(detector.detect(TEXTS));
    expect(remembering.detect([...TEXTS])).toEqual(found);
    remembering.detect(TEXTS.slice(1));
    remembering.detect([TEXTS.join("")]);
    // Twice asked by this test, directly and through it.
    expect(asked).toEqual([TEXTS, TEXTS, TEXTS.slice(1), [TEXTS.join("")]]);
  });

  it("hands on what it found, so that another need not look", () => {
    const here = countingDetector();
    const first = new RememberingDetector(here.detector, () => {});
    const found = first.detect(TEXTS);
    const there = countingDetector();
    const second = new RememberingDetector(there.detector, () => {});
    second.recall(first.handOn());
    expect(second.detect(TEXTS)).toEqual(found);
    expect(there.asked).toEqual([]);
    expect(second.handOn()).toBe(first.handOn());
  });

  it("hands on no word", () => {
    const { detector } = countingDetector();
    const remembering = new RememberingDetector(detector, () => {});
    remembering.detect(TEXTS);
    const handedOn = remembering.handOn();
    for (const word of TEXTS.flatMap((text) => text.split(/\W+/)).filter((each) => each.length > 3)) expect(handedOn).not.toContain(word);
  });

  it("looks anew where other rules had looked", () => {
    const former = new RememberingDetector(countingDetector("rules-1").detector, () => {});
    former.detect(TEXTS);
    const { detector, asked } = countingDetector("rules-2");
    const remembering = new RememberingDetector(detector, () => {});
    remembering.recall(former.handOn());
    remembering.detect(TEXTS);
    expect(asked).toEqual([TEXTS]);
  });

  it("refuses what nobody hands on", () => {
    const remembering = new RememberingDetector(countingDetector().detector, () => {});
    for (const wrong of [
      "",
      "{}",
      "[]",
      '{"revision":"rules-1","found":[["a",[[["WORD",0,1,false]]]]]}',
      '{"revision":"rules-1","found":[["a",[[["NAME",-1,1,false]]]]]}',
    ]) {
      expect(() => remembering.recall(wrong), wrong).toThrow();
    }
  });

  it("tells of something new, and of nothing else", () => {
    let changes = 0;
    const remembering = new RememberingDetector(countingDetector().detector, () => {
      changes++;
    });
    for (const texts of [TEXTS, TEXTS, ["another"], ["another"], TEXTS]) remembering.detect(texts);
    expect(changes).toBe(2);
  });

  it("remembers the newest of very many", () => {
    const { detector, asked } = countingDetector();
    const remembering = new RememberingDetector(detector, () => {});
    for (let index = 0; index < 3_000; index++) remembering.detect([`interim ${index}`]);
    remembering.detect(["interim 2999"]);
    expect(asked).toHaveLength(3_000);
    remembering.detect(["interim 0"]);
    expect(asked).toHaveLength(3_001);
    expect(JSON.parse(remembering.handOn()).found).toHaveLength(2_000);
  });
});
