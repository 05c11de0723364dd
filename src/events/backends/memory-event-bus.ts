/** The event bus within one process. */
import type { EventBus, EventTopic } from "../event-bus.js";

/** A listener's fault is its own: the others are told all the same. */
function call(listener: () => void): void {
  try {
    listener();
  } catch {
    // Notices carry nothing; whoever missed this one looks into the store by and by.
  }
}

/** Listeners are called in a later turn of the event loop, so that a publisher is never inside a reader. */
export function createMemoryEventBus(): EventBus {
  const listeners = new Map<EventTopic, Set<() => void>>();
  return {
    publish(topic) {
      const hearing = listeners.get(topic);
      if (hearing === undefined) return;
      setImmediate(() => {
        for (const listener of [...hearing]) if (hearing.has(listener)) call(listener);
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
