/** What a signed-in person sees: the calls, and the one that is open. Closes its sockets when it goes. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { createAnnouncer } from "../control/announcer.js";
import { createCallListControl } from "../control/call-list-control.js";
import { createCallSearchControl } from "../control/call-search-control.js";
import type { KnownLabels } from "../state/label-choices.js";
import { createStore } from "../state/store.js";
import { createHttpClient } from "../wire/http-client.js";
import type { LiveEvent } from "../wire/live-event.js";
import { nameOf } from "../words/page-language.js";
import { Announcements } from "./announcements.js";
import { CallList } from "./call-list.js";
import { ConnectionMark } from "./connection-mark.js";
import { HelpDialog } from "./help-dialog.js";
import { OpenCall } from "./open-call.js";
import { PageHeader } from "./page-header.js";
import { ShortcutsOn, useShortcuts } from "./use-shortcuts.js";
import { useStore } from "./use-store.js";
import { useWords } from "./use-words.js";

interface Props {
  readonly apiKey: string;
  readonly onLeave: (why: "signed-out" | "ended") => void;
}

const FRESH_MS = 30_000;

export function Desk({ apiKey, onLeave }: Props): JSX.Element {
  const { words } = useWords();
  const [selectedId, setSelectedId] = useState<string>();
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  const [areShortcutsOn, setAreShortcutsOn] = useState(true);
  // What the controls below call later needs the newest of these, not those of the first drawing.
  const newest = useRef({ words, selectedId, onLeave });
  newest.current = { words, selectedId, onLeave };

  const desk = useMemo(() => {
    const announcer = createAnnouncer();
    const client = createHttpClient({ apiKey, onUnauthorized: () => newest.current.onLeave("ended") });
    const onEvent = (event: LiveEvent): void => {
      const isOld = Date.now() - Date.parse(event.at) > FRESH_MS;
      if (event.type !== "risk.raised" || isOld || event.call_id === newest.current.selectedId) return;
      announcer.say(newest.current.words.riskElsewhere(nameOf(newest.current.words.riskKind, event.payload.finding.kind)));
    };
    return {
      ...{ announcer, client, calls: createCallListControl(client, onEvent), search: createCallSearchControl(client) },
      knownLabels: createStore<KnownLabels>({}),
    };
  }, [apiKey]);
  useEffect(() => {
    const hurry = (): void => desk.calls.hurry();
    window.addEventListener("online", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      desk.calls.close();
      desk.announcer.clear();
    };
  }, [desk]);
  const view = useStore(desk.calls.store);

  const focusOn = (id: string): void => document.getElementById(id)?.focus();
  const backToCalls = (): void => {
    setSelectedId(undefined);
    requestAnimationFrame(() => focusOn("calls"));
  };
  function open(callId: string): void {
    setSelectedId(callId);
    requestAnimationFrame(() => focusOn("main"));
  }

  return (
    <ShortcutsOn.Provider value={areShortcutsOn}>
      <a class="skip-link" href="#main">
        {words.skipToCall}
      </a>
      <PageHeader>
        <ConnectionMark connection={view.connection} onHurry={() => desk.calls.hurry()} />
        <button type="button" onClick={() => setIsHelpOpen(true)}>
          {words.help}
        </button>
        <button type="button" onClick={() => onLeave("signed-out")}>
          {words.signOut}
        </button>
      </PageHeader>
      <div class={selectedId === undefined ? "desk" : "desk has-call"}>
        <CallList view={view} search={desk.search} selectedId={selectedId} onOpen={open} onMore={() => void desk.calls.loadMore()} />
        <main id="main" tabIndex={-1} aria-label={words.liveCall}>
          {selectedId === undefined ? (
            <p class="empty wide-only">{words.chooseCall}</p>
          ) : (
            <OpenCall
              key={selectedId}
              callId={selectedId}
              client={desk.client}
              announcer={desk.announcer}
              knownLabels={desk.knownLabels}
              listed={view.list.active.get(selectedId)}
              onBack={backToCalls}
            />
          )}
        </main>
      </div>
      <DeskShortcuts onCalls={() => focusOn("calls")} onHelp={() => setIsHelpOpen(true)} />
      {isHelpOpen ? <HelpDialog isOn={areShortcutsOn} onSwitch={setAreShortcutsOn} onClose={() => setIsHelpOpen(false)} /> : null}
      <Announcements announcer={desk.announcer} />
    </ShortcutsOn.Provider>
  );
}

function DeskShortcuts({ onCalls, onHelp }: { readonly onCalls: () => void; readonly onHelp: () => void }): null {
  useShortcuts({ calls: onCalls, help: onHelp });
  return null;
}
