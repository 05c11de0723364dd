/** The questions of the case form, each with the words that answer it. */
import type { JSX } from "preact";
import type { CaseAnswer } from "../wire/call-shapes.js";
import { EvidenceQuote } from "./evidence-quote.js";
import { useWords } from "./use-words.js";

export function CaseFormSection({ answers }: { readonly answers: readonly CaseAnswer[] }): JSX.Element {
  const { words } = useWords();
  return (
    <section aria-labelledby="case-form-heading">
      <h2 id="case-form-heading">{words.caseForm}</h2>
      <ul class="summary">
        {answers.map(({ id, question, evidence }) => (
          <li key={id}>
            {question}
            <span class="quotes">
              {evidence.length === 0 ? <i>{words.notSaid}</i> : null}
              {evidence.slice(0, 1).map((rest) => (
                <EvidenceQuote key={`${rest.segment_id}:${rest.start_offset}`} evidence={rest} />
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
