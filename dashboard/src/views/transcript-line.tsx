/** One row of the transcript: a settled line, speech in progress, or a note of what happened between. */
import type { JSX } from "preact";
import type { CallNote, InterimText } from "../state/call-state.js";
import { type TextMark, toRuns } from "../state/marked-text.js";
import { toClock } from "../state/spoken-times.js";
import type { TranscriptRow } from "../state/transcript-rows.js";
import { type Segment, WITHHELD } from "../wire/call-shapes.js";
import type { Words } from "../words/words-en.js";
import { memoView } from "./memo-view.js";

interface Props {
  readonly row: TranscriptRow;
  readonly marks: readonly TextMark[] | undefined;
  readonly hasRisk: boolean;
  readonly isCurrent: boolean;
  readonly isPlaying: boolean;
  readonly translation: { readonly text: string; readonly language: string } | undefined;
  readonly words: Words;
  readonly onHear: (segment: Segment) => void;
}

export const TranscriptLine = memoView((props: Props): JSX.Element => {
  const { row, words } = props;
  if (row.kind === "note") return <NoteLine note={row.note} words={words} />;
  if (row.kind === "interim") return <InterimLine interim={row.interim} words={words} />;
  return <FinalLine {...props} segment={row.segment} />;
});

function FinalLine({ segment, marks, hasRisk, isCurrent, isPlaying, translation, words, onHear }: Props & { readonly segment: Segment }): JSX.Element {
  const { id, channel, start_ms: startMs, text, language, suspect } = segment;
  const classes = ["line", channel, hasRisk ? "has-risk" : "", suspect === undefined ? "" : "suspect", isPlaying ? "playing" : ""];
  return (
    <li class={classes.filter((name) => name !== "").join(" ")} id={`line-${id}`} data-line={id}>
      <div class="line-head">
        <span class="who">{words.channel[channel]}</span>
        <button
          type="button"
          class="hear"
          tabIndex={isCurrent ? 0 : -1}
          aria-label={words.hearLine(words.channel[channel], toClock(startMs))}
          aria-describedby={`text-${id}`}
          onClick={() => onHear(segment)}
        >
          <span aria-hidden="true">{isPlaying ? "❚❚" : "▶"}</span> {toClock(startMs)}
        </button>
        {hasRisk ? (
          <span class="line-risk">
            <span aria-hidden="true">⚠</span>
            <span class="unseen">{words.risks}</span>
          </span>
        ) : null}
      </div>
      <p id={`text-${id}`} lang={language === "und" || language === "mixed" ? undefined : language}>
        {text === WITHHELD ? <i>{words.withheld}</i> : <MarkedText text={text} marks={marks} />}
      </p>
      {suspect === undefined ? null : (
        <p class="suspect-note">
          <span aria-hidden="true">? </span>
          {words.suspect[suspect]}
        </p>
      )}
      {translation === undefined ? null : (
        <p class="translation" lang={translation.language}>
          {translation.text}
        </p>
      )}
    </li>
  );
}

function MarkedText({ text, marks = [] }: { readonly text: string; readonly marks?: readonly TextMark[] | undefined }): JSX.Element {
  return (
    <>
      {toRuns(text, marks).map(({ text: run, startOffset, kinds }) => {
        if (kinds.length === 0) return run;
        const isRisk = kinds.includes("risk");
        if (!kinds.includes("focus")) {
          return (
            <span key={startOffset} class="risk-words">
              {run}
            </span>
          );
        }
        return (
          <mark key={startOffset} class={isRisk ? "risk-words" : ""}>
            {run}
          </mark>
        );
      })}
    </>
  );
}

function InterimLine({ interim, words }: { readonly interim: InterimText; readonly words: Words }): JSX.Element {
  const { channel, startMs, text, stableLength } = interim;
  return (
    <li class={`line interim ${channel}`}>
      <div class="line-head">
        <span class="who">{words.channel[channel]}</span>
        <span class="time">{toClock(startMs)}</span>
        <span class="unsettled">{words.unsettled}</span>
      </div>
      <p>
        {text === WITHHELD ? (
          <i>{words.withheld}</i>
        ) : (
          <>
            <span class="stable">{text.slice(0, stableLength)}</span>
            <i>{text.slice(stableLength)}</i>
          </>
        )}
      </p>
    </li>
  );
}

function NoteLine({ note, words }: { readonly note: CallNote; readonly words: Words }): JSX.Element {
  const said =
    note.kind === "digit"
      ? words.noteDigit(words.channel[note.channel ?? "caller"], note.digit ?? "")
      : note.kind === "paused"
        ? words.notePaused
        : words.noteResumed;
  return (
    <li class="note">
      {toClock(note.atMs)} · {said}
    </li>
  );
}
