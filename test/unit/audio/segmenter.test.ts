import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_SEGMENTER_OPTIONS, Segmenter, type SegmenterOptions, type SpeechSpan, segmentSpeech } from "../../../src/audio/segmenter.js";

const OPTIONS: SegmenterOptions = { ...DEFAULT_SEGMENTER_OPTIONS, frameMs: 50 };
const [LOUD, BETWEEN, QUIET] = [0.9, 0.4, 0.05];

/** Runs of equal scores: `[score, frames]`. */
function scores(...runs: readonly (readonly [number, number])[]): Float32Array {
  return Float32Array.from(runs.flatMap(([score, frames]) => new Array<number>(frames).fill(score)));
}

const spansOf = (values: Float32Array, options: Partial<SegmenterOptions> = {}): readonly SpeechSpan[] => segmentSpeech(values, { ...OPTIONS, ...options });

describe("the segmenter", () => {
  it("finds no speech in silence and none in nothing", () => {
    expect(spansOf(scores([QUIET, 100]))).toEqual([]);
    expect(spansOf(new Float32Array(0))).toEqual([]);
  });

  it("opens at the first frame over the threshold and ends with the last frame of speech", () => {
    expect(spansOf(scores([QUIET, 3], [LOUD, 10], [QUIET, 20]))).toEqual([{ startMs: 150, endMs: 650 }]);
  });

  it("does not open on a score between the two thresholds, but stays open on one", () => {
    expect(spansOf(scores([BETWEEN, 40]))).toEqual([]);
    expect(spansOf(scores([LOUD, 2], [BETWEEN, 30], [QUIET, 20]))).toEqual([{ startMs: 0, endMs: 1_600 }]);
  });

  it("closes after a pause of the closing length and not after a shorter one", () => {
    // 400 ms of pause are eight frames of 50 ms.
    expect(spansOf(scores([LOUD, 4], [QUIET, 8], [LOUD, 4]))).toEqual([
      { startMs: 0, endMs: 200 },
      { startMs: 600, endMs: 800 },
    ]);
    expect(spansOf(scores([LOUD, 4], [QUIET, 7], [LOUD, 4]))).toEqual([{ startMs: 0, endMs: 750 }]);
  });

  it("closes as soon as the pause is long enough, and says meanwhile since when it is open", () => {
    const segmenter = new Segmenter(OPTIONS);
    const closed: (SpeechSpan | undefined)[] = [];
    expect(segmenter.openSinceMs).toBeNull();
    for (const score of scores([QUIET, 1], [LOUD, 4])) closed.push(segmenter.push(score));
    expect(segmenter.openSinceMs).toBe(50);
    for (const score of scores([QUIET, 8])) closed.push(segmenter.push(score));
    expect(closed.slice(0, -1).every((span) => span === undefined)).toBe(true);
    expect(closed.at(-1)).toEqual({ startMs: 50, endMs: 250 });
    expect(segmenter.openSinceMs).toBeNull();
    expect(segmenter.flush()).toBeUndefined();
  });

  it("keeps a child's one short word", () => {
    // Three frames of 32 ms are 96 ms, just over the 90 that a click can't reach.
    expect(spansOf(scores([QUIET, 5], [LOUD, 3], [QUIET, 40]), { frameMs: 32 })).toEqual([{ startMs: 160, endMs: 256 }]);
    expect(spansOf(scores([LOUD, 3]), { frameMs: 32 })).toEqual([{ startMs: 0, endMs: 96 }]);
  });

  it("takes speech shorter than the least for a click", () => {
    expect(spansOf(scores([QUIET, 5], [LOUD, 2], [QUIET, 40]), { frameMs: 32 })).toEqual([]);
  });

  it("cuts long speech at its quietest frame and loses nothing at the cut", () => {
    // Cut due at 3000 ms, frame 30; the dip at frame 25 lies in the last third.
    const spans = spansOf(scores([LOUD, 25], [0.6, 1], [LOUD, 14], [QUIET, 10]), { frameMs: 100, maxUtteranceMs: 3_000 });
    expect(spans).toHaveLength(2);
    const [first, second] = spans;
    expect(first?.startMs).toBe(0);
    expect([2_500, 2_600]).toContain(first?.endMs);
    expect(second).toEqual({ startMs: first?.endMs, endMs: 4_000 });
  });

  it("covers uninterrupted speech of any length to its last moment", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 1_500 }), fc.constantFrom(30, 32, 50), (frames, frameMs) => {
        const spans = spansOf(scores([LOUD, frames]), { frameMs });
        expect(spans[0]?.startMs).toBe(0);
        for (const [index, span] of spans.entries()) if (index > 0) expect(span.startMs).toBe(spans[index - 1]?.endMs);
        expect(spans.at(-1)?.endMs).toBe(frames * frameMs);
      }),
      // A moment more than the 15 s an utterance may last.
      {
        examples: [
          [501, 30],
          [502, 30],
          [301, 50],
        ],
      },
    );
  });

  const randomCall = fc.record({
    // Runs make pauses and long speech likely; single random scores would give neither.
    runs: fc.array(fc.tuple(fc.constantFrom(QUIET, 0.2, 0.36, BETWEEN, 0.5, 0.7, LOUD), fc.integer({ min: 1, max: 60 })), { maxLength: 25 }),
    frameMs: fc.constantFrom(10, 30, 32, 62.5, 100),
    maxUtteranceMs: fc.constantFrom(1_000, 3_000, 15_000),
    closingPauseMs: fc.constantFrom(200, 500),
  });

  it("gives spans in whole milliseconds, in order, apart, within the audio and not too long", () => {
    fc.assert(
      fc.property(randomCall, ({ runs, ...options }) => {
        const values = scores(...runs);
        let heardUntilMs = 0;
        for (const { startMs, endMs } of spansOf(values, options)) {
          expect(Number.isInteger(startMs) && Number.isInteger(endMs)).toBe(true);
          expect(startMs).toBeGreaterThanOrEqual(heardUntilMs);
          expect(endMs).toBeGreaterThan(startMs);
          expect(endMs - startMs).toBeLessThan(options.maxUtteranceMs + options.frameMs + 1);
          heardUntilMs = endMs;
        }
        expect(heardUntilMs).toBeLessThanOrEqual(Math.ceil(values.length * options.frameMs));
      }),
    );
  });

  it("leaves no loud frame out when no speech is too short to count", () => {
    fc.assert(
      fc.property(randomCall, ({ runs, ...options }) => {
        const values = scores(...runs);
        const spans = spansOf(values, { ...options, minSpeechMs: 0 });
        for (const [frame, score] of values.entries()) {
          if (score < OPTIONS.speechThreshold) continue;
          const middleMs = (frame + 0.5) * options.frameMs;
          expect(
            spans.some(({ startMs, endMs }) => startMs <= middleMs && middleMs < endMs),
            `frame ${frame}`,
          ).toBe(true);
        }
      }),
    );
  });

  it("holds no pause of the closing length inside a span", () => {
    fc.assert(
      fc.property(randomCall, ({ runs, ...options }) => {
        const values = scores(...runs);
        const pauseFrames = Math.ceil(options.closingPauseMs / options.frameMs);
        for (const { startMs, endMs } of spansOf(values, options)) {
          let quietFrames = 0;
          for (let frame = Math.round(startMs / options.frameMs); frame < Math.round(endMs / options.frameMs); frame++) {
            quietFrames = (values[frame] ?? 0) < OPTIONS.silenceThreshold ? quietFrames + 1 : 0;
            expect(quietFrames).toBeLessThanOrEqual(pauseFrames);
          }
        }
      }),
    );
  });

  it("finds the same frame by frame as over the whole", () => {
    fc.assert(
      fc.property(randomCall, ({ runs, ...options }) => {
        const values = scores(...runs);
        const segmenter = new Segmenter({ ...OPTIONS, ...options });
        const spans = [...values].map((score) => segmenter.push(score));
        spans.push(segmenter.flush());
        expect(spans.filter((span) => span !== undefined)).toEqual(spansOf(values, options));
      }),
    );
  });
});
