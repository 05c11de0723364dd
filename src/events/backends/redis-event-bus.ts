/**
 * The event bus of several processes: a notice is heard in this process as in the memory bus, and in the others through
 * Redis's publish and subscribe. What carries over is a topic, which is a kind and an id, and nothing else. While Redis
 * is away the others hear nothing, as the contract allows.
 */
import { newId } from "../../core/ids.js";
import { type RedisConnections, redisUnavailable } from "../../redis/redis-connection.js";
import type { EventBus, EventTopic } from "../event-bus.js";
import { createMemoryEventBus } from "./memory-event-bus.js";

export interface RedisEventBusOptions {
  readonly redis: RedisConnections;
  /** First part of the channel's name; the processes of one service share it. */
  readonly namespace: string;
  /** Told once each time that Redis can't be told anything. */
  readonly onError?: (error: unknown) => void;
}

/** Messages to a Redis that has fallen mute; what is more is dropped. */
const MAX_UNANSWERED = 1_000;

/** Connects in the background: what others publish before that is not heard. */
export function createRedisEventBus({ redis, namespace, onError }: RedisEventBusOptions): EventBus {
  const local = createMemoryEventBus();
  const channel = `${namespace}:events`;
  const ownId = newId();
  const publisher = redis.open("events", "announcer");
  const subscriber = redis.open("events-listener", "subscriber");
  const outgoing = new Set<EventTopic>();
  // Whether it can be reached at all is told by who connects.
  let isReported = true;
  let unanswered = 0;
  let isClosed = false;

  const report = (error: unknown): void => {
    if (isReported || isClosed) return;
    isReported = true;
    onError?.(redisUnavailable(error));
  };
  const send = (): void => {
    const topics = [...outgoing];
    outgoing.clear();
    if (isClosed || unanswered >= MAX_UNANSWERED) return;
    unanswered++;
    publisher
      .publish(channel, [ownId, ...topics].join(" "))
      .catch(report)
      .finally(() => {
        unanswered--;
      });
  };
  publisher.on("ready", () => {
    isReported = false;
  });
  subscriber.on("message", (_channel: string, message: string) => {
    const [sender, ...topics] = message.split(" ");
    // Our own were heard when they were published.
    if (sender !== ownId) for (const topic of topics) local.publish(topic as EventTopic);
  });
  // The client subscribes again by itself whenever it had to connect again.
  subscriber.subscribe(channel).catch(report);
  return {
    publish(topic) {
      if (isClosed) return;
      local.publish(topic);
      // All that is published in one turn goes in one message, and the same only once.
      if (outgoing.size === 0) setImmediate(send);
      outgoing.add(topic);
    },
    subscribe: (topic, listener) => local.subscribe(topic, listener),
    subscribeCalls: (listener) => local.subscribeCalls(listener),
    async close() {
      isClosed = true;
      publisher.disconnect();
      subscriber.disconnect();
      await local.close();
    },
  };
}
