/** How serious a risk is: a word and as many filled points, never colour alone. */
import type { JSX } from "preact";
import { levelRank } from "../state/risk-state.js";
import { LEVELS, type Level } from "../wire/call-shapes.js";
import { useWords } from "./use-words.js";

export function LevelMark({ level }: { readonly level: Level }): JSX.Element {
  const { words } = useWords();
  const filled = levelRank(level) + 1;
  return (
    <span class={`level ${level}`}>
      <span aria-hidden="true">{"●".repeat(filled) + "○".repeat(LEVELS.length - filled)} </span>
      {words.level[level]}
    </span>
  );
}
