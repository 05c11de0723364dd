/** Which call is open, how it stands, and what can be done to it while it runs. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { OpenCallControl, OpenCallView } from "../control/open-call-control.js";
import type { ListedCall } from "../state/call-list-state.js";
import { isRunning } from "../state/call-state.js";
import { toClock, toDayAndTime } from "../state/spoken-times.js";
import type { CallPhase } from "../wire/call-shapes.js";
import type { Problem } from "../wire/problem.js";
import { ConnectionMark } from "./connection-mark.js";
import { ModalDialog } from "./modal-dialog.js";
import { ProblemNote } from "./problem-note.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly view: OpenCallView;
  /** Undefined until it is known. */
  readonly phase: CallPhase | undefined;
  readonly listed: ListedCall | undefined;
  readonly control: OpenCallControl;
  readonly onBack: () => void;
}

export function CallHeader({ view, phase, listed, control, onBack }: Props): JSX.Element {
  const { words, language } = useWords();
  const { call, record } = view;
  const startedAt = record?.started_at ?? listed?.startedAt ?? call.startedAt ?? "";
  const agentId = record?.agent_id ?? listed?.agentId;
  const durationMs = isRunning(phase) ? undefined : (call.durationMs ?? record?.duration_ms ?? undefined);
  return (
    <header class="call-header">
      <button type="button" class="back narrow-only" onClick={onBack}>
        <span aria-hidden="true">← </span>
        {words.backToCalls}
      </button>
      <div class="call-title">
        <h1>{words.callFrom(toDayAndTime(startedAt, language))}</h1>
        {phase === undefined ? null : <span class={`phase ${phase}`}>{words.phase[phase]}</span>}
        {durationMs === undefined ? null : <span class="clock">{toClock(durationMs)}</span>}
        {agentId === undefined ? null : <span class="small">{words.counsellorId(agentId)}</span>}
        <ConnectionMark connection={view.connection} onHurry={() => control.hurry()} />
      </div>
      {isRunning(phase) ? <CallControls phase={phase} control={control} /> : null}
      <CallCourse view={view} phase={phase} />
      {view.problem === undefined ? null : <ProblemNote problem={view.problem} />}
    </header>
  );
}

function CallCourse({ view, phase }: { readonly view: OpenCallView; readonly phase: CallPhase | undefined }): JSX.Element | null {
  const { words } = useWords();
  const { endReason, outcome, progress } = view.call;
  if (phase === "paused") return <p role="status">{words.pausedHint}</p>;
  if (isRunning(phase)) return null;
  const isUnderWay = outcome === undefined && view.connection.name !== "finished" && (endReason !== undefined || progress > 0);
  if (endReason === undefined && outcome === undefined && !isUnderWay) return null;
  return (
    <p role="status" class="course">
      {endReason === undefined ? null : `${words.endedFor[endReason]} `}
      {outcome === undefined ? null : words.outcome[outcome]}
      {isUnderWay ? words.analysisRunning(progress) : null}
    </p>
  );
}

function CallControls({ phase, control }: { readonly phase: CallPhase | undefined; readonly control: OpenCallControl }): JSX.Element {
  const { words } = useWords();
  const [isAsking, setIsAsking] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();

  async function change(what: "pause" | "resume" | "end"): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    setProblem(await control.change(what));
    setIsBusy(false);
  }

  const isPaused = phase === "paused";
  const isEnding = phase === "ending";
  return (
    <>
      <div class="buttons">
        <button type="button" aria-disabled={isBusy || isEnding} onClick={() => (isEnding ? undefined : void change(isPaused ? "resume" : "pause"))}>
          <span aria-hidden="true">{isPaused ? "▶ " : "❚❚ "}</span>
          {isPaused ? words.resume : words.pause}
        </button>
        <button type="button" class="danger" aria-disabled={isBusy || isEnding} onClick={() => setIsAsking(!isEnding)}>
          <span aria-hidden="true">■ </span>
          {words.end}
        </button>
      </div>
      {problem === undefined ? null : <ProblemNote problem={problem} />}
      {isAsking ? (
        <ModalDialog title={words.endTitle} onClose={() => setIsAsking(false)}>
          <p>{words.endText}</p>
          <p class="buttons">
            <button type="button" onClick={() => setIsAsking(false)}>
              {words.cancel}
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => {
                setIsAsking(false);
                void change("end");
              }}
            >
              {words.endConfirm}
            </button>
          </p>
        </ModalDialog>
      ) : null}
    </>
  );
}
