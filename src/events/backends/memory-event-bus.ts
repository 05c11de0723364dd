/** The event bus within one process. */
import type { EventBus, EventTopic } from "../event-bus.js";

/** Listeners are called in a later turn of the event loop, so that a publisher is never inside a reader. */
export function createMemoryEventBus(): EventBus {
  const listeners = new Map<EventTopic, Set<() => void>>();
  return {
    publish(topic) {
      const hearing = listeners.get(topic);
      if (hearing === undefined) return;
      setImmediate(() => {
        for (const listener of [...hearing]) if (hearing.has(listener)) listener();
      });
    },
    subscribe(topic, listener) {
      const hearing = listeners.get(topic) ?? new Set();
      // Each subscription is its own, also of the same function.
      const own = (): void => listener();
      hearing.add(own);
      listeners.set(topic, hearing);
      return () => {
        hearing.delete(own);
        if (hearing.size === 0 && listeners.get(topic) === hearing) listeners.delete(topic);
      };
    },
    async close() {
      for (const hearing of listeners.values()) hearing.clear();
      listeners.clear();
    },
  };
}
