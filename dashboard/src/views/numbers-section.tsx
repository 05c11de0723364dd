/** Where every second of sound went, how far the text is behind, what to note, and the steps of the analysis. */
import type { JSX } from "preact";
import type { CallState } from "../state/call-state.js";
import { toClock, toSeconds } from "../state/spoken-times.js";
import type { CallAudio, Ledger } from "../wire/call-shapes.js";
import { nameOf } from "../words/page-language.js";
import type { Words } from "../words/words-en.js";
import { useWords } from "./use-words.js";

interface LedgerPart {
  readonly name: "speech" | "silence" | "paused" | "failed" | "missing" | "pending";
  readonly ms: number;
}

export function NumbersSection({ call, isLive }: { readonly call: CallState; readonly isLive: boolean }): JSX.Element {
  const { words } = useWords();
  const { audio, durationMs, lagMs, warnings, stages } = call;
  const isEmpty = audio === undefined && durationMs === undefined && warnings.length === 0 && stages.length === 0;
  return (
    <section aria-labelledby="numbers-heading" class="numbers">
      <h2 id="numbers-heading">{words.numbers}</h2>
      {isEmpty ? <p class="empty">{words.numbersNone}</p> : null}
      {durationMs === undefined ? null : (
        <p>
          {words.duration}: <strong>{toClock(durationMs)}</strong>
          {isLive && lagMs !== undefined ? (
            <>
              {" · "}
              {words.lagNow}: <strong>{words.secondsUnit(toSeconds(lagMs))}</strong>
            </>
          ) : null}
        </p>
      )}
      {audio === undefined ? null : <LedgerTable audio={audio} words={words} />}
      {warnings.length === 0 ? null : (
        <>
          <h3>{words.warnings}</h3>
          <ul class="warnings">
            {warnings.map((warning) => (
              <li key={warning} lang="en">
                {warning}
              </li>
            ))}
          </ul>
        </>
      )}
      {stages.length === 0 ? null : (
        <details>
          <summary>{words.stages}</summary>
          <ul>
            {stages.map(({ stage, status, errorCode }) => (
              <li key={stage}>
                {nameOf(words.stage, stage)}: {words.stageStatus[status]}
                {errorCode === undefined ? null : <code> {errorCode}</code>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function LedgerTable({ audio, words }: { readonly audio: CallAudio; readonly words: Words }): JSX.Element {
  const rows = [
    ...audio.channels.map(({ channel, ledger }) => ({ who: words.channel[channel], parts: partsOf(ledger) })),
    ...(audio.channels.length > 1 ? [{ who: words.ledgerAll, parts: partsOf(audio.ledger) }] : []),
  ];
  return (
    <dl class="ledger" aria-label={words.ledger}>
      {rows.map(({ who, parts }) => (
        <div key={who}>
          <dt>{who}</dt>
          <dd>
            <LedgerBar parts={parts} />
            <ul class="ledger-parts">
              {parts.map(({ name, ms }) => (
                <li key={name} class={name}>
                  {words[name]} <strong>{toClock(ms)}</strong>
                </li>
              ))}
            </ul>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const BAR_UNITS = 200;

function LedgerBar({ parts }: { readonly parts: readonly LedgerPart[] }): JSX.Element {
  const total = Math.max(
    1,
    parts.reduce((sum, { ms }) => sum + ms, 0),
  );
  let before = 0;
  return (
    <svg class="ledger-bar" viewBox={`0 0 ${BAR_UNITS} 6`} preserveAspectRatio="none" aria-hidden="true">
      {parts.map(({ name, ms }) => {
        const x = (before / total) * BAR_UNITS;
        before += ms;
        return <rect key={name} class={name} x={x} width={(ms / total) * BAR_UNITS} height="6" />;
      })}
    </svg>
  );
}

/** Speech and silence always; the rest only where there is any. */
function partsOf(ledger: Ledger): readonly LedgerPart[] {
  const parts: readonly LedgerPart[] = [
    { name: "speech", ms: ledger.speech_ms },
    { name: "silence", ms: ledger.silence_ms },
    { name: "paused", ms: ledger.paused_ms },
    { name: "failed", ms: ledger.failed_ms },
    { name: "missing", ms: ledger.gap_ms },
    { name: "pending", ms: ledger.pending_ms ?? 0 },
  ];
  return parts.filter(({ name, ms }) => ms > 0 || name === "speech" || name === "silence");
}
