/** The place on the page, unseen, from which screen readers take news when the person pauses. */
import type { JSX } from "preact";
import type { Announcer } from "../control/announcer.js";
import { useStore } from "./use-store.js";

export function Announcements({ announcer }: { readonly announcer: Announcer }): JSX.Element {
  const kept = useStore(announcer.store);
  return (
    <div class="unseen" aria-live="polite" aria-relevant="additions">
      {kept.map(({ id, text, language }) => (
        <p key={id} lang={language}>
          {text}
        </p>
      ))}
    </div>
  );
}
