/** What every engine of every model task promises, real or scripted. */
import { describe, expect, it } from "vitest";
import { MODEL_TASKS, type ModelTask } from "../../src/core/model-task.js";
import type { TranscriptSegment } from "../../src/core/transcript.js";
import type { ModelEngine, TaskInputs } from "../../src/inference/model-engine.js";

export interface EngineCase<Task extends ModelTask = ModelTask> {
  readonly name: string;
  readonly create: () => Promise<ModelEngine<Task>>;
  readonly input: () => Promise<TaskInputs[Task]>;
  /** Segments of the input, for engines that read text. */
  readonly segments?: readonly TranscriptSegment[];
}

interface SpanLike {
  readonly segmentId: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export function describeEngineContract<Task extends ModelTask>({ name, create, input, segments = [] }: EngineCase<Task>): void {
  describe(`engine contract: ${name}`, () => {
    it("describes itself before it is run", async () => {
      const { description } = await create();
      expect(MODEL_TASKS).toContain(description.modelTask);
      // A model that a person installed goes by its own name: `whisper:my-model`.
      expect(description.engine).toMatch(/^[a-z][a-z0-9-]*(:[a-z0-9][a-z0-9._-]*)?$/);
      expect(description.revision.length).toBeGreaterThan(3);
      expect(description.capabilities.languages.length).toBeGreaterThan(0);
    });

    it("gives the same output for the same input", async () => {
      const engine = await create();
      const signal = new AbortController().signal;
      const first = await engine.run(await input(), { signal });
      expect(await engine.run(await input(), { signal })).toEqual(first);
      await engine.close?.();
    });

    it("does no work for a request that was aborted before", async () => {
      const engine = await create();
      const reason = new Error("nobody waits");
      await expect(engine.run(await input(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await engine.close?.();
    });

    it("gives data that travels between processes unchanged", async () => {
      const engine = await create();
      const output = await engine.run(await input(), { signal: new AbortController().signal });
      expect(structuredClone(output)).toEqual(output);
      await engine.close?.();
    });

    it("keeps scores in 0..1 and every quote where it says it is", async () => {
      const engine = await create();
      const output = await engine.run(await input(), { signal: new AbortController().signal });
      const texts = new Map(segments.map((segment) => [segment.id, segment]));
      for (const { score } of findAll<{ score: number | null }>(output, (value) => "score" in value)) {
        if (score !== null) expect(score >= 0 && score <= 1).toBe(true);
      }
      for (const span of findAll<SpanLike>(output, (value) => "segmentId" in value && "startOffset" in value)) {
        const segment = texts.get(span.segmentId);
        expect(segment?.text.slice(span.startOffset, span.endOffset)).toBe(span.text);
        expect(span.text.length).toBeGreaterThan(0);
        expect(span.startMs).toBeGreaterThanOrEqual(segment?.startMs ?? 0);
        expect(span.endMs).toBeLessThanOrEqual(segment?.endMs ?? 0);
      }
      await engine.close?.();
    });
  });
}

/** Every object inside `value` that fits. */
function findAll<Found>(value: unknown, fits: (value: object) => boolean): Found[] {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  const inner = Object.values(value).flatMap((part) => findAll<Found>(part, fits));
  return fits(value) ? [value as Found, ...inner] : inner;
}
