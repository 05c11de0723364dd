/** Asks for the calls in which words were said. The words are sent in a body and kept nowhere else. */
import { createStore, type Store } from "../state/store.js";
import type { FoundCall, Page } from "../wire/call-shapes.js";
import type { HttpClient } from "../wire/http-client.js";
import type { Problem } from "../wire/problem.js";

export interface CallSearchView {
  /** Undefined: nothing was searched for. */
  readonly found: readonly FoundCall[] | undefined;
  readonly nextCursor: string | null;
  readonly problem: Problem | undefined;
  readonly isSearching: boolean;
}

export interface CallSearchControl {
  readonly store: Store<CallSearchView>;
  search(text: string): Promise<void>;
  more(): Promise<void>;
  /** Back to the list of all. */
  clear(): void;
}

const NOTHING: CallSearchView = { found: undefined, nextCursor: null, problem: undefined, isSearching: false };

/** A search that is followed by another is given up. */
export function createCallSearchControl(client: HttpClient): CallSearchControl {
  const store = createStore<CallSearchView>(NOTHING);
  let text = "";
  let running = new AbortController();

  async function fetchPage(cursor: string | null): Promise<void> {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    store.update((view) => ({ ...view, isSearching: true, problem: undefined }));
    const answer = await client.postJson<Page<FoundCall>>("/api/v1/calls/search", { text, ...(cursor === null ? {} : { cursor }) }, signal);
    if (signal.aborted) return;
    store.update((view) =>
      answer.ok
        ? {
            ...{ isSearching: false, problem: undefined, nextCursor: answer.value.next_cursor },
            found: [...(cursor === null ? [] : (view.found ?? [])), ...answer.value.items],
          }
        : { ...view, isSearching: false, problem: answer.problem },
    );
  }

  return {
    store,
    search: (asked) => {
      text = asked;
      return fetchPage(null);
    },
    more: () => fetchPage(store.get().nextCursor),
    clear: () => {
      running.abort();
      text = "";
      store.update(() => NOTHING);
    },
  };
}
