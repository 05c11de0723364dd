/** What is said, caller and counsellor side by side in time order. Follows the newest line until the reader scrolls up. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LinePlayer } from "../control/line-player.js";
import type { CallState } from "../state/call-state.js";
import { type EvidencePlace, findEvidence } from "../state/evidence-place.js";
import type { TextMark } from "../state/marked-text.js";
import { neighbourLine, toLineIds, toRows } from "../state/transcript-rows.js";
import type { Segment } from "../wire/call-shapes.js";
import type { Jump } from "./open-call.js";
import { PlayerBar } from "./player-bar.js";
import { TranscriptLine } from "./transcript-line.js";
import { useShortcuts } from "./use-shortcuts.js";
import { useStore } from "./use-store.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly call: CallState;
  readonly isLive: boolean;
  /** Begin at the newest line, as a call in progress is read; others begin at their start. */
  readonly startsAtEnd: boolean;
  readonly jump: Jump | undefined;
  readonly player: LinePlayer;
  readonly onHear: (segment: Segment) => void;
}

/** Closer to the end than this counts as being at the end. */
const NEAR_END_PX = 48;

export function Transcript({ call, isLive, startsAtEnd, jump, player, onHear }: Props): JSX.Element {
  const { words } = useWords();
  const { segments, interims, notes, translation } = call;
  const rows = useMemo(() => toRows({ segments, interims, notes }), [segments, interims, notes]);
  const lineIds = useMemo(() => toLineIds(rows), [rows]);
  const { marks, riskLines } = useMarks(call, jump);
  const translations = useMemo(
    () => new Map(translation?.segments.map(({ segment_id: id, text }) => [id, { text, language: translation.language }])),
    [translation],
  );
  const [isTranslated, setIsTranslated] = useState(false);
  const [current, setCurrent] = useState<string>();
  const currentLine = current !== undefined && segments.has(current) ? current : lineIds.at(-1);
  const playing = useStore(player.store);
  const playingId = playing.name === "playing" || playing.name === "loading" ? playing.segmentId : undefined;
  const { scroller, isFollowing, unread, goToEnd, onScroll } = useFollowing(startsAtEnd, lineIds.length, rows);

  useEffect(() => {
    if (jump === undefined) return;
    setCurrent(jump.place.segmentId);
    showLine(jump.place.segmentId);
  }, [jump]);

  function step(by: 1 | -1): void {
    const next = neighbourLine(lineIds, current, by);
    if (next === undefined) return;
    setCurrent(next);
    showLine(next);
  }
  useShortcuts({
    "next-line": () => step(1),
    "previous-line": () => step(-1),
    newest: goToEnd,
    "hear-line": () => {
      const segment = currentLine === undefined ? undefined : segments.get(currentLine);
      if (segment !== undefined) onHear(segment);
    },
  });

  // A click anywhere on a line's words is a short way to its own button, which the keyboard reaches.
  useEffect(() => {
    const place = scroller.current;
    const onClick = ({ target }: MouseEvent): void => {
      if (!(target instanceof Element) || target.closest("button") !== null || window.getSelection()?.isCollapsed === false) return;
      const lineId = target.closest<HTMLElement>("[data-line]")?.dataset["line"];
      const segment = lineId === undefined ? undefined : segments.get(lineId);
      if (segment === undefined) return;
      setCurrent(segment.id);
      onHear(segment);
    };
    place?.addEventListener("click", onClick);
    return () => place?.removeEventListener("click", onClick);
  }, [segments, onHear]);

  return (
    <section class="transcript" aria-labelledby="transcript-heading">
      <div class="section-head">
        <h2 id="transcript-heading">{words.transcript}</h2>
        {translation === undefined ? null : (
          <label class="check">
            <input type="checkbox" checked={isTranslated} onChange={(event) => setIsTranslated(event.currentTarget.checked)} />
            <span>{words.showTranslation}</span>
          </label>
        )}
      </div>
      <div class="speakers" aria-hidden="true">
        <span>{words.channel.caller}</span>
        <span>{words.channel.agent}</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a place that scrolls must be reachable by the keyboard */}
      <div class="scroller" id="transcript" ref={scroller} tabIndex={0} role="log" aria-live="off" aria-label={words.transcript} onScroll={onScroll}>
        {rows.length === 0 ? <p class="empty">{isLive ? words.transcriptEmptyLive : words.transcriptEmptyPast}</p> : null}
        <ol>
          {rows.map((row) => (
            <TranscriptLine
              key={row.key}
              row={row}
              marks={row.kind === "final" ? marks.get(row.key) : undefined}
              hasRisk={riskLines.has(row.key)}
              isCurrent={row.key === currentLine}
              isPlaying={row.key === playingId}
              translation={isTranslated ? translations.get(row.key) : undefined}
              words={words}
              onHear={onHear}
            />
          ))}
        </ol>
      </div>
      {isFollowing || !isLive ? null : (
        <button type="button" class="newest" onClick={goToEnd}>
          <span aria-hidden="true">↓ </span>
          {unread > 0 ? words.newLines(unread) : words.newest}
        </button>
      )}
      <PlayerBar player={player} />
    </section>
  );
}

interface LineMarks {
  /** The words to mark, by line: what a risk rests on, and what the reader asked to see. */
  readonly marks: ReadonlyMap<string, readonly TextMark[]>;
  readonly riskLines: ReadonlySet<string>;
}

function useMarks({ risks, segments }: CallState, jump: Jump | undefined): LineMarks {
  return useMemo(() => {
    const marks = new Map<string, TextMark[]>();
    const riskLines = new Set<string>();
    function add(kind: TextMark["kind"], { segmentId, startOffset, endOffset }: EvidencePlace): void {
      if (startOffset === undefined || endOffset === undefined) return;
      marks.set(segmentId, [...(marks.get(segmentId) ?? []), { kind, startOffset, endOffset }]);
    }
    for (const evidence of risks.flatMap(({ finding }) => finding.evidence)) {
      const place = findEvidence(segments, evidence);
      if (place === undefined) continue;
      riskLines.add(place.segmentId);
      add("risk", place);
    }
    if (jump !== undefined) add("focus", jump.place);
    return { marks, riskLines };
  }, [risks, segments, jump]);
}

interface Following {
  readonly scroller: { current: HTMLDivElement | null };
  readonly isFollowing: boolean;
  /** Settled lines that came since the reader left the end. */
  readonly unread: number;
  readonly goToEnd: () => void;
  readonly onScroll: () => void;
}

/** Keeps the newest row in view while the reader is at the end. */
function useFollowing(startsAtEnd: boolean, lineCount: number, rows: unknown): Following {
  const scroller = useRef<HTMLDivElement>(null);
  const following = useRef(startsAtEnd);
  const [isFollowing, setIsFollowing] = useState(startsAtEnd);
  const [leftAt, setLeftAt] = useState(0);

  function follow(isAtEnd: boolean): void {
    if (isAtEnd === following.current) return;
    following.current = isAtEnd;
    setLeftAt(lineCount);
    setIsFollowing(isAtEnd);
  }
  const toEnd = (): void => {
    const place = scroller.current;
    if (following.current && place !== null) place.scrollTop = place.scrollHeight;
  };
  function goToEnd(): void {
    follow(true);
    toEnd();
  }
  function onScroll(): void {
    const place = scroller.current;
    if (place !== null) follow(place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_END_PX);
  }
  useLayoutEffect(toEnd, [rows]);
  // A risk that appears above, or a smaller window, must not hide the newest line.
  useEffect(() => {
    if (scroller.current === null) return;
    const observer = new ResizeObserver(toEnd);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  return { scroller, isFollowing, unread: lineCount - leftAt, goToEnd, onScroll };
}

/** Shows a line and gives it the focus, so that Enter plays it. */
function showLine(segmentId: string): void {
  const line = document.getElementById(`line-${segmentId}`);
  line?.scrollIntoView({ block: "center" });
  line?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
}
