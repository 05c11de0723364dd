/** Looks for past calls by what was said in them, and shows the masked lines that hold it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CallSearchControl } from "../control/call-search-control.js";
import { toClock } from "../state/spoken-times.js";
import { PastCall } from "./past-call.js";
import { ProblemNote } from "./problem-note.js";
import { useStore } from "./use-store.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly control: CallSearchControl;
  readonly selectedId: string | undefined;
  readonly onOpen: (callId: string) => void;
}

export function CallSearch({ control, selectedId, onOpen }: Props): JSX.Element {
  const { words } = useWords();
  const view = useStore(control.store);
  const [text, setText] = useState("");
  useEffect(() => () => control.clear(), [control]);
  const change = (typed: string): void => {
    setText(typed);
    if (typed.trim() === "") control.clear();
  };
  return (
    <search>
      <form
        class="call-search"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") void control.search(text);
        }}
      >
        <label for="call-search" class="unseen">
          {words.searchCalls}
        </label>
        <input
          id="call-search"
          type="search"
          autocomplete="off"
          spellcheck={false}
          maxLength={500}
          placeholder={words.searchCalls}
          value={text}
          aria-describedby="call-search-hint"
          onInput={(event) => change(event.currentTarget.value)}
        />
        <button type="submit">{words.search}</button>
      </form>
      <p class="small empty" id="call-search-hint">
        {words.searchHint}
      </p>
      {view.problem === undefined ? null : <ProblemNote problem={view.problem} />}
      <p class="empty" role="status">
        {view.isSearching ? words.loading : view.found === undefined ? "" : view.found.length === 0 ? words.nothingFound : words.callsFound(view.found.length)}
      </p>
      <ul>
        {(view.found ?? []).map(({ call, passages }) => (
          <li key={call.call_id}>
            <PastCall call={call} isSelected={call.call_id === selectedId} onOpen={onOpen}>
              {passages.map((passage) => (
                <span key={passage.start_ms} class="small found-line">
                  <span class="time">{toClock(passage.start_ms)}</span> {passage.text}
                </span>
              ))}
            </PastCall>
          </li>
        ))}
      </ul>
      {view.nextCursor === null ? null : (
        <button type="button" class="more" aria-disabled={view.isSearching} onClick={() => (view.isSearching ? undefined : void control.more())}>
          {words.moreCalls}
        </button>
      )}
    </search>
  );
}
