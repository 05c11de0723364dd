import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DueWindow, type OpenSegment, UtteranceQueue } from "../../../src/analysis/live/utterance-queue.js";
import { DEFAULT_SEGMENTER_OPTIONS, Segmenter } from "../../../src/audio/segmenter.js";

const FRAME_MS = 50;

/** A queue over frames of 50 ms, with made-up time that runs with the audio. */
function startQueue() {
  const segmenter = new Segmenter({ ...DEFAULT_SEGMENTER_OPTIONS, frameMs: FRAME_MS });
  const dropped: OpenSegment[] = [];
  let nextId = 1;
  const queue = new UtteranceQueue({
    segmenter,
    nextSegmentId: () => `l${nextId++}`,
    nowMs: () => segmenter.frameEndMs,
    onDropped: (segment) => dropped.push(segment),
  });
  const hear = (score: number, frames: number): void => {
    for (let frame = 0; frame < frames; frame++) queue.push(score);
  };
  return { queue, dropped, hear };
}

function answer(queue: UtteranceQueue, kind: "final" | "interim"): DueWindow {
  const window = queue.take(kind);
  if (window === undefined) throw new Error("nothing to take");
  queue.release(window);
  return window;
}

describe("utterances on their way to text", () => {
  it("are due for a final look when the closing pause is over", () => {
    const { queue, hear } = startQueue();
    hear(0.9, 10);
    hear(0.1, 7);
    expect(queue.due()?.kind).toBe("interim");
    hear(0.1, 1);
    expect(queue.due()?.kind).toBe("final");
    const window = answer(queue, "final");
    expect([window.startMs, window.endMs]).toEqual([0, 500]);
    queue.settle(window, window.endMs);
    expect(queue.isEmpty).toBe(true);
    expect(queue.due()).toBeUndefined();
  });

  it("are looked at soon after they begin, then after each second of speech, and in the first short pause", () => {
    const { queue, hear } = startQueue();
    hear(0.9, 11);
    expect(queue.due()).toBeUndefined();
    hear(0.9, 1);
    expect(queue.due()?.kind).toBe("interim");
    answer(queue, "interim");
    hear(0.9, 19);
    expect(queue.due()).toBeUndefined();
    hear(0.9, 1);
    expect(queue.due()?.kind).toBe("interim");
    answer(queue, "interim");
    hear(0.9, 2);
    hear(0.1, 2);
    expect(queue.due()).toBeUndefined();
    hear(0.1, 1);
    expect(queue.due()?.kind).toBe("interim");
    answer(queue, "interim");
    hear(0.1, 2);
    expect(queue.due()).toBeUndefined();
  });

  it("need no final look when the look in the pause covered all of it", () => {
    const { queue, hear } = startQueue();
    hear(0.9, 10);
    hear(0.1, 3);
    const look = queue.take("interim");
    hear(0.1, 5);
    expect(queue.due()).toBeUndefined();
    expect(look !== undefined && queue.isWhole(look)).toBe(true);
    if (look === undefined) return;
    queue.release(look);
    queue.settle(look, look.endMs);
    expect(queue.isEmpty).toBe(true);
  });

  it("are due after all when that look is given up", () => {
    const { queue, hear } = startQueue();
    hear(0.9, 10);
    hear(0.1, 3);
    const look = queue.take("interim");
    hear(0.1, 5);
    if (look !== undefined) queue.release(look);
    expect(queue.due()?.kind).toBe("final");
  });

  it("are settled every five seconds up to a quiet place, and only the rest stays open", () => {
    const { queue, hear } = startQueue();
    hear(0.9, 80);
    hear(0.4, 1);
    hear(0.9, 19);
    expect(queue.due()?.kind).toBe("final");
    const window = answer(queue, "final");
    expect([window.startMs, window.endMs]).toEqual([0, 4_050]);
    queue.settle(window, window.endMs);
    hear(0.1, 8);
    const rest = answer(queue, "final");
    expect([rest.startMs, rest.endMs]).toEqual([4_050, 5_000]);
    expect(rest.segment.segmentId).not.toBe(window.segment.segmentId);
  });

  it("take back what was only a click", () => {
    const { queue, hear, dropped } = startQueue();
    hear(0.9, 1);
    hear(0.1, 8);
    expect(dropped).toHaveLength(1);
    expect(queue.isEmpty).toBe(true);
  });

  it("cover every moment of speech once, whatever is said and whenever answers come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ score: fc.constantFrom(0.05, 0.4, 0.9), frames: fc.integer({ min: 1, max: 60 }), serves: fc.boolean() }), { maxLength: 40 }),
        (runs) => {
          const { queue, hear } = startQueue();
          const settled: [number, number][] = [];
          const serve = (): void => {
            for (let due = queue.due(); due?.kind === "final"; due = queue.due()) {
              const window = answer(queue, "final");
              settled.push([window.startMs, window.endMs]);
              queue.settle(window, window.endMs);
            }
          };
          for (const { score, frames, serves } of runs) {
            hear(score, frames);
            if (serves) serve();
          }
          queue.flush();
          serve();
          expect(queue.isEmpty).toBe(true);
          for (const [index, [startMs, endMs]] of settled.entries()) {
            expect(endMs).toBeGreaterThan(startMs);
            expect(startMs).toBeGreaterThanOrEqual(settled[index - 1]?.[1] ?? 0);
          }
        },
      ),
    );
  });
});
