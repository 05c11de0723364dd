/** How clear a finding is, 0..1: a short bar and the number. */
import type { JSX } from "preact";
import { useWords } from "./use-words.js";

const BAR_UNITS = 40;

export function ScoreMark({ score }: { readonly score: number }): JSX.Element {
  const { words } = useWords();
  const shown = score.toFixed(2);
  return (
    <span class="score" title={words.scoreOf(shown)}>
      <svg viewBox={`0 0 ${BAR_UNITS} 4`} aria-hidden="true">
        <rect width={BAR_UNITS} height="4" rx="2" class="bar-ground" />
        <rect width={Math.max(0, Math.min(1, score)) * BAR_UNITS} height="4" rx="2" class="bar-fill" />
      </svg>
      <span class="unseen">{words.score} </span>
      {shown}
    </span>
  );
}
