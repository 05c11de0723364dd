/** The pool with real processes: supervision, deadlines, abort, priority, and nothing left behind. */
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../src/core/log.js";
import { processEntry } from "../../src/core/module-entry.js";
import { InferencePool } from "../../src/inference/pool/inference-pool.js";
import { until } from "../support/until.js";

const LATE_MS = 30_000;
const pools: InferencePool[] = [];

async function startPool(processCount: number, events: string[] = [], maxWaiting = 100): Promise<InferencePool> {
  const pool = new InferencePool({
    entry: processEntry(import.meta.url, "../support/scripted-process"),
    entryArguments: [],
    processCount,
    maxWaiting,
    logger: silentLogger,
    onRestart: () => events.push("restart"),
    onFinished: (modelTask, outcome) => events.push(`${modelTask} ${outcome}`),
  });
  pools.push(pool);
  await pool.start();
  return pool;
}

function ask(pool: InferencePool, question: string, options: { signal?: AbortSignal; deadlineMs?: number; priority?: number; engine?: string } = {}) {
  const { signal = new AbortController().signal, deadlineMs = LATE_MS, ...rest } = options;
  return pool.run("question_answering", { segments: [], question }, { signal, deadlineMs, ...rest });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

describe("the model pool", () => {
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
  });

  it("answers from another process and names the engine", async () => {
    const pool = await startPool(1);
    const { output, engine, revision } = await ask(pool, "hello");
    expect(Number(output.answer?.split(" ")[0])).not.toBe(process.pid);
    expect([engine, revision]).toEqual(["scripted", "scripted-1"]);
    expect(pool.engines().map(({ modelTask }) => modelTask)).toEqual(["question_answering", "summary", "summary"]);
  });

  it("reads a call that runs by an engine that is quick enough, and one that has ended by the best", async () => {
    const pool = await startPool(1);
    const summarize = async (isLive: boolean): Promise<string> =>
      (await pool.run("summary", { segments: [] }, { signal: new AbortController().signal, deadlineMs: LATE_MS, isLive })).output.summary.text;
    expect(await summarize(true)).toBe("quick");
    expect(await summarize(false)).toBe("careful");
  });

  it("passes an engine's own error on and stays usable", async () => {
    const pool = await startPool(1);
    await expect(ask(pool, "refuse")).rejects.toMatchObject({ code: "MODEL_INPUT_INVALID" });
    expect((await ask(pool, "next")).output.answer).toMatch(/ next$/);
  });

  it("says which engine or task is missing", async () => {
    const pool = await startPool(1);
    await expect(ask(pool, "x", { engine: "oracle" })).rejects.toMatchObject({ code: "MODEL_ENGINE_UNKNOWN" });
    await expect(pool.run("entities", { segments: [] }, { signal: new AbortController().signal, deadlineMs: LATE_MS })).rejects.toMatchObject({
      code: "MODEL_NOT_READY",
    });
  });

  it("fails only the request whose process crashed, and replaces the process", async () => {
    const events: string[] = [];
    const pool = await startPool(2, events);
    const [crashed, other] = await Promise.allSettled([ask(pool, "crash"), ask(pool, "unharmed")]);
    expect(crashed).toMatchObject({ status: "rejected", reason: { code: "MODEL_PROCESS_FAILED", retryable: true } });
    expect(other.status).toBe("fulfilled");
    await until("the process is replaced", () => pool.processCount === 2);
    expect((await ask(pool, "after")).output.answer).toMatch(/ after$/);
    expect(events).toContain("restart");
  });

  it("answers twenty requests although both processes are killed outright meanwhile", async () => {
    const pool = await startPool(2);
    const processIds = new Set(
      (await Promise.all(Array.from({ length: 8 }, () => ask(pool, "slow")))).map(({ output }) => Number(output.answer?.split(" ")[0])),
    );
    expect(processIds.size).toBe(2);
    const answers = Array.from({ length: 20 }, () => ask(pool, "slow"));
    for (const processId of processIds) process.kill(processId, "SIGKILL");
    for (const { output } of await Promise.all(answers)) expect(processIds.has(Number(output.answer?.split(" ")[0]))).toBe(false);
  });

  it("gives up a request that kills every process it meets, after the second", async () => {
    const events: string[] = [];
    const pool = await startPool(1, events);
    await expect(ask(pool, "crash")).rejects.toMatchObject({ code: "MODEL_PROCESS_FAILED" });
    expect((await ask(pool, "after")).output.answer).toMatch(/ after$/);
    expect(events.filter((event) => event === "restart")).toHaveLength(2);
  });

  it("stops a process that computes past its deadline", async () => {
    const pool = await startPool(1);
    const { output } = await ask(pool, "who");
    await expect(ask(pool, "hang", { deadlineMs: 100 })).rejects.toMatchObject({ code: "MODEL_DEADLINE_EXCEEDED", retryable: true });
    await until("the hung process is gone", () => !isAlive(Number(output.answer?.split(" ")[0])));
    expect((await ask(pool, "after")).output.answer).toMatch(/ after$/);
  });

  it("aborts a running request without losing the process", async () => {
    const pool = await startPool(1);
    const abort = new AbortController();
    const { output } = await ask(pool, "who");
    const running = ask(pool, "wait until aborted", { signal: abort.signal });
    abort.abort(new Error("nobody wants it"));
    await expect(running).rejects.toThrow("nobody wants it");
    expect((await ask(pool, "who")).output.answer).toBe(output.answer);
  });

  it("drops a waiting request that is aborted", async () => {
    const pool = await startPool(1);
    const blocker = new AbortController();
    const blocked = ask(pool, "wait until aborted", { signal: blocker.signal });
    const abort = new AbortController();
    const waiting = ask(pool, "never asked", { signal: abort.signal });
    abort.abort(new Error("gave up"));
    await expect(waiting).rejects.toThrow("gave up");
    expect(pool.waitingCount).toBe(0);
    blocker.abort(new Error("done"));
    await expect(blocked).rejects.toThrow("done");
  });

  it("runs waiting requests by priority, then in order", async () => {
    const pool = await startPool(1);
    const blocker = new AbortController();
    const blocked = ask(pool, "wait until aborted", { signal: blocker.signal }).catch(() => {});
    const order: string[] = [];
    const questions = [
      ["batch 1", 0],
      ["batch 2", 0],
      ["live", 10],
    ] as const;
    const all = questions.map(([question, priority]) => ask(pool, question, { priority }).then(() => order.push(question)));
    blocker.abort(new Error("done"));
    await Promise.all([blocked, ...all]);
    expect(order).toEqual(["live", "batch 1", "batch 2"]);
  });

  it("refuses more waiting requests than it may hold", async () => {
    const pool = await startPool(1, [], 1);
    const blocker = new AbortController();
    const held = [ask(pool, "wait until aborted", { signal: blocker.signal }), ask(pool, "waiting", { signal: blocker.signal })];
    await expect(ask(pool, "one too many")).rejects.toMatchObject({ code: "MODEL_OVERLOADED", retryable: true });
    blocker.abort(new Error("done"));
    await Promise.allSettled(held);
  });

  it("ends its processes when it closes", async () => {
    const pool = await startPool(2);
    const answers = await Promise.all([ask(pool, "a"), ask(pool, "b")]);
    const processIds = answers.map(({ output }) => Number(output.answer?.split(" ")[0]));
    await pool.close();
    expect(processIds.filter(isAlive)).toEqual([]);
    await expect(ask(pool, "too late")).rejects.toMatchObject({ code: "MODEL_PROCESS_FAILED" });
  });

  describe("with several requests at once", () => {
    const together = (pool: InferencePool, questions: readonly string[], signals: readonly AbortSignal[] = []) =>
      Promise.allSettled(
        pool.runTogether(
          "question_answering",
          questions.map((question, index) => ({ input: { segments: [], question }, signal: signals[index] ?? new AbortController().signal })),
          { deadlineMs: LATE_MS },
        ),
      );
    const answerOf = (outcome: PromiseSettledResult<{ readonly output: { readonly answer: string | null } }> | undefined): string =>
      outcome?.status === "fulfilled" ? (outcome.value.output.answer ?? "") : "none";

    it("gives them to one process as one batch, and each its own answer, in order", async () => {
      const pool = await startPool(2);
      const answers = (await together(pool, ["one", "two", "three"])).map(answerOf);
      expect(new Set(answers.map((answer) => answer.split(" ")[0])).size).toBe(1);
      expect(answers.map((answer) => answer.replace(/^\d+ /, ""))).toEqual(["one of 3", "two of 3", "three of 3"]);
    });

    it("fails one alone, and leaves one that the engine can't do to the usual way", async () => {
      const pool = await startPool(1);
      const [one, refused, other] = await together(pool, ["one", "refuse", "other engine"]);
      expect(answerOf(one)).toMatch(/one of 3$/);
      expect(refused).toMatchObject({ status: "rejected", reason: { code: "MODEL_INPUT_INVALID" } });
      // By itself the scripted engine can.
      expect(answerOf(other)).toMatch(/other engine$/);
    });

    it("answers the others when one is aborted, and takes out one that was aborted while it waited", async () => {
      const pool = await startPool(1);
      const stop = new AbortController();
      const running = together(pool, ["one", "wait until aborted"], [new AbortController().signal, stop.signal]);
      const waiting = together(pool, ["two", "three"], [stop.signal, new AbortController().signal]);
      await until("two wait", () => pool.waitingCount === 2);
      stop.abort(new Error("nobody waits"));
      const [one, aborted] = await running;
      expect([answerOf(one).replace(/^\d+ /, ""), aborted?.status]).toEqual(["one of 2", "rejected"]);
      const [two, three] = await waiting;
      expect([two?.status, answerOf(three).replace(/^\d+ /, "")]).toEqual(["rejected", "three"]);
    });

    it("tries all once more when their process dies, and then says so to each", async () => {
      const events: string[] = [];
      const pool = await startPool(2, events);
      const outcomes = await together(pool, ["one", "crash"]);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: { code: "MODEL_PROCESS_FAILED" } });
      expect(events.filter((event) => event === "restart").length).toBeGreaterThanOrEqual(2);
      expect((await ask(pool, "next")).output.answer).toMatch(/ next$/);
    });
  });
});
