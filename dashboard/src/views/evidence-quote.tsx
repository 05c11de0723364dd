/** The words a finding rests on, as a button that shows them in the transcript; plain words when they are not there any more. */
import type { JSX } from "preact";
import { findEvidence } from "../state/evidence-place.js";
import { toClock } from "../state/spoken-times.js";
import { type Evidence, WITHHELD } from "../wire/call-shapes.js";
import { useCallDesk } from "./use-call-desk.js";
import { useWords } from "./use-words.js";

export function EvidenceQuote({ evidence }: { readonly evidence: Evidence }): JSX.Element {
  const { words } = useWords();
  const { segments, jumpTo } = useCallDesk();
  const place = findEvidence(segments, evidence);
  const language = segments.get(evidence.segment_id)?.language;
  const quote = (
    <>
      {evidence.text === WITHHELD ? <i>{words.withheld}</i> : <q lang={language === "und" || language === "mixed" ? undefined : language}>{evidence.text}</q>}
      <span class="quote-time">
        {words.channel[evidence.channel]} {toClock(evidence.start_ms)}
      </span>
    </>
  );
  if (place === undefined) return <span class="quote">{quote}</span>;
  return (
    <button type="button" class="quote" title={words.showWords} onClick={() => jumpTo(place)}>
      {quote}
    </button>
  );
}
