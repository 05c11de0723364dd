/** How recognizers are shared: several windows at once where the engine can, smaller models under pressure, and at last recording only. */
import { describe, expect, it } from "vitest";
import type { LiveChannel } from "../../../src/analysis/live/live-channel.js";
import { createLiveRecognition } from "../../../src/analysis/live/live-recognition.js";
import type { RecognitionAnswer, RecognitionWindow } from "../../../src/analysis/live/recognition-window.js";
import type { EngineDescription } from "../../../src/inference/model-engine.js";
import type { InferenceBatchRunner } from "../../../src/inference/pool/inference-pool.js";
import { FakeClock } from "../../support/fake-clock.js";

const MB = 1_000_000;
const engineOf = (engine: string, weightBytes?: number, batchSize?: number): EngineDescription => ({
  ...{ modelTask: "speech", engine, revision: "1" },
  capabilities: {
    languages: ["sw"],
    lowQuality: false,
    ...(weightBytes === undefined ? {} : { weightBytes }),
    ...(batchSize === undefined ? {} : { batchSize }),
  },
});

function gate() {
  let resolve: (answer: never) => void = () => {};
  const promise = new Promise<never>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A recognizer that answers when it is told to. */
function scriptedInference(engines: readonly EngineDescription[]) {
  const asked: { readonly engine: string; readonly count: number; readonly answer: () => void }[] = [];
  const inference: InferenceBatchRunner = {
    engines: () => engines,
    run: () => Promise.reject(new Error("windows go together")),
    runTogether: (_task, inputs, { engine = "auto" }) => {
      const gates = inputs.map(() => gate());
      asked.push({
        engine,
        count: inputs.length,
        answer: () => {
          for (const { resolve } of gates) resolve({ output: { language: "sw", utterances: [], lowQuality: false }, engine, revision: "1" } as never);
        },
      });
      return gates.map(({ promise }) => promise);
    },
  };
  return { inference, asked };
}

/** A channel that has finals or interims due, one after the other. */
class ScriptedChannel {
  readonly settled: RecognitionAnswer[] = [];
  readonly warnings: string[] = [];
  given = 0;
  isGivenUp = false;
  #due: ("final" | "interim")[];
  lag = 0;

  constructor(...due: ("final" | "interim")[]) {
    this.#due = due;
  }

  due() {
    const [kind] = this.#due;
    return kind === undefined ? undefined : { kind, dueSinceMs: 0 };
  }

  take(kind: "final" | "interim"): RecognitionWindow | undefined {
    if (this.#due[0] !== kind) return undefined;
    this.#due.shift();
    this.given++;
    const audio = { samples: new Int16Array(160), sampleRateHz: 16_000, sampleCount: 160, sourceSampleRateHz: 8_000 };
    return { kind, segmentId: "l1", startMs: 0, endMs: 10, leadMs: 0, audio, signal: new AbortController().signal };
  }

  settle(_window: RecognitionWindow, answer: RecognitionAnswer): void {
    this.settled.push(answer);
  }

  lagMs(): number {
    return this.lag;
  }

  giveUp(): void {
    this.isGivenUp = true;
    this.#due = [];
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function start(engines: readonly EngineDescription[], channels: readonly ScriptedChannel[], options: { readonly slots?: number } = {}) {
  const { inference, asked } = scriptedInference(engines);
  const clock = new FakeClock();
  const recognition = createLiveRecognition({ inference, clock, slots: options.slots ?? 1, speechEngine: "auto", defaultLanguages: ["sw"] });
  const members = channels.map((channel, index) =>
    recognition.join(
      { callId: `c${index}`, language: () => "sw", hasRisk: () => false, warn: (text) => channel.warnings.push(text) },
      () => channel as unknown as LiveChannel,
    ),
  );
  const wake = async (): Promise<void> => {
    for (const { due } of members) due();
    await turn();
  };
  await wake();
  return { asked, clock, wake };
}

describe("sharing recognizers", () => {
  it("gives each its own when there are enough", async () => {
    const { asked } = await start([engineOf("whisper:small", 300 * MB, 8)], [new ScriptedChannel("final"), new ScriptedChannel("final")], { slots: 3 });
    expect(asked.map(({ count }) => count)).toEqual([1, 1]);
  });

  it("hears several at once when more wait than there are recognizers, as far as the engine can", async () => {
    const channels = Array.from({ length: 7 }, () => new ScriptedChannel("final"));
    const { asked } = await start([engineOf("whisper:small", 300 * MB, 4)], channels, { slots: 1 });
    expect(asked.map(({ count }) => count)).toEqual([4]);
    asked[0]?.answer();
    await turn();
    await turn();
    expect(asked.map(({ count }) => count)).toEqual([4, 3]);
    expect(channels.flatMap(({ settled }) => settled)).toHaveLength(4);
  });

  it("takes one at a time from an engine that can do no more", async () => {
    const { asked } = await start([engineOf("pocketsphinx")], [new ScriptedChannel("final"), new ScriptedChannel("final")]);
    expect(asked.map(({ count }) => count)).toEqual([1]);
  });

  it("never lets a final wait for interims in its batch", async () => {
    const channels = [new ScriptedChannel("interim"), new ScriptedChannel("final"), new ScriptedChannel("interim"), new ScriptedChannel("final")];
    const { asked } = await start([engineOf("whisper:small", 300 * MB, 8)], channels);
    expect(asked.map(({ count }) => count)).toEqual([2]);
    expect(channels.map(({ given }) => given)).toEqual([0, 1, 0, 1]);
  });

  it("goes to the smaller model when speech waits too long, and says so in the calls it hears", async () => {
    const engines = [
      engineOf("whisper:small", 300 * MB, 8),
      engineOf("pocketsphinx"),
      engineOf("whisper:tiny", 50 * MB, 8),
      engineOf("whisper:base", 90 * MB, 8),
    ];
    const late = new ScriptedChannel("final", "final", "final");
    late.lag = 9_000;
    const { asked, clock, wake } = await start(engines, [late]);
    expect(asked.at(-1)?.engine).toBe("whisper:base");
    asked.at(-1)?.answer();
    clock.advance(7_000);
    await turn();
    await wake();
    expect(asked.at(-1)?.engine).toBe("whisper:tiny");
    expect(late.warnings.join()).toContain("whisper:base");
  });

  it("records only, and says so, when even the last model is a minute late", async () => {
    const late = new ScriptedChannel("final");
    late.lag = 61_000;
    const { asked } = await start([engineOf("whisper:small", 300 * MB, 8)], [late]);
    expect(asked).toEqual([]);
    expect(late.isGivenUp).toBe(true);
    expect(late.warnings).toEqual(["Too many calls at once: some speech was only recorded."]);
  });
});

describe("a recognizer that tells no language", () => {
  it("leaves it to the words, among the languages of the helpline", async () => {
    const channel = new ScriptedChannel("final");
    const heard = { startMs: 0, endMs: 900, text: "Baba ananipiga kila siku", language: "und", score: null, words: [] };
    const asked: unknown[] = [];
    const inference = {
      engines: () => [engineOf("remote")],
      runTogether: () => [Promise.resolve({ output: { language: "und", utterances: [heard], lowQuality: false }, engine: "remote", revision: "1" })],
      run: async (task: string, { segments }: { readonly segments: readonly { readonly id: string; readonly text: string }[] }) => {
        asked.push(task, ...segments.map(({ text }) => text));
        return { output: { segments: segments.map(({ id }) => ({ segmentId: id, language: "sw" })) }, engine: "builtin", revision: "1" };
      },
    } as unknown as InferenceBatchRunner;
    const recognition = createLiveRecognition({ inference, clock: new FakeClock(), slots: 1, speechEngine: "auto", defaultLanguages: ["sw", "en"] });
    const call = { callId: "c1", language: () => "auto", hasRisk: () => false, warn: () => {} };
    recognition.join(call, () => channel as unknown as LiveChannel).due();
    await turn();
    await turn();
    expect(asked).toEqual(["language", heard.text]);
    expect(channel.settled).toEqual([{ heard: { ...heard, language: "sw" }, lowQuality: false }]);
  });
});
