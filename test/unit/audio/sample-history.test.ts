/** The last seconds of a channel: every sample is where it was, and a long utterance does not keep its room. */
import { describe, expect, it } from "vitest";
import { SampleHistory } from "../../../src/audio/live/sample-history.js";

/** A sample says its own position. */
function append(history: SampleHistory, count: number): void {
  history.append(Int16Array.from({ length: count }, (_, index) => (history.end + index) % 30_000));
}
const expected = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => (from + index) % 30_000);

describe("SampleHistory", () => {
  it("gives what was appended by position, whatever was forgotten before", () => {
    const history = new SampleHistory();
    for (let round = 0; round < 200; round++) {
      append(history, 1 + ((round * 337) % 5_000));
      const from = Math.max(0, history.end - 3_000);
      expect([...history.view(from, history.end)]).toEqual(expected(from, history.end));
      history.forgetBefore(history.end - 3_000);
    }
  });

  it("cuts what is asked for to what it has", () => {
    const history = new SampleHistory();
    append(history, 100);
    expect([...history.view(90, 200)]).toEqual(expected(90, 100));
    history.forgetBefore(80);
    expect([...history.view(0, 90)]).toEqual(expected(80, 90));
  });

  it("takes the room of a long utterance and gives it back", () => {
    const history = new SampleHistory();
    const before = history.capacity;
    append(history, 400_000);
    expect(history.capacity).toBeGreaterThanOrEqual(400_000);
    for (let round = 0; round < 60; round++) {
      append(history, 8_000);
      history.forgetBefore(history.end - 2_000);
    }
    expect(history.capacity).toBe(before);
    expect([...history.view(history.end - 2_000, history.end)]).toEqual(expected(history.end - 2_000, history.end));
  });
});
