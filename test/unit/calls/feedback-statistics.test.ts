/** Statistics of feedback, against numbers worked out by hand and against a second, slower way of counting. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { summarizeFeedback } from "../../../src/calls/feedback-statistics.js";
import type { FeedbackTask } from "../../../src/core/agent-feedback.js";
import type { FeedbackMark } from "../../../src/storage/repositories/agent-feedback-repository.js";

const model = (revision: string): FeedbackMark["model"] => ({ task: "classification", engine: "builtin", id: "builtin", revision });

let nextAtMs = 1_700_000_000_000;
const mark = (some: Partial<FeedbackMark>): FeedbackMark => {
  nextAtMs += 1_000;
  return {
    ...{ callId: "c1", taskId: "t1", task: "classification", item: "priority", rating: null, agrees: null, predictedLabel: "high" },
    ...{ model: model("r1"), actorId: "desk-1", createdAtMs: nextAtMs, isCorrected: false },
    ...some,
  };
};

const summarize = (marks: readonly FeedbackMark[], total = 10) => summarizeFeedback(marks, "classification", total);

describe("statistics of feedback", () => {
  it("of nothing said are counts of zero and no means", () => {
    expect(summarize([])).toEqual({
      ...{ count: 0, averageRating: null, agreement: null, totalPredictions: 10, ratedPredictions: 0, ratingCoverage: 0 },
      ...{ minRating: null, maxRating: null, corrections: 0, labels: [], models: [] },
    });
    expect(summarize([], 0).ratingCoverage).toBeNull();
  });

  it("are those of an example worked out by hand", () => {
    const statistics = summarize(
      [
        mark({ taskId: "t1", rating: 5, agrees: true, predictedLabel: "high" }),
        mark({ taskId: "t1", actorId: "desk-2", rating: 2, agrees: false, isCorrected: true, predictedLabel: "high" }),
        mark({ taskId: "t2", rating: null, agrees: false, isCorrected: true, predictedLabel: "low", model: model("r2") }),
        mark({ taskId: "t3", rating: 3, agrees: null, predictedLabel: "low", model: model("r2") }),
      ],
      8,
    );
    // Ratings 5, 2 and 3; verdicts yes, no, no; three of eight results.
    expect(statistics).toMatchObject({ count: 4, totalPredictions: 8, ratedPredictions: 3, minRating: 2, maxRating: 5, corrections: 2 });
    expect(statistics.averageRating).toBeCloseTo(10 / 3, 6);
    expect(statistics.agreement).toBeCloseTo(1 / 3, 6);
    expect(statistics.ratingCoverage).toBeCloseTo(3 / 8, 6);
    expect(statistics.labels).toHaveLength(2);
    expect(statistics.labels).toEqual(
      expect.arrayContaining([
        { label: "high", count: 2, averageRating: 3.5, agreement: 0.5 },
        { label: "low", count: 2, averageRating: 3, agreement: 0 },
      ]),
    );
    expect(statistics.models).toHaveLength(2);
    expect(statistics.models).toEqual(
      expect.arrayContaining([
        { model: "builtin", revision: "r1", count: 2, averageRating: 3.5, agreement: 0.5 },
        { model: "builtin", revision: "r2", count: 2, averageRating: 3, agreement: 0 },
      ]),
    );
  });

  it("leave out what was said of other tasks", () => {
    expect(summarize([mark({ task: "risk", rating: 1, agrees: false })])).toMatchObject({ count: 0, ratedPredictions: 0 });
  });

  it("count of several words by one person on one item the last", () => {
    const statistics = summarize([mark({ rating: 1, agrees: false, isCorrected: true }), mark({ rating: 3, agrees: null }), mark({ rating: 5, agrees: true })]);
    expect(statistics).toMatchObject({ count: 1, averageRating: 5, agreement: 1, minRating: 5, maxRating: 5, corrections: 0, ratedPredictions: 1 });
  });

  it.each([
    ["by two people on one item", { actorId: "desk-2" }],
    ["on two items of a result", { item: "main_category" }],
    ["on an item and on the whole result", { item: null }],
    ["on the same item of two calls", { callId: "c2", taskId: "t2" }],
    ["on the same item of two analyses of a call", { taskId: "t2" }],
  ])("count two words %s both", (_what, other) => {
    const statistics = summarize([mark({ rating: 1, agrees: false }), mark({ rating: 5, agrees: true, ...other })]);
    expect(statistics).toMatchObject({ count: 2, averageRating: 3, agreement: 0.5, minRating: 1, maxRating: 5 });
  });

  it("count a result that was judged in several items once as judged", () => {
    const marks = ["priority", "main_category", null].map((item) => mark({ item, rating: 4, agrees: true }));
    expect(summarize(marks, 4)).toMatchObject({ count: 3, ratedPredictions: 1, ratingCoverage: 0.25 });
  });

  it("never give a coverage over one, also when results of an earlier time were judged", () => {
    const marks = ["t1", "t2", "t3"].map((taskId) => mark({ taskId, callId: `of-${taskId}`, rating: 4, agrees: true }));
    expect(summarize(marks, 2).ratingCoverage).toBeLessThanOrEqual(1);
    expect(summarize(marks, 0).ratingCoverage ?? 0).toBeLessThanOrEqual(1);
  });

  it("give no mean rating where there were corrections alone, and no agreement where nobody took a side", () => {
    expect(summarize([mark({ isCorrected: true, agrees: false })])).toMatchObject({ averageRating: null, minRating: null, maxRating: null, agreement: 0 });
    expect(summarize([mark({ rating: 3, agrees: null })])).toMatchObject({ averageRating: 3, agreement: null });
  });

  it("do not change what they are given", () => {
    const marks = [mark({ rating: 1 }), mark({ rating: 2 }), mark({ rating: 3, actorId: "desk-2" })];
    const before = structuredClone(marks);
    summarize(Object.freeze(marks));
    expect(marks).toEqual(before);
  });
});

const anyMark = fc.record({
  callId: fc.constantFrom("c1", "c2"),
  item: fc.constantFrom("priority", "main_category", "constructor", null),
  task: fc.constantFrom<FeedbackTask>("classification", "classification", "risk"),
  rating: fc.option(fc.integer({ min: 1, max: 5 })),
  agrees: fc.constantFrom(true, false, null),
  predictedLabel: fc.constantFrom("high", "low", "__proto__"),
  actorId: fc.constantFrom("desk-1", "desk-2", "toString"),
  isCorrected: fc.boolean(),
  revision: fc.constantFrom("r1", "r2"),
});

/** One result a call here, so that "same item" needs no more than call, item and person. */
function lastWords(marks: readonly FeedbackMark[]): readonly FeedbackMark[] {
  const isSame = (a: FeedbackMark, b: FeedbackMark): boolean => a.callId === b.callId && a.item === b.item && a.actorId === b.actorId;
  const ofTask = marks.filter(({ task }) => task === "classification");
  return ofTask.filter((one, index) => !ofTask.slice(index + 1).some((later) => isSame(one, later)));
}

const mean = (values: readonly number[]): number | null => (values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length);
const ratingsOf = (marks: readonly FeedbackMark[]): readonly number[] => marks.flatMap(({ rating }) => (rating === null ? [] : [rating]));
const verdictsOf = (marks: readonly FeedbackMark[]): readonly number[] => marks.flatMap(({ agrees }) => (agrees === null ? [] : [agrees ? 1 : 0]));

function expectNear(actual: number | null, expected: number | null): void {
  if (expected === null || actual === null) expect(actual).toBe(expected);
  else expect(actual).toBeCloseTo(expected, 6);
}

describe("statistics of any feedback", () => {
  it("are what a count by hand gives, whatever was said by whom", () => {
    fc.assert(
      fc.property(fc.array(anyMark, { maxLength: 30 }), (said) => {
        const marks = said.map(({ revision, ...some }) => mark({ ...some, taskId: `of-${some.callId}`, model: model(revision) }));
        const counted = lastWords(marks);
        const statistics = summarize(marks, 2);
        expect(statistics.count).toBe(counted.length);
        expect(statistics.corrections).toBe(counted.filter(({ isCorrected }) => isCorrected).length);
        expect(statistics.ratedPredictions).toBe(new Set(counted.map(({ taskId }) => taskId)).size);
        expectNear(statistics.averageRating, mean(ratingsOf(counted)));
        expectNear(statistics.agreement, mean(verdictsOf(counted)));
        expect(statistics.labels.map(({ label }) => label).sort()).toEqual([...new Set(counted.map(({ predictedLabel }) => predictedLabel))].sort());
        for (const { label, count, averageRating, agreement } of statistics.labels) {
          const ofLabel = counted.filter(({ predictedLabel }) => predictedLabel === label);
          expect(count).toBe(ofLabel.length);
          expectNear(averageRating, mean(ratingsOf(ofLabel)));
          expectNear(agreement, mean(verdictsOf(ofLabel)));
        }
        expect(statistics.models.reduce((sum, { count }) => sum + count, 0)).toBe(counted.length);
      }),
    );
  });
});
