/** One of the past calls in a list. */
import type { ComponentChildren, JSX } from "preact";
import { toClock, toDayAndTime } from "../state/spoken-times.js";
import type { CallRecord } from "../wire/call-shapes.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly call: CallRecord;
  readonly isSelected: boolean;
  readonly onOpen: (callId: string) => void;
  /** More of it, under it. */
  readonly children?: ComponentChildren;
}

export function PastCall({ call, isSelected, onOpen, children }: Props): JSX.Element {
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
      {children}
    </button>
  );
}
