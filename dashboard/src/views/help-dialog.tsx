/** The keys that do something, whether to use them, and how to read the page. */
import type { JSX } from "preact";
import { SHORTCUTS } from "../state/shortcuts.js";
import { ModalDialog } from "./modal-dialog.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly isOn: boolean;
  readonly onSwitch: (isOn: boolean) => void;
  readonly onClose: () => void;
}

export function HelpDialog({ isOn, onSwitch, onClose }: Props): JSX.Element {
  const { words } = useWords();
  return (
    <ModalDialog title={words.help} onClose={onClose}>
      <h3>{words.shortcuts}</h3>
      <p>{words.shortcutsIntro}</p>
      <label class="check">
        <input type="checkbox" checked={isOn} onChange={(event) => onSwitch(event.currentTarget.checked)} />
        <span>{words.shortcutsOn}</span>
      </label>
      <dl class="keys">
        {SHORTCUTS.map(({ key, action }) => (
          <div key={key}>
            <dt>
              <kbd>{key === "Escape" ? words.escapeKey : key}</kbd>
            </dt>
            <dd>{words.shortcutOf[action]}</dd>
          </div>
        ))}
      </dl>
      <h3>{words.helpReading}</h3>
      <ul>
        <li>{words.helpInterim}</li>
        <li>{words.helpScore}</li>
        <li>{words.helpQuote}</li>
      </ul>
      <p class="buttons">
        <button type="button" class="primary" onClick={onClose}>
          {words.close}
        </button>
      </p>
    </ModalDialog>
  );
}
