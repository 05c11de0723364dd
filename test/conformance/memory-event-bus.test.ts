/** The event bus within one process: the contract, and what holds of this backend alone. */
import { describe, expect, it } from "vitest";
import { createMemoryEventBus } from "../../src/events/backends/memory-event-bus.js";
import { until } from "../support/until.js";
import { describeEventBusContract } from "./event-bus-contract.js";

describeEventBusContract("memory", async () => {
  const bus = createMemoryEventBus();
  return { bus, close: () => bus.close() };
});

describe("the memory event bus", () => {
  it("calls a listener in a later turn of the event loop, after the publisher's promises", async () => {
    const bus = createMemoryEventBus();
    const order: string[] = [];
    bus.subscribe("call/x", () => order.push("listener"));
    bus.publish("call/x");
    order.push("publisher");
    await Promise.resolve();
    order.push("promise");
    await until("the listener was called", () => order.includes("listener"), 5_000);
    expect(order).toEqual(["publisher", "promise", "listener"]);
    await bus.close();
  });

  it("does not call a listener who unsubscribed after the notice was published", async () => {
    const bus = createMemoryEventBus();
    let [gone, staying] = [0, 0];
    const stop = bus.subscribe("call/x", () => gone++);
    bus.subscribe("call/x", () => staying++);
    bus.publish("call/x");
    stop();
    await until("the other was called", () => staying > 0, 5_000);
    expect(gone).toBe(0);
    await bus.close();
  });

  it("serves many topics with many listeners each", async () => {
    const bus = createMemoryEventBus();
    const heard = new Map<number, number>();
    for (let topic = 0; topic < 200; topic++)
      for (let listener = 0; listener < 20; listener++) bus.subscribe(`call/${topic}`, () => heard.set(topic, (heard.get(topic) ?? 0) + 1));
    for (let topic = 0; topic < 200; topic += 2) bus.publish(`call/${topic}`);
    await until("half of the topics were heard", () => heard.size === 100, 5_000);
    expect([...heard.keys()].every((topic) => topic % 2 === 0)).toBe(true);
    expect([...heard.values()].every((count) => count >= 20)).toBe(true);
    await bus.close();
  });
});
