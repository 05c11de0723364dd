/** The call in a few sentences, each with the words it rests on. */
import type { JSX } from "preact";
import { type Summary, WITHHELD } from "../wire/call-shapes.js";
import { EvidenceQuote } from "./evidence-quote.js";
import { useWords } from "./use-words.js";

const QUOTES_SHOWN = 3;

export function SummarySection({ summary }: { readonly summary: Summary | undefined }): JSX.Element {
  const { words } = useWords();
  const sentences = summary?.sentences ?? [];
  return (
    <section aria-labelledby="summary-heading">
      <h2 id="summary-heading">{words.summary}</h2>
      {sentences.length === 0 ? <p class="empty">{words.summaryNone}</p> : null}
      <ul class="summary">
        {sentences.map(({ text, evidence }, index) => (
          <li key={`${index}:${text}`}>
            {text === WITHHELD ? <i>{words.withheld}</i> : text}
            <span class="quotes">
              {evidence.slice(0, QUOTES_SHOWN).map((rest) => (
                <EvidenceQuote key={`${rest.segment_id}:${rest.start_offset}`} evidence={rest} />
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
