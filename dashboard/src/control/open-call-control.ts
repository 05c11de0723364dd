/** One open call: follows its events without losing or repeating one, and does to it what the person asks. */
import { type CallState, emptyCall, isRunning, reduceCall, withAnalysis } from "../state/call-state.js";
import { createEventSequence } from "../state/event-sequence.js";
import { withAcknowledged } from "../state/risk-state.js";
import { createStore, type Store } from "../state/store.js";
import type { Answer } from "../wire/answer.js";
import type { Analysis, CallRecord, ClassificationHead, Feedback } from "../wire/call-shapes.js";
import type { HttpClient } from "../wire/http-client.js";
import type { LiveEvent } from "../wire/live-event.js";
import { type Connection, type LiveSocket, openLiveSocket } from "../wire/live-socket.js";
import type { Problem } from "../wire/problem.js";
import { openBrowserSocket } from "./browser-socket.js";

export interface OpenCallView {
  readonly call: CallState;
  readonly record: CallRecord | undefined;
  readonly connection: Connection;
  readonly problem: Problem | undefined;
  readonly feedback: readonly Feedback[];
}

export interface Correction {
  readonly head: ClassificationHead;
  /** Undefined: the person says that the label is right. */
  readonly label: string | undefined;
  readonly reason: string;
}

export interface OpenCallControl {
  readonly store: Store<OpenCallView>;
  acknowledge(kind: string): Promise<Problem | undefined>;
  change(what: "pause" | "resume" | "end"): Promise<Problem | undefined>;
  correct(correction: Correction): Promise<Problem | undefined>;
  hurry(): void;
  close(): void;
}

/** Events of a long replay are shown together. */
const BATCH_MS = 40;
const AGREES_RATING = 5;

export function createOpenCallControl(client: HttpClient, callId: string): OpenCallControl {
  const store = createStore<OpenCallView>({
    call: emptyCall(callId),
    record: undefined,
    connection: { name: "connecting" },
    problem: undefined,
    feedback: [],
  });
  const path = `/api/v1/calls/${encodeURIComponent(callId)}`;
  const leaving = new AbortController();
  const sequence = createEventSequence();
  /** The state with all events taken; the store follows in batches. */
  let latest = store.get().call;
  let flushing: ReturnType<typeof setTimeout> | undefined;
  let hasAskedAnalysis = false;

  function flush(): void {
    clearTimeout(flushing);
    flushing = undefined;
    const call = latest;
    store.update((view) => ({ ...view, call }));
  }

  function change(next: CallState): void {
    latest = next;
    flushing ??= setTimeout(flush, BATCH_MS);
  }

  function take(event: LiveEvent): "taken" | "ask-again" {
    const verdict = sequence.judge(event.seq, latest.lastSeq);
    if (verdict === "ask-again") return "ask-again";
    if (verdict === "take") change(reduceCall(latest, event));
    if (event.type === "analysis.completed") void fetchFeedback();
    return "taken";
  }

  async function fetchRecord(): Promise<void> {
    const answer = await client.getJson<CallRecord>(path, leaving.signal);
    if (leaving.signal.aborted) return;
    // A call in progress may have no record yet; that is no problem while its events come.
    if (answer.ok) store.update((view) => ({ ...view, record: answer.value }));
    else if (answer.problem.status === 403) store.update((view) => ({ ...view, problem: answer.problem }));
  }

  async function fetchFeedback(): Promise<void> {
    const answer = await client.getJson<{ items: readonly Feedback[] }>(`/api/v1/agent-feedback?call_id=${encodeURIComponent(callId)}`, leaving.signal);
    if (!leaving.signal.aborted && answer.ok) store.update((view) => ({ ...view, feedback: answer.value.items }));
  }

  /** For calls whose events are not there (any more). */
  async function fetchAnalysis(): Promise<void> {
    if (hasAskedAnalysis) return;
    hasAskedAnalysis = true;
    const answer = await client.getJson<Analysis>(`${path}/analysis`, leaving.signal);
    if (leaving.signal.aborted) return;
    if (answer.ok) change(withAnalysis(latest, answer.value));
    else store.update((view) => ({ ...view, problem: answer.problem }));
  }

  function watchConnection(connection: Connection): void {
    store.update((view) => ({ ...view, connection, problem: connection.name === "refused" ? connection.problem : view.problem }));
    const isEmpty = latest.segments.size === 0 && latest.interims.size === 0;
    const hasFailed = connection.name === "waiting" || connection.name === "refused";
    if (isEmpty && (connection.name === "finished" || (hasFailed && latest.lastSeq === 0))) void fetchAnalysis();
  }

  async function tell<Value>(asked: Promise<Answer<Value>>, apply?: (value: Value) => void): Promise<Problem | undefined> {
    const answer = await asked;
    if (!answer.ok) return answer.problem;
    if (!leaving.signal.aborted) apply?.(answer.value);
    return undefined;
  }

  const socket: LiveSocket = openLiveSocket({
    openSocket: openBrowserSocket,
    fetchTicket: (signal) => client.postJson("/api/v1/tickets", {}, signal),
    address: () => {
      sequence.restart();
      return `${path}/live?after=${latest.lastSeq}`;
    },
    onEvent: take,
    onConnection: watchConnection,
    endsByItself: true,
  });
  void fetchRecord();
  void fetchFeedback();

  return {
    store,
    acknowledge: (kind) =>
      tell(
        client.postJson<{ acknowledged_at: string; acknowledged_by: string }>(`${path}/risks/${encodeURIComponent(kind)}/acknowledge`, {}),
        ({ acknowledged_at: at, acknowledged_by: by }) => change({ ...latest, risks: withAcknowledged(latest.risks, { kind, by, at }) }),
      ),
    change: (what) =>
      tell(client.postJson<{ state: CallState["phase"] }>(`${path}/${what}`, {}), ({ state: phase }) => {
        if (isRunning(latest.phase)) change({ ...latest, phase });
      }),
    correct: ({ head, label, reason }) => {
      const said = label === undefined ? { rating: AGREES_RATING } : { correction: { label } };
      const body = { call_id: callId, task: "classification", item: head, ...said, ...(reason === "" ? {} : { reason }) };
      return tell(client.postJson<Feedback>("/api/v1/agent-feedback", body), (kept) =>
        store.update((view) => ({ ...view, feedback: [...view.feedback, kept] })),
      );
    },
    hurry: () => socket.hurry(),
    close: () => {
      leaving.abort();
      socket.close();
      clearTimeout(flushing);
    },
  };
}
