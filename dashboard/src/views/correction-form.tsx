/** Says what a label should have been, or that it is right. Where the gateway lists other labels, these are offered next. */
import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Correction } from "../control/open-call-control.js";
import { type KnownLabels, toChoices } from "../state/label-choices.js";
import type { Store } from "../state/store.js";
import type { ClassificationHead } from "../wire/call-shapes.js";
import type { Problem } from "../wire/problem.js";
import { labelLanguage, nameOfLabel } from "../words/page-language.js";
import { ProblemNote } from "./problem-note.js";
import { useStore } from "./use-store.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly head: ClassificationHead;
  readonly label: string | null;
  readonly isLive: boolean;
  readonly knownLabels: Store<KnownLabels>;
  readonly onCorrect: (correction: Correction) => Promise<Problem | undefined>;
  readonly onClose: () => void;
}

export function CorrectionForm({ head, label, isLive, knownLabels, onCorrect, onClose }: Props): JSX.Element {
  const { words } = useWords();
  const known = useStore(knownLabels);
  const [chosen, setChosen] = useState("");
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [isMissing, setIsMissing] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { labels, isClosed } = toChoices(head, known, problem?.labels ?? []);
  // A list that came with a refusal replaces what was written; the focus goes to it.
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("select, input")?.focus(), [isClosed]);

  async function send(correction: Correction): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    const refused = await onCorrect(correction);
    setIsBusy(false);
    if (refused === undefined) {
      onClose();
      return;
    }
    setProblem(refused);
    if (refused.labels.length > 0) {
      const { labels: offered } = refused;
      knownLabels.update((before) => ({ ...before, [head]: offered }));
      setChosen("");
    }
  }

  function submit(): void {
    const wanted = chosen.trim();
    setIsMissing(wanted === "");
    if (wanted !== "") void send({ head, label: wanted, reason: reason.trim() });
  }

  const isNotYet = problem?.status === 404 || problem?.status === 409;
  const fieldId = `correct-label-${head}`;
  return (
    <form
      class="correction"
      ref={form}
      aria-label={words.correctTitle(words.head[head])}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      {isLive ? <p class="small">{words.feedbackNotYet}</p> : null}
      <label for={fieldId}>{words.correctLabel}</label>
      {isClosed ? (
        <select id={fieldId} value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
          <option value="">{words.correctChoose}</option>
          {labels.map((offered) => (
            <option key={offered} value={offered} lang={labelLanguage(head)}>
              {nameOfLabel(words, head, offered)}
            </option>
          ))}
        </select>
      ) : (
        <>
          <input
            id={fieldId}
            list={`${fieldId}-known`}
            autocomplete="off"
            maxLength={128}
            placeholder={words.correctOther}
            value={chosen}
            onInput={(event) => setChosen(event.currentTarget.value)}
          />
          <datalist id={`${fieldId}-known`}>
            {labels.map((offered) => (
              <option key={offered} value={offered} />
            ))}
          </datalist>
        </>
      )}
      <label for={`${fieldId}-reason`}>{words.correctReason}</label>
      <input id={`${fieldId}-reason`} autocomplete="off" maxLength={2_000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      {isMissing ? (
        <p class="problem" role="alert">
          {words.correctMissing}
        </p>
      ) : null}
      {problem === undefined ? null : isNotYet ? (
        <p class="problem" role="alert">
          {words.feedbackNotYet}
        </p>
      ) : problem.labels.length > 0 ? (
        <p class="problem" role="alert">
          {words.correctListed}
        </p>
      ) : (
        <ProblemNote problem={problem} />
      )}
      <p class="buttons">
        <button type="submit" class="primary" aria-disabled={isBusy}>
          {words.correctSend}
        </button>
        {label === null ? null : (
          <button type="button" aria-disabled={isBusy} onClick={() => void send({ head, label: undefined, reason: reason.trim() })}>
            {words.agree}
          </button>
        )}
        <button type="button" class="quiet" onClick={onClose}>
          {words.cancel}
        </button>
      </p>
    </form>
  );
}
