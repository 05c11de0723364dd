/** Whether events come: in words, with a sign beside them, and a button to try at once. */
import type { JSX } from "preact";
import type { Connection } from "../wire/live-socket.js";
import type { Words } from "../words/words-en.js";
import { useNow } from "./use-now.js";
import { useWords } from "./use-words.js";

const SIGNS: Readonly<Record<Connection["name"], string>> = { connecting: "◌", live: "●", waiting: "⚠", finished: "✓", refused: "✕" };

export function ConnectionMark({ connection, onHurry }: { readonly connection: Connection; readonly onHurry: () => void }): JSX.Element {
  const { words } = useWords();
  const isWaiting = connection.name === "waiting";
  const nowMs = useNow(isWaiting);
  return (
    <span class={`connection ${connection.name}`}>
      <span aria-hidden="true">{SIGNS[connection.name]} </span>
      {say(words, connection, nowMs)}
      {isWaiting ? (
        <button type="button" class="quiet" onClick={onHurry}>
          {words.tryNow}
        </button>
      ) : null}
    </span>
  );
}

function say(words: Words, connection: Connection, nowMs: number): string {
  switch (connection.name) {
    case "connecting":
      return words.connectionConnecting;
    case "live":
      return words.connectionLive;
    case "waiting":
      return words.connectionWaiting(Math.max(0, Math.ceil((connection.untilMs - nowMs) / 1000)));
    case "finished":
      return words.connectionFinished;
    case "refused":
      return words.connectionRefused;
  }
}
