/** The calls in progress, most urgent first, and the past calls, newest first. */
import type { JSX } from "preact";
import type { CallListView } from "../control/call-list-control.js";
import { isUnseen, type ListedCall, runningMs, toActiveList, toPastList } from "../state/call-list-state.js";
import { toClock, toDayAndTime, toSeconds, toTimeOfDay } from "../state/spoken-times.js";
import type { CallRecord } from "../wire/call-shapes.js";
import { nameOf } from "../words/page-language.js";
import { ProblemNote } from "./problem-note.js";
import { useNow } from "./use-now.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly view: CallListView;
  readonly selectedId: string | undefined;
  readonly onOpen: (callId: string) => void;
  readonly onMore: () => void;
}

/** Delays below this are not worth a word. */
const LAG_SHOWN_MS = 2_000;

export function CallList({ view, selectedId, onOpen, onMore }: Props): JSX.Element {
  const { words } = useWords();
  const active = toActiveList(view.list);
  const past = toPastList(view.list);
  return (
    <nav class="calls" id="calls" tabIndex={-1} aria-label={words.calls}>
      <h2>
        {words.callsInProgress} <span class="count">{active.length}</span>
      </h2>
      {view.activeProblem === undefined ? null : <ProblemNote problem={view.activeProblem} isQuiet={true} />}
      {active.length === 0 && view.activeProblem === undefined ? <p class="empty">{words.noCallsInProgress}</p> : null}
      <ActiveCalls calls={active} selectedId={selectedId} onOpen={onOpen} />
      <h2>{words.pastCalls}</h2>
      {view.pastProblem === undefined ? null : <ProblemNote problem={view.pastProblem} isQuiet={true} />}
      {past.length === 0 && view.pastProblem === undefined && !view.isLoadingPast ? <p class="empty">{words.noPastCalls}</p> : null}
      <ul>
        {past.map((call) => (
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
    </nav>
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

interface PastCallProps {
  readonly call: CallRecord;
  readonly isSelected: boolean;
  readonly onOpen: (callId: string) => void;
}

function PastCall({ call, isSelected, onOpen }: PastCallProps): JSX.Element {
  const { words, language } = useWords();
  return (
    <button type="button" class="call-item" aria-current={isSelected ? "true" : undefined} onClick={() => onOpen(call.call_id)}>
      <span class="call-line">
        <strong>{toDayAndTime(call.started_at, language)}</strong>
        {call.duration_ms === null ? null : (
          <span class="clock">
            <span class="unseen">{words.lasting("")}</span> {toClock(call.duration_ms)}
          </span>
        )}
      </span>
      <span class="small">
        {call.source === "upload" ? words.recording : words.liveCall}
        {call.status === "completed" ? "" : ` · ${words.status[call.status]}`}
        {call.agent_id === undefined ? "" : ` · ${words.counsellorId(call.agent_id)}`}
      </span>
    </button>
  );
}
