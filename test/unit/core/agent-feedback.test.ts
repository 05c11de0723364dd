/** Whether feedback says that the model was right: docs/feedback.md, "agrees". */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentFeedback, agreesWithModel, FEEDBACK_TASKS } from "../../../src/core/agent-feedback.js";

type Said = Pick<AgentFeedback, "rating" | "correction" | "predictedLabel" | "predictedText">;

const said = (some: Partial<Said>): Said => ({ rating: null, correction: null, predictedLabel: "high", predictedText: null, ...some });
const ratings = fc.option(fc.integer({ min: 1, max: 5 }));
const words = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() === text && text !== "none");

describe("feedback", () => {
  it("is given on the tasks that older clients name, and on risk", () => {
    expect([...FEEDBACK_TASKS].sort()).toEqual(["classification", "ner", "qa", "risk", "summarization", "transcription", "translation"]);
  });

  it.each([
    [5, true],
    [4, true],
    [3, null],
    [2, false],
    [1, false],
  ])("that only rates with %i says of the model's being right: %s", (rating, expected) => {
    expect(agreesWithModel(said({ rating }))).toBe(expected);
  });

  it("that neither rates nor corrects says nothing of the model", () => {
    expect(agreesWithModel(said({}))).toBeNull();
  });

  it("agrees when the label it gives is the model's, whatever the rating", () => {
    fc.assert(
      fc.property(words, ratings, (label, rating) => {
        expect(agreesWithModel(said({ rating, predictedLabel: label, correction: { label } }))).toBe(true);
      }),
    );
  });

  it("disagrees when the label it gives is another, whatever the rating", () => {
    fc.assert(
      fc.property(words, words, ratings, (label, other, rating) => {
        fc.pre(label !== other);
        expect(agreesWithModel(said({ rating, predictedLabel: label, correction: { label: other } }))).toBe(false);
      }),
    );
  });

  it("agrees when the words it gives are the model's, and disagrees when they are others", () => {
    fc.assert(
      fc.property(words, words, ratings, (text, other, rating) => {
        fc.pre(text.toLowerCase() !== other.toLowerCase());
        const predicted = { rating, predictedLabel: null, predictedText: text };
        expect(agreesWithModel(said({ ...predicted, correction: { text } }))).toBe(true);
        expect(agreesWithModel(said({ ...predicted, correction: { text: other } }))).toBe(false);
      }),
    );
  });

  it("disagrees when either the label or the words it gives are not the model's", () => {
    const predicted = { predictedLabel: "NAME", predictedText: "Akinyi" };
    expect(agreesWithModel(said({ ...predicted, correction: { label: "NAME", text: "Akinyi" } }))).toBe(true);
    expect(agreesWithModel(said({ ...predicted, correction: { label: "NAME", text: "Akinyi Atieno" } }))).toBe(false);
    expect(agreesWithModel(said({ ...predicted, correction: { label: "VICTIM", text: "Akinyi" } }))).toBe(false);
  });

  it("disagrees when it gives a label where the model found nothing", () => {
    expect(agreesWithModel(said({ predictedLabel: null, correction: { label: "VICTIM" } }))).toBe(false);
  });

  it("disagrees when it says none where the model found something, and agrees where it found none either", () => {
    expect(agreesWithModel(said({ predictedLabel: "high", correction: { label: "none" } }))).toBe(false);
    expect(agreesWithModel(said({ predictedLabel: "none", correction: { label: "none" } }))).toBe(true);
  });
});
