/**
 * The event bus: tells whoever waits that there is something new to read, now. It carries a topic and nothing else, may
 * lose or repeat a notice, and nothing durable depends on it: the reader looks into the store, which is complete.
 */

/** `call/ID`: an event of the call was stored. `task/ID`: the task's state changed. */
export type EventTopic = `call/${string}` | `task/${string}`;

export interface EventBus {
  /** Never throws and never waits for listeners. */
  publish(topic: EventTopic): void;
  /** Calls `listener` for each notice from now on. @returns the way to stop it; calling that twice is fine. */
  subscribe(topic: EventTopic, listener: () => void): () => void;
  /** The same for the events of every call. */
  subscribeCalls(listener: (callId: string) => void): () => void;
  /** Listeners hear nothing more. */
  close(): Promise<void>;
}

/**
 * Waits for a notice that came after the subscription, however early: subscribe, look into the store, then `next`.
 */
export interface NoticeWaiter {
  /** Resolves at a notice that `next` has not told of yet, after `timeoutMs`, or when the signal is aborted. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Listens from now on. */
export function listenFor(bus: EventBus, ...topics: readonly EventTopic[]): NoticeWaiter {
  let isNoticed = false;
  let wake: (() => void) | undefined;
  const stops = topics.map((topic) =>
    bus.subscribe(topic, () => {
      isNoticed = true;
      wake?.();
    }),
  );
  return {
    async next(timeoutMs, signal) {
      if (!isNoticed && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const finish = (): void => {
            clearTimeout(timer);
            signal.removeEventListener("abort", finish);
            resolve();
          };
          const timer = setTimeout(finish, timeoutMs);
          signal.addEventListener("abort", finish);
          wake = finish;
        });
      }
      wake = undefined;
      isNoticed = false;
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}
