/** Signs of danger over the call: those nobody has seen speak up, highest first; those that were seen stay, calm. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { inUrgency, isCalm, type RiskState } from "../state/risk-state.js";
import { toClock, toTimeOfDay } from "../state/spoken-times.js";
import type { Problem } from "../wire/problem.js";
import { nameOf } from "../words/page-language.js";
import { EvidenceQuote } from "./evidence-quote.js";
import { LevelMark } from "./level-mark.js";
import { ProblemNote } from "./problem-note.js";
import { useShortcuts } from "./use-shortcuts.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly risks: readonly RiskState[];
  readonly onAcknowledge: (kind: string) => Promise<Problem | undefined>;
}

/** Quotes shown at once; the first ones carry most. */
const QUOTES_SHOWN = 2;

export function RiskBanner({ risks, onAcknowledge }: Props): JSX.Element | null {
  const { words } = useWords();
  const [problem, setProblem] = useState<Problem>();
  const place = useRef<HTMLElement>(null);
  const busy = useRef(new Set<string>());
  const ordered = inUrgency(risks);

  async function acknowledge(kind: string): Promise<void> {
    if (busy.current.has(kind)) return;
    busy.current.add(kind);
    const hadFocus = place.current?.contains(document.activeElement) === true;
    setProblem(await onAcknowledge(kind));
    busy.current.delete(kind);
    // The button goes; the focus stays near.
    if (hadFocus) place.current?.focus();
  }

  useShortcuts({
    acknowledge: () => {
      const top = ordered.find((risk) => !isCalm(risk));
      if (top !== undefined) void acknowledge(top.finding.kind);
    },
  });
  if (ordered.length === 0) return null;
  const topKind = ordered.find((risk) => !isCalm(risk))?.finding.kind;
  return (
    <section class="risks" aria-label={words.risks} ref={place} tabIndex={-1}>
      {ordered.map((risk) =>
        isCalm(risk) ? (
          <div key={`${risk.finding.kind}-calm`} class="risk calm">
            <RiskWords risk={risk} />
          </div>
        ) : (
          <div key={`${risk.finding.kind}-new`} class={`risk ${risk.finding.level}`} role="alert">
            <RiskWords risk={risk} />
            <button type="button" class="acknowledge" onClick={() => void acknowledge(risk.finding.kind)}>
              {words.acknowledge}
              {risk.finding.kind === topKind ? <span class="small"> ({words.acknowledgeShortcut})</span> : null}
            </button>
          </div>
        ),
      )}
      {problem === undefined ? null : <ProblemNote problem={problem} />}
    </section>
  );
}

function RiskWords({ risk }: { readonly risk: RiskState }): JSX.Element {
  const { words, language } = useWords();
  const { finding, acknowledgement, isInterim, raisedAt } = risk;
  return (
    <div class="risk-words-of">
      <p class="risk-title">
        <span aria-hidden="true">{isCalm(risk) ? "✓ " : "⚠ "}</span>
        <strong>{nameOf(words.riskKind, finding.kind)}</strong> <LevelMark level={finding.level} />{" "}
        <span class="small">{words.riskSince(toClock(finding.at_ms), toTimeOfDay(raisedAt, language))}</span>
      </p>
      <p class="quotes">
        <span class="unseen">{words.riskQuote}: </span>
        {finding.evidence.slice(0, QUOTES_SHOWN).map((evidence) => (
          <EvidenceQuote key={`${evidence.segment_id}:${evidence.start_offset}`} evidence={evidence} />
        ))}
      </p>
      <Lowering statements={finding.lowered_by?.[language] ?? []} />
      {isInterim ? <p class="small">{words.riskInterim}</p> : null}
      {acknowledgement === undefined ? null : (
        <p class="small">{isCalm(risk) ? words.seenBy(acknowledgement.by, toTimeOfDay(acknowledgement.at, language)) : words.riskRisen}</p>
      )}
    </div>
  );
}

/**
 * Closed until asked for: a reminder of what to find out, not a finding. Not a `details` element: Chromium leaves one that was
 * moved, as risks are when a graver one comes, without its content.
 */
function Lowering({ statements }: { readonly statements: readonly string[] }): JSX.Element | null {
  const { words } = useWords();
  const [isOpen, setIsOpen] = useState(false);
  if (statements.length === 0) return null;
  return (
    <div class="small lowering">
      <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        <span aria-hidden="true">{isOpen ? "▾ " : "▸ "}</span>
        {words.riskLowered}
      </button>
      {isOpen ? (
        <ul>
          {statements.map((statement) => (
            <li key={statement}>{statement}</li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
