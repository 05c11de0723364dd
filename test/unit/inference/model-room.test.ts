/** Models share the room there is: the longest idle goes first, one at work stays, and what does not fit says so. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LazyModel } from "../../../src/inference/backends/onnx/lazy-model.js";
import { ModelRoom } from "../../../src/inference/backends/onnx/model-room.js";

const MB = 1_000_000;

/** A model whose loading and closing can be seen. */
function modelIn(room: ModelRoom, name: string, weightBytes: number, log: string[]) {
  const open = async () => {
    log.push(`open ${name}`);
    return { name, close: async () => void log.push(`close ${name}`) };
  };
  return new LazyModel(open, { kept: { room, weightBytes } });
}

describe("a room for models", () => {
  let log: string[];
  let availableMb: number;
  const roomOf = (limitMb: number, idleMs = 0): ModelRoom => new ModelRoom({ limitBytes: limitMb * MB, idleMs, availableBytes: async () => availableMb * MB });
  const use = (model: LazyModel<{ name: string; close(): Promise<void> }>): Promise<string> => model.use(async ({ name }) => name);
  beforeEach(() => {
    log = [];
    availableMb = 100_000;
  });
  afterEach(() => vi.useRealTimers());

  it("loads a model once for many uses", async () => {
    const model = modelIn(roomOf(0), "a", 10 * MB, log);
    expect(await Promise.all([use(model), use(model), use(model)])).toEqual(["a", "a", "a"]);
    expect(log).toEqual(["open a"]);
  });

  it("lets the longest idle go when another needs its room, and loads it again when it is needed", async () => {
    const room = roomOf(300);
    const [a, b, c] = ["a", "b", "c"].map((name) => modelIn(room, name, 100 * MB, log)) as [never, never, never];
    await use(a);
    await use(b);
    await use(a);
    await use(c);
    expect(log).toEqual(["open a", "open b", "close b", "open c"]);
    await use(b);
    expect(log.slice(4)).toEqual(["close a", "open b"]);
    expect(room.usedBytes).toBeLessThanOrEqual(300 * MB);
  });

  it("never takes a model from whoever is at work with it", async () => {
    const room = roomOf(150);
    const [busy, other] = [modelIn(room, "busy", 100 * MB, log), modelIn(room, "other", 100 * MB, log)];
    await busy.use(async () => {
      await expect(use(other)).rejects.toMatchObject({ code: "MODEL_NOT_READY", message: expect.stringMatching(/needs 135 MB and 120 MB are lacking/) });
    });
    expect(log).toEqual(["open busy"]);
    expect(await use(other)).toBe("other");
    expect(log).toEqual(["open busy", "close busy", "open other"]);
  });

  it("minds what the machine has left, whatever its own limit", async () => {
    availableMb = 300;
    const room = roomOf(0);
    expect(await use(modelIn(room, "small", 10 * MB, log))).toBe("small");
    await expect(use(modelIn(room, "large", 1_000 * MB, log))).rejects.toMatchObject({ code: "MODEL_NOT_READY" });
  });

  it("lets a model go that was idle for long, and none that was used meanwhile", async () => {
    vi.useFakeTimers();
    const room = roomOf(0, 60_000);
    const model = modelIn(room, "a", 10 * MB, log);
    await use(model);
    await vi.advanceTimersByTimeAsync(40_000);
    await use(model);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(log).toEqual(["open a"]);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(log).toEqual(["open a", "close a"]);
    expect(room.usedBytes).toBe(0);
  });

  it("does not count a model that could not be loaded", async () => {
    const room = roomOf(0);
    const broken = new LazyModel<{ close(): Promise<void> }>(() => Promise.reject(new Error("broken")), { kept: { room, weightBytes: 10 * MB } });
    await expect(broken.use(async () => {})).rejects.toThrow("broken");
    expect(room.usedBytes).toBe(0);
  });
});
