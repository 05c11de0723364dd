/** What kind of case it is: five labels, each with its clearness, the words it rests on, and a way to correct it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Correction } from "../control/open-call-control.js";
import type { KnownLabels } from "../state/label-choices.js";
import type { Store } from "../state/store.js";
import { CLASSIFICATION_HEADS, type Classification, type ClassificationHead, type Feedback, type LabelDecision } from "../wire/call-shapes.js";
import type { Problem } from "../wire/problem.js";
import { labelLanguage, nameOfLabel } from "../words/page-language.js";
import { CorrectionForm } from "./correction-form.js";
import { EvidenceQuote } from "./evidence-quote.js";
import { ScoreMark } from "./score-mark.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly classification: Classification | undefined;
  readonly feedback: readonly Feedback[];
  readonly isLive: boolean;
  readonly knownLabels: Store<KnownLabels>;
  readonly onCorrect: (correction: Correction) => Promise<Problem | undefined>;
}

const QUOTES_SHOWN = 3;

export function CaseSection({ classification, feedback, isLive, knownLabels, onCorrect }: Props): JSX.Element {
  const { words } = useWords();
  return (
    <section aria-labelledby="case-heading">
      <h2 id="case-heading">{words.caseHeading}</h2>
      {classification === undefined ? <p class="empty">{words.caseNone}</p> : null}
      {classification === undefined
        ? null
        : CLASSIFICATION_HEADS.map((head) => (
            <CaseHead
              key={head}
              head={head}
              decision={classification[head]}
              said={feedback.findLast(({ task, item }) => task === "classification" && item === head)}
              isLive={isLive}
              knownLabels={knownLabels}
              onCorrect={onCorrect}
            />
          ))}
    </section>
  );
}

interface HeadProps extends Omit<Props, "classification" | "feedback"> {
  readonly head: ClassificationHead;
  readonly decision: LabelDecision;
  readonly said: Feedback | undefined;
}

function CaseHead({ head, decision, said, isLive, knownLabels, onCorrect }: HeadProps): JSX.Element {
  const { words } = useWords();
  const [isCorrecting, setIsCorrecting] = useState(false);
  const { label, score, evidence } = decision;
  const corrected = said?.correction?.label;
  return (
    <div class="case-head">
      <h3>{words.head[head]}</h3>
      <p class="case-label">
        {label === null ? (
          <span class="not-enough">{words.notEnough}</span>
        ) : (
          <>
            <strong lang={labelLanguage(head)}>{nameOfLabel(words, head, label)}</strong> <ScoreMark score={score} />
          </>
        )}
        {isCorrecting ? null : (
          <button type="button" class="quiet" id={`correct-${head}`} onClick={() => setIsCorrecting(true)}>
            {words.correct}
            <span class="unseen">: {words.head[head]}</span>
          </button>
        )}
      </p>
      {evidence.length === 0 ? null : (
        <p class="quotes">
          <span class="unseen">{words.restsOn}: </span>
          {evidence.slice(0, QUOTES_SHOWN).map((words_) => (
            <EvidenceQuote key={`${words_.segment_id}:${words_.start_offset}`} evidence={words_} />
          ))}
        </p>
      )}
      <p class="kept" role="status">
        {corrected === undefined ? null : (
          <>
            <span aria-hidden="true">✎ </span>
            {words.correctKept(nameOfLabel(words, head, corrected))}
          </>
        )}
        {said !== undefined && corrected === undefined && (said.rating ?? 0) >= 4 ? `✓ ${words.agreeKept}` : null}
      </p>
      {isCorrecting ? (
        <CorrectionForm
          head={head}
          label={label}
          isLive={isLive}
          knownLabels={knownLabels}
          onCorrect={onCorrect}
          onClose={() => {
            setIsCorrecting(false);
            requestAnimationFrame(() => document.getElementById(`correct-${head}`)?.focus());
          }}
        />
      ) : null}
    </div>
  );
}
