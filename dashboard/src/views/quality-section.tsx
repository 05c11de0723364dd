/** The marks of the conversation check, closed until asked for. */
import type { JSX } from "preact";
import type { Quality, QualityMark } from "../wire/call-shapes.js";
import { EvidenceQuote } from "./evidence-quote.js";
import { useWords } from "./use-words.js";

const SIGNS: Readonly<Record<QualityMark, string>> = { met: "✓", not_met: "✕", not_enough_evidence: "·" };

export function QualitySection({ quality }: { readonly quality: Quality }): JSX.Element {
  const { words } = useWords();
  return (
    <details class="quality">
      <summary>
        <h2>{words.quality}</h2>
      </summary>
      {quality.heads.map(({ head, items }) => (
        <div key={head}>
          <h3 lang="en">{head}</h3>
          <ul>
            {items.map(({ item, mark, evidence }) => (
              <li key={item} class={mark}>
                <span aria-hidden="true">{SIGNS[mark]} </span>
                <span lang="en">{item}</span>: <strong>{words.mark[mark]}</strong>
                <span class="quotes">
                  {evidence.slice(0, 1).map((rest) => (
                    <EvidenceQuote key={rest.segment_id} evidence={rest} />
                  ))}
                </span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </details>
  );
}
