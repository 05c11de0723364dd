/** Event bus contract: waiting for a notice with `listenFor`. */
import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type EventBus, type EventTopic, listenFor } from "../../src/events/event-bus.js";
import { until } from "../support/until.js";

const TOPIC: EventTopic = "task/awaited";
const LONG_MS = 60_000;
const SHORT_MS = 40;

const never = (): AbortSignal => new AbortController().signal;

/** Publishes, and resolves when the notice has reached those who subscribed before. */
async function publishHeard(bus: EventBus, topic: EventTopic = TOPIC): Promise<void> {
  let isHeard = false;
  const stop = bus.subscribe(topic, () => {
    isHeard = true;
  });
  bus.publish(topic);
  await until("the notice was heard", () => isHeard, 5_000);
  stop();
}

/** How long it took, in ms. */
async function timed(work: Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await work;
  return performance.now() - startedAtMs;
}

/** The bus, with a count of the subscriptions that are open. */
function counted(bus: EventBus) {
  const open = new Set<symbol>();
  const countedBus: EventBus = {
    ...{ publish: (topic) => bus.publish(topic), close: () => bus.close(), subscribeCalls: (listener) => bus.subscribeCalls(listener) },
    subscribe(topic, listener) {
      const mark = Symbol(topic);
      open.add(mark);
      const stop = bus.subscribe(topic, listener);
      return () => {
        open.delete(mark);
        stop();
      };
    },
  };
  return { bus: countedBus, open };
}

export function describeNoticeWaiter(bus: () => EventBus): void {
  describe("waiting for a notice", () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    describeWaking(bus);
    describeTidiness(bus);
  });
}

function describeWaking(bus: () => EventBus): void {
  it("tells at once of a notice that came between the subscription and the wait", async () => {
    const waiter = listenFor(bus(), TOPIC);
    await publishHeard(bus());
    expect(await timed(waiter.next(LONG_MS, never()))).toBeLessThan(5_000);
    waiter.close();
  });

  it("wakes at a notice of any of its topics", async () => {
    const topics = ["call/one", "call/two", "task/three"] as const;
    const waiter = listenFor(bus(), ...topics);
    for (const topic of topics) {
      const waiting = waiter.next(LONG_MS, never());
      bus().publish(topic);
      await waiting;
    }
    waiter.close();
  });

  it("misses none of many notices that come between one wait and the next", async () => {
    const waiter = listenFor(bus(), TOPIC);
    for (let round = 0; round < 20; round++) {
      await publishHeard(bus());
      await waiter.next(LONG_MS, never());
    }
    waiter.close();
  });

  it("tells of a notice once, and waits for the next until its time is over", async () => {
    const waiter = listenFor(bus(), TOPIC);
    await publishHeard(bus());
    await waiter.next(LONG_MS, never());
    // Half: a timer may be early by its resolution, and a notice told of twice would end it at once.
    expect(await timed(waiter.next(SHORT_MS, never()))).toBeGreaterThanOrEqual(SHORT_MS / 2);
    waiter.close();
  });

  it("does not wake for what concerns another topic", async () => {
    const waiter = listenFor(bus(), TOPIC);
    await publishHeard(bus(), "task/another");
    expect(await timed(waiter.next(SHORT_MS, never()))).toBeGreaterThanOrEqual(SHORT_MS / 2);
    waiter.close();
  });

  it("stops waiting when its signal is aborted, also when that was before", async () => {
    const waiter = listenFor(bus(), TOPIC);
    const controller = new AbortController();
    const waiting = waiter.next(LONG_MS, controller.signal);
    controller.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(waiter.next(LONG_MS, controller.signal)).resolves.toBeUndefined();
    waiter.close();
  });

  it("keeps a notice that comes after a wait that was given up for the wait after it", async () => {
    const waiter = listenFor(bus(), TOPIC);
    const controller = new AbortController();
    const given = waiter.next(LONG_MS, controller.signal);
    controller.abort();
    await given;
    await publishHeard(bus());
    expect(await timed(waiter.next(LONG_MS, never()))).toBeLessThan(5_000);
    waiter.close();
  });

  it("hears nothing more when it is closed", async () => {
    const waiter = listenFor(bus(), TOPIC);
    waiter.close();
    waiter.close();
    await publishHeard(bus());
    expect(await timed(waiter.next(SHORT_MS, never()))).toBeGreaterThanOrEqual(SHORT_MS / 2);
  });
}

function describeTidiness(bus: () => EventBus): void {
  it.each(["notice", "timeout", "abort"] as const)("leaves no timer and no listener on the signal after a wait that a %s ended", async (end) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const waiter = listenFor(bus(), TOPIC);
    const controller = new AbortController();
    const before = vi.getTimerCount();
    const waiting = waiter.next(LONG_MS, controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    if (end === "notice") bus().publish(TOPIC);
    if (end === "timeout") vi.advanceTimersByTime(LONG_MS);
    if (end === "abort") controller.abort();
    await waiting;
    expect(vi.getTimerCount()).toBe(before);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    waiter.close();
  });

  it("leaves no listener on a signal that a thousand waits were given", async () => {
    const waiter = listenFor(bus(), TOPIC);
    const { signal } = new AbortController();
    for (let round = 0; round < 1_000; round++) {
      const waiting = waiter.next(LONG_MS, signal);
      bus().publish(TOPIC);
      await waiting;
    }
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    waiter.close();
  });

  it("gives every subscription back when it is closed", async () => {
    const { bus: watched, open } = counted(bus());
    const waiter = listenFor(watched, TOPIC, "call/one", "call/two");
    expect(open.size).toBe(3);
    const waiting = waiter.next(LONG_MS, never());
    watched.publish(TOPIC);
    await waiting;
    expect(open.size).toBe(3);
    waiter.close();
    expect(open.size).toBe(0);
  });
}
