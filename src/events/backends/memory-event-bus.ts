/** The event bus within one process. */
import type { EventBus, EventTopic } from "../event-bus.js";

const CALL_TOPIC = "call/";

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
  const ofCalls = new Set<(callId: string) => void>();
  return {
    publish(topic) {
      const hearing = listeners.get(topic);
      const callId = topic.startsWith(CALL_TOPIC) ? topic.slice(CALL_TOPIC.length) : undefined;
      if (hearing === undefined && (callId === undefined || ofCalls.size === 0)) return;
      setImmediate(() => {
        for (const listener of [...(hearing ?? [])]) if (hearing?.has(listener) === true) call(listener);
        if (callId === undefined) return;
        for (const listener of [...ofCalls]) if (ofCalls.has(listener)) call(() => listener(callId));
      });
    },
    subscribeCalls(listener) {
      const own = (callId: string): void => listener(callId);
      ofCalls.add(own);
      return () => void ofCalls.delete(own);
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
      ofCalls.clear();
    },
  };
}
