/** Names and details found in the call, by what they are, each with every place it is said. */
import type { JSX } from "preact";
import type { Entity } from "../wire/call-shapes.js";
import { nameOf } from "../words/page-language.js";
import { EvidenceQuote } from "./evidence-quote.js";
import { ScoreMark } from "./score-mark.js";
import { useWords } from "./use-words.js";

export function EntitySection({ entities = [] }: { readonly entities: readonly Entity[] | undefined }): JSX.Element {
  const { words } = useWords();
  const labels = [...new Set(entities.map(({ label }) => label))];
  return (
    <section aria-labelledby="entities-heading">
      <h2 id="entities-heading">{words.entities}</h2>
      {entities.length === 0 ? <p class="empty">{words.entitiesNone}</p> : null}
      <dl class="entities">
        {labels.map((label) => (
          <div key={label}>
            <dt>{nameOf(words.entityLabel, label)}</dt>
            {entities
              .filter((entity) => entity.label === label)
              .map((entity) => (
                <dd key={entity.text}>
                  <EntityWords entity={entity} />
                </dd>
              ))}
          </div>
        ))}
      </dl>
    </section>
  );
}

function EntityWords({ entity }: { readonly entity: Entity }): JSX.Element {
  return (
    <>
      <ScoreMark score={entity.score} />
      <span class="quotes">
        {entity.mentions.map((mention) => (
          <EvidenceQuote key={`${mention.segment_id}:${mention.start_offset}`} evidence={mention} />
        ))}
        {entity.mentions.length === 0 ? entity.text : null}
      </span>
    </>
  );
}
