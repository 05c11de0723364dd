/** What is being heard, or why nothing can be. */
import type { JSX } from "preact";
import type { LinePlayer, PlayerState } from "../control/line-player.js";
import { toClock } from "../state/spoken-times.js";
import { explainProblem } from "../words/page-language.js";
import type { Words } from "../words/words-en.js";
import { useStore } from "./use-store.js";
import { useWords } from "./use-words.js";

export function PlayerBar({ player }: { readonly player: LinePlayer }): JSX.Element {
  const { words } = useWords();
  const state = useStore(player.store);
  const isBusy = state.name === "playing" || state.name === "loading";
  return (
    <div class={state.name === "idle" ? "player-bar idle" : "player-bar"}>
      <p role="status">{say(words, state)}</p>
      {state.name === "idle" ? null : (
        <button type="button" onClick={() => player.stop()}>
          {isBusy ? words.stopSound : words.close}
        </button>
      )}
    </div>
  );
}

function say(words: Words, state: PlayerState): string {
  switch (state.name) {
    case "idle":
      return "";
    case "loading":
      return words.soundLoading;
    case "playing":
      return words.soundPlaying(toClock(state.startMs));
    case "too-early":
      return words.soundAfterCall;
    case "unplayable":
      return words.soundFailed;
    case "refused":
      return state.problem.status === 404 ? words.soundMissing : explainProblem(words, state.problem);
  }
}
