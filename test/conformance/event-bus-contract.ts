/** The event bus contract (src/events/event-bus.ts) as tests; every backend runs all of it. A notice may come twice. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventBus, EventTopic } from "../../src/events/event-bus.js";
import { until } from "../support/until.js";
import { describeNoticeWaiter } from "./event-bus-contract-waiting.js";

export interface EventBusHarness {
  readonly bus: EventBus;
  close(): Promise<void>;
}

const HERE: EventTopic = "call/here";
const ELSEWHERE: EventTopic = "call/elsewhere";

export function describeEventBusContract(name: string, createHarness: () => Promise<EventBusHarness>): void {
  describe(`event bus contract: ${name}`, () => {
    let harness: EventBusHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.close());

    describeSubscribing(() => harness.bus);
    describeListeners(() => harness.bus);
    describeClosing(() => harness.bus);
    describeNoticeWaiter(() => harness.bus);
  });
}

/** Counts what it hears of a topic. */
function countNotices(bus: EventBus, topic: EventTopic) {
  const heard = { count: 0, stop: () => {} };
  heard.stop = bus.subscribe(topic, () => {
    heard.count++;
  });
  return heard;
}

/** Once this has been heard, so has everything that was published before. */
async function settle(bus: EventBus, topic: EventTopic = HERE): Promise<void> {
  const last = countNotices(bus, topic);
  bus.publish(topic);
  await until("a notice has come", () => last.count > 0, 5_000);
  last.stop();
}

function describeSubscribing(bus: () => EventBus): void {
  it("tells every subscriber of a topic and nobody else", async () => {
    const [first, second, other] = [countNotices(bus(), HERE), countNotices(bus(), HERE), countNotices(bus(), ELSEWHERE)];
    const [longer, task] = [countNotices(bus(), "call/here/on"), countNotices(bus(), "task/here")];
    bus().publish(HERE);
    await until("both have heard", () => first.count > 0 && second.count > 0, 5_000);
    await settle(bus());
    expect([other.count, longer.count, task.count]).toEqual([0, 0, 0]);
    bus().publish(ELSEWHERE);
    await until("the other has heard", () => other.count > 0, 5_000);
  });

  it("tells of every notice that is published after the one before was heard", async () => {
    const heard = countNotices(bus(), HERE);
    for (const _ of [1, 2, 3]) {
      const before = heard.count;
      bus().publish(HERE);
      await until("this one has come too", () => heard.count > before, 5_000);
    }
  });

  it("tells a subscriber nothing of what was published before and heard by the others", async () => {
    await settle(bus());
    const late = countNotices(bus(), HERE);
    await settle(bus(), ELSEWHERE);
    expect(late.count).toBe(0);
    bus().publish(HERE);
    await until("it hears the next", () => late.count > 0, 5_000);
  });

  it("tells nothing more to who has unsubscribed, once or twice, and goes on telling the others", async () => {
    const [gone, staying] = [countNotices(bus(), HERE), countNotices(bus(), HERE)];
    gone.stop();
    gone.stop();
    bus().publish(HERE);
    await until("who stayed has heard", () => staying.count > 0, 5_000);
    await settle(bus());
    expect(gone.count).toBe(0);
    const again = countNotices(bus(), HERE);
    gone.stop();
    bus().publish(HERE);
    await until("a later subscriber has heard", () => again.count > 0, 5_000);
  });

  it("calls one function that was subscribed twice until both subscriptions are stopped", async () => {
    let count = 0;
    const listener = (): void => {
      count++;
    };
    const stops = [bus().subscribe(HERE, listener), bus().subscribe(HERE, listener)];
    stops[0]?.();
    stops[0]?.();
    bus().publish(HERE);
    await until("the second subscription has heard", () => count > 0, 5_000);
    stops[1]?.();
    await settle(bus());
    const before = count;
    await settle(bus());
    expect(count).toBe(before);
  });
}

function describeListeners(bus: () => EventBus): void {
  it("is never inside a listener while it publishes", async () => {
    let isPublishing = true;
    const during: boolean[] = [];
    bus().subscribe(HERE, () => during.push(isPublishing));
    bus().publish(HERE);
    isPublishing = false;
    await until("it has been told", () => during.length > 0, 5_000);
    expect(during).not.toContain(true);
  });

  it("takes a notice that a listener publishes, of its own topic as well", async () => {
    const other = countNotices(bus(), ELSEWHERE);
    let count = 0;
    bus().subscribe(HERE, () => {
      count++;
      if (count < 5) bus().publish(HERE);
      else bus().publish(ELSEWHERE);
    });
    bus().publish(HERE);
    await until("the chain has come to its end", () => other.count > 0, 5_000);
    expect(count).toBeGreaterThanOrEqual(5);
  });

  it("lets a listener stop itself and another while it is told", async () => {
    const other = countNotices(bus(), HERE);
    let count = 0;
    const stop = bus().subscribe(HERE, () => {
      count++;
      stop();
      other.stop();
    });
    const last = countNotices(bus(), HERE);
    bus().publish(HERE);
    await until("who subscribed after them has heard", () => last.count > 0, 5_000);
    await settle(bus());
    const before = other.count;
    await settle(bus());
    expect([count, other.count]).toEqual([1, before]);
  });

  it("tells the others although one listener throws, and throws nothing at the publisher", async () => {
    const escaped = ignoreEscaping();
    bus().subscribe(HERE, () => {
      throw new RangeError("a listener's own fault");
    });
    const other = countNotices(bus(), HERE);
    try {
      expect(() => bus().publish(HERE)).not.toThrow();
      await until("the other has heard", () => other.count > 0, 5_000);
      const before = other.count;
      bus().publish(HERE);
      await until("the other has heard the next", () => other.count > before, 5_000);
    } finally {
      escaped.restore();
    }
  });

  it("lets a listener subscribe another, who hears the next notice", async () => {
    const later: { count: number }[] = [];
    const stop = bus().subscribe(HERE, () => {
      stop();
      later.push(countNotices(bus(), HERE));
    });
    bus().publish(HERE);
    await until("the other was subscribed", () => later.length === 1, 5_000);
    bus().publish(HERE);
    await until("it hears", () => (later[0]?.count ?? 0) > 0, 5_000);
  });
}

function describeClosing(bus: () => EventBus): void {
  it("tells nothing after it was closed, not even what was published before", async () => {
    const heard = countNotices(bus(), HERE);
    await settle(bus());
    bus().publish(HERE);
    await bus().close();
    const before = heard.count;
    expect(() => bus().publish(HERE)).not.toThrow();
    await until("a hundred turns of the event loop have passed", turns(100), 5_000, 0);
    expect(heard.count).toBe(before);
  });

  it("can be closed twice, and unsubscribed from after that", async () => {
    const heard = countNotices(bus(), HERE);
    await bus().close();
    await bus().close();
    expect(() => heard.stop()).not.toThrow();
  });
}

/** What a listener throws may end where nobody catches it; the runner would take that for a fault of the whole file. */
function ignoreEscaping() {
  const runners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", () => {});
  return {
    restore() {
      process.removeAllListeners("uncaughtException");
      for (const runner of runners) process.on("uncaughtException", runner);
    },
  };
}

/** True at the given time it is asked. */
function turns(count: number): () => boolean {
  let asked = 0;
  return () => ++asked > count;
}
