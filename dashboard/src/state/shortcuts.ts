/** Which key does what. Keys with a modifier, keys while typing and keys while a dialog is open are left alone. */

export type ShortcutAction = "acknowledge" | "next-line" | "previous-line" | "hear-line" | "newest" | "calls" | "transcript" | "findings" | "help" | "stop";

/** In the order the help shows them. */
export const SHORTCUTS: readonly { readonly key: string; readonly action: ShortcutAction }[] = [
  { key: "a", action: "acknowledge" },
  { key: "j", action: "next-line" },
  { key: "k", action: "previous-line" },
  { key: "p", action: "hear-line" },
  { key: "Escape", action: "stop" },
  { key: "n", action: "newest" },
  { key: "c", action: "calls" },
  { key: "t", action: "transcript" },
  { key: "f", action: "findings" },
  { key: "?", action: "help" },
];

export interface KeyPress {
  readonly key: string;
  readonly hasModifier: boolean;
  readonly isTyping: boolean;
  readonly isDialogOpen: boolean;
  /** Held down: a repeated `a` must not acknowledge one risk after another. */
  readonly isRepeat: boolean;
}

export function toShortcut({ key, hasModifier, isTyping, isDialogOpen, isRepeat }: KeyPress): ShortcutAction | undefined {
  if (hasModifier || isTyping || isDialogOpen) return undefined;
  const action = SHORTCUTS.find((shortcut) => shortcut.key === key)?.action;
  return isRepeat && action !== "next-line" && action !== "previous-line" ? undefined : action;
}
