/** What is read aloud by a screen reader without taking the focus: settled lines and small news. Only the newest few are kept. */
import { createStore, type Store } from "../state/store.js";

export interface Announcement {
  readonly id: number;
  readonly text: string;
  readonly language: string | undefined;
}

export interface Announcer {
  readonly store: Store<readonly Announcement[]>;
  say(text: string, language?: string): void;
  clear(): void;
}

const KEPT = 6;

export function createAnnouncer(): Announcer {
  const store = createStore<readonly Announcement[]>([]);
  let nextId = 1;
  return {
    store,
    say: (text, language) => {
      const announcement = { id: nextId, text, language };
      nextId += 1;
      store.update((kept) => [...kept, announcement].slice(-KEPT));
    },
    clear: () => store.update(() => []),
  };
}
