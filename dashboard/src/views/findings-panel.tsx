/** Everything that was found in the call, each with what it rests on, and the numbers below. */
import type { JSX } from "preact";
import type { Correction, OpenCallView } from "../control/open-call-control.js";
import type { KnownLabels } from "../state/label-choices.js";
import type { Store } from "../state/store.js";
import type { Problem } from "../wire/problem.js";
import { CaseFormSection } from "./case-form-section.js";
import { CaseSection } from "./case-section.js";
import { EntitySection } from "./entity-section.js";
import { NumbersSection } from "./numbers-section.js";
import { QualitySection } from "./quality-section.js";
import { SummarySection } from "./summary-section.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly view: OpenCallView;
  readonly isLive: boolean;
  readonly knownLabels: Store<KnownLabels>;
  readonly onCorrect: (correction: Correction) => Promise<Problem | undefined>;
}

export function FindingsPanel({ view, isLive, knownLabels, onCorrect }: Props): JSX.Element {
  const { words } = useWords();
  const { call, feedback } = view;
  return (
    <aside class="findings" id="findings" tabIndex={-1} aria-label={words.findings}>
      <CaseSection classification={call.classification} feedback={feedback} isLive={isLive} knownLabels={knownLabels} onCorrect={onCorrect} />
      <SummarySection summary={call.summary} />
      {call.answers === undefined ? null : <CaseFormSection answers={call.answers} />}
      <EntitySection entities={call.entities} />
      <NumbersSection call={call} isLive={isLive} />
      {call.quality === undefined ? null : <QualitySection quality={call.quality} />}
    </aside>
  );
}
