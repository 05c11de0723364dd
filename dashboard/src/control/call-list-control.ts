/** Keeps the list of calls fresh: the socket of all calls tells changes, and answers of the gateway settle what it can't. */
import { type CallListState, EMPTY_CALL_LIST, withActiveCalls, withCallEvent, withMorePastCalls, withPastCalls } from "../state/call-list-state.js";
import { createStore, type Store } from "../state/store.js";
import type { CallRecord, LiveCall, Page } from "../wire/call-shapes.js";
import type { HttpClient } from "../wire/http-client.js";
import type { LiveEvent } from "../wire/live-event.js";
import { type Connection, type LiveSocket, openLiveSocket } from "../wire/live-socket.js";
import type { Problem } from "../wire/problem.js";
import { openBrowserSocket } from "./browser-socket.js";

export interface CallListView {
  readonly list: CallListState;
  readonly connection: Connection;
  readonly activeProblem: Problem | undefined;
  readonly pastProblem: Problem | undefined;
  readonly isLoadingPast: boolean;
}

export interface CallListControl {
  readonly store: Store<CallListView>;
  loadMore(): Promise<void>;
  hurry(): void;
  close(): void;
}

const REFRESH_MS = 10_000;
/** While the socket tells what happens, only every third refresh is made. */
const REFRESHES_SKIPPED = 3;
const SOON_MS = 1_500;
const PAST_PAGE = 25;

export function createCallListControl(client: HttpClient, onEvent: (event: LiveEvent) => void): CallListControl {
  const store = createStore<CallListView>({
    list: EMPTY_CALL_LIST,
    connection: { name: "connecting" },
    activeProblem: undefined,
    pastProblem: undefined,
    isLoadingPast: true,
  });
  const leaving = new AbortController();
  let soon: ReturnType<typeof setTimeout> | undefined;

  async function refreshActive(): Promise<void> {
    const askedAtMs = Date.now();
    const before = store.get().list.active;
    const answer = await client.getJson<{ items: readonly LiveCall[] }>("/api/v1/calls/active", leaving.signal);
    if (leaving.signal.aborted) return;
    if (!answer.ok) {
      store.update((view) => ({ ...view, activeProblem: answer.problem }));
      return;
    }
    store.update((view) => ({
      ...view,
      activeProblem: undefined,
      list: withActiveCalls(view.list, answer.value.items, { askedAtMs, nowMs: Date.now() }),
    }));
    const { active } = store.get().list;
    if ([...before.keys()].some((callId) => !active.has(callId))) await refreshPast();
  }

  async function fetchPast(cursor: string | null): Promise<void> {
    store.update((view) => ({ ...view, isLoadingPast: true }));
    const query = new URLSearchParams({ limit: String(PAST_PAGE), ...(cursor === null ? {} : { cursor }) });
    const answer = await client.getJson<Page<CallRecord>>(`/api/v1/calls?${query}`, leaving.signal);
    if (leaving.signal.aborted) return;
    const withPage = cursor === null ? withPastCalls : withMorePastCalls;
    store.update((view) =>
      answer.ok
        ? { ...view, isLoadingPast: false, pastProblem: undefined, list: withPage(view.list, answer.value) }
        : { ...view, isLoadingPast: false, pastProblem: answer.problem },
    );
  }

  const refreshPast = (): Promise<void> => fetchPast(null);

  function refreshSoon(): void {
    if (soon !== undefined) return;
    soon = setTimeout(() => {
      soon = undefined;
      void refreshActive();
    }, SOON_MS);
  }

  function take(event: LiveEvent): "taken" {
    const before = store.get().list;
    const list = withCallEvent(before, event, Date.now());
    store.update((view) => ({ ...view, list }));
    if (list !== before) onEvent(event);
    const isOver = event.type === "analysis.completed" || event.type === "call.failed";
    if (isOver) void refreshPast();
    else if (event.type === "call.started" || !list.active.has(event.call_id)) refreshSoon();
    return "taken";
  }

  const socket: LiveSocket = openLiveSocket({
    openSocket: openBrowserSocket,
    fetchTicket: (signal) => client.postJson("/api/v1/tickets", {}, signal),
    address: () => "/api/v1/live",
    onOpen: () => {
      void refreshActive();
      void refreshPast();
    },
    onEvent: take,
    onConnection: (connection) => store.update((view) => ({ ...view, connection })),
    endsByItself: false,
  });
  void refreshActive();
  void refreshPast();
  let refreshes = 0;
  const refreshing = setInterval(() => {
    refreshes += 1;
    if (store.get().connection.name !== "live" || refreshes % REFRESHES_SKIPPED === 0) void refreshActive();
  }, REFRESH_MS);

  return {
    store,
    loadMore: () => fetchPast(store.get().list.nextCursor),
    hurry: () => socket.hurry(),
    close: () => {
      leaving.abort();
      socket.close();
      clearInterval(refreshing);
      clearTimeout(soon);
    },
  };
}
