/** Lets a view act on shortcut keys while it is on the page. */
import { createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { type ShortcutAction, toShortcut } from "../state/shortcuts.js";

export type ShortcutHandlers = Partial<Record<ShortcutAction, () => void>>;

/** Whether the person wants the keys; they can be switched off in the help. */
export const ShortcutsOn = createContext(true);

export function useShortcuts(handlers: ShortcutHandlers): void {
  const isOn = useContext(ShortcutsOn);
  const newest = useRef(handlers);
  newest.current = handlers;
  useEffect(() => {
    if (!isOn) return;
    const onKey = (event: KeyboardEvent): void => {
      const action = toShortcut({
        key: event.key,
        hasModifier: event.ctrlKey || event.metaKey || event.altKey || event.isComposing,
        isTyping: isTypingIn(event.target),
        isDialogOpen: document.querySelector("dialog[open]") !== null,
        isRepeat: event.repeat,
      });
      const act = action === undefined ? undefined : newest.current[action];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [isOn]);
}

function isTypingIn(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.closest("input, textarea, select") !== null);
}
