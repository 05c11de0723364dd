/** The calls in progress, most urgent first, and the past calls, newest first, or those that were searched for. */
import type { JSX } from "preact";
import type { CallListView } from "../control/call-list-control.js";
import type { CallSearchControl } from "../control/call-search-control.js";
import { isUnseen, type ListedCall, runningMs, toActiveList, toPastList } from "../state/call-list-state.js";
import { toClock, toSeconds, toTimeOfDay } from "../state/spoken-times.js";
import type { CallRecord } from "../wire/call-shapes.js";
import { nameOf } from "../words/page-language.js";
import { CallSearch } from "./call-search.js";
import { PastCall } from "./past-call.js";
import { ProblemNote } from "./problem-note.js";
import { useNow } from "./use-now.js";
import { useStore } from "./use-store.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly view: CallListView;
  readonly search: CallSearchControl;
  readonly selectedId: string | undefined;
  readonly onOpen: (callId: string) => void;
  readonly onMore: () => void;
}

/** Delays below this are not worth a word. */
const LAG_SHOWN_MS = 2_000;

export function CallList({ view, search, selectedId, onOpen, onMore }: Props): JSX.Element {
  const { words } = useWords();
  const active = toActiveList(view.list);
  const past = toPastList(view.list);
  const isSearched = useStore(search.store).found !== undefined;
  return (
    <nav class="calls" id="calls" tabIndex={-1} aria-label={words.calls}>
      <h2>
        {words.callsInProgress} <span class="count">{active.length}</span>
      </h2>
      {view.activeProblem === undefined ? null : <ProblemNote problem={view.activeProblem} isQuiet={true} />}
      {active.length === 0 && view.activeProblem === undefined ? <p class="empty">{words.noCallsInProgress}</p> : null}
      <ActiveCalls calls={active} selectedId={selectedId} onOpen={onOpen} />
      <h2>{words.pastCalls}</h2>
      <CallSearch control={search} selectedId={selectedId} onOpen={onOpen} />
      {isSearched ? null : <PastCalls view={view} calls={past} selectedId={selectedId} onOpen={onOpen} onMore={onMore} />}
    </nav>
  );
}

interface PastProps extends Omit<Props, "search"> {
  readonly calls: readonly CallRecord[];
}

function PastCalls({ view, calls, selectedId, onOpen, onMore }: PastProps): JSX.Element {
  const { words } = useWords();
  return (
    <>
      {view.pastProblem === undefined ? null : <ProblemNote problem={view.pastProblem} isQuiet={true} />}
      {calls.length === 0 && view.pastProblem === undefined && !view.isLoadingPast ? <p class="empty">{words.noPastCalls}</p> : null}
      <ul>
        {calls.map((call) => (
          <li key={call.call_id}>
            <PastCall call={call} isSelected={call.call_id === selectedId} onOpen={onOpen} />
          </li>
        ))}
      </ul>
      {view.list.nextCursor === null ? null : (
        <button type="button" class="more" aria-disabled={view.isLoadingPast} onClick={() => (view.isLoadingPast ? undefined : onMore())}>
          {view.isLoadingPast ? words.loading : words.moreCalls}
        </button>
      )}
    </>
  );
}

interface ActiveProps {
  readonly calls: readonly ListedCall[];
  readonly selectedId: string | undefined;
  readonly onOpen: (callId: string) => void;
}

function ActiveCalls({ calls, selectedId, onOpen }: ActiveProps): JSX.Element {
  const nowMs = useNow(calls.length > 0);
  return (
    <ul>
      {calls.map((call) => (
        <li key={call.callId}>
          <ActiveCall call={call} nowMs={nowMs} isSelected={call.callId === selectedId} onOpen={onOpen} />
        </li>
      ))}
    </ul>
  );
}

interface ActiveCallProps {
  readonly call: ListedCall;
  readonly nowMs: number;
  readonly isSelected: boolean;
  readonly onOpen: (callId: string) => void;
}

function ActiveCall({ call, nowMs, isSelected, onOpen }: ActiveCallProps): JSX.Element {
  const { words, language } = useWords();
  const risks = [...call.risks];
  const hasUnseen = risks.some(([, risk]) => isUnseen(risk));
  return (
    <button
      type="button"
      class={hasUnseen ? "call-item has-unseen" : "call-item"}
      aria-current={isSelected ? "true" : undefined}
      onClick={() => onOpen(call.callId)}
    >
      <span class="call-line">
        <strong>{toTimeOfDay(call.startedAt, language)}</strong>
        <span class={`phase ${call.phase}`}>{words.phase[call.phase]}</span>
        <span class="clock">
          <span class="unseen">{words.lasting("")}</span> {toClock(runningMs(call, nowMs))}
        </span>
      </span>
      {call.agentId === undefined ? null : <span class="small">{words.counsellorId(call.agentId)}</span>}
      {risks.map(([kind, risk]) => (
        <span key={kind} class={isUnseen(risk) ? "risk-mark unseen-risk" : "risk-mark"}>
          <span aria-hidden="true">{isUnseen(risk) ? "⚠ " : "✓ "}</span>
          {nameOf(words.riskKind, kind)}
          <span class="small"> ({isUnseen(risk) ? words.riskNew : words.riskSeen})</span>
        </span>
      ))}
      {call.lagMs !== undefined && call.lagMs > LAG_SHOWN_MS ? <span class="lag">{words.lag(toSeconds(call.lagMs))}</span> : null}
    </button>
  );
}
