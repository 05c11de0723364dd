/** One open call: its risks on top, the transcript, and the findings beside it. Closes its socket and its sound when it goes. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Announcer } from "../control/announcer.js";
import { createLinePlayer } from "../control/line-player.js";
import { createOpenCallControl } from "../control/open-call-control.js";
import type { ListedCall } from "../state/call-list-state.js";
import { isRunning } from "../state/call-state.js";
import type { EvidencePlace } from "../state/evidence-place.js";
import { type KnownLabels, withKnownLabels } from "../state/label-choices.js";
import type { Store } from "../state/store.js";
import type { Segment } from "../wire/call-shapes.js";
import type { HttpClient } from "../wire/http-client.js";
import { CallHeader } from "./call-header.js";
import { FindingsPanel } from "./findings-panel.js";
import { RiskBanner } from "./risk-banner.js";
import { Transcript } from "./transcript.js";
import { CallDeskContext } from "./use-call-desk.js";
import { useSaidAloud } from "./use-said-aloud.js";
import { useShortcuts } from "./use-shortcuts.js";
import { useStore } from "./use-store.js";

interface Props {
  readonly callId: string;
  readonly client: HttpClient;
  readonly announcer: Announcer;
  readonly knownLabels: Store<KnownLabels>;
  readonly listed: ListedCall | undefined;
  readonly onBack: () => void;
}

/** Where to go in the transcript; a new object each time, so that the same words can be asked for again. */
export interface Jump {
  readonly place: EvidencePlace;
}

export function OpenCall({ callId, client, announcer, knownLabels, listed, onBack }: Props): JSX.Element {
  const control = useMemo(() => createOpenCallControl(client, callId), [client, callId]);
  const player = useMemo(() => createLinePlayer(client, callId), [client, callId]);
  useEffect(() => {
    const hurry = (): void => control.hurry();
    window.addEventListener("online", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      control.close();
      player.close();
    };
  }, [control, player]);
  const view = useStore(control.store);
  const { call } = view;
  const [jump, setJump] = useState<Jump>();
  const callDesk = useMemo(() => ({ segments: call.segments, jumpTo: (place: EvidencePlace) => setJump({ place }) }), [call.segments]);
  useEffect(() => {
    const { classification } = call;
    if (classification !== undefined) knownLabels.update((known) => withKnownLabels(known, classification));
  }, [call.classification, knownLabels]);
  useSaidAloud(call.segments, announcer);

  // The replay of a past call passes through its running time; the list or the record tells whether it truly runs.
  const mayRun = listed !== undefined || (view.record !== undefined && view.record.ended_at === null);
  const told = call.phase ?? listed?.phase;
  const phase = isRunning(told) && !mayRun ? undefined : told;
  const isLive = isRunning(phase);
  const live = useRef(isLive);
  live.current = isLive;
  const hear = useMemo(
    () =>
      (segment: Segment): void => {
        if (live.current) player.tooEarly();
        else void player.play(segment);
      },
    [player],
  );
  useShortcuts({
    transcript: () => document.getElementById("transcript")?.focus(),
    findings: () => document.getElementById("findings")?.focus(),
    stop: () => player.stop(),
  });
  return (
    <CallDeskContext.Provider value={callDesk}>
      <div class="open-call">
        <CallHeader view={view} phase={phase} listed={listed} control={control} onBack={onBack} />
        <RiskBanner risks={call.risks} onAcknowledge={(kind) => control.acknowledge(kind)} />
        <div class="call-columns">
          <Transcript call={call} isLive={isLive} startsAtEnd={listed !== undefined} jump={jump} player={player} onHear={hear} />
          <FindingsPanel view={view} isLive={isLive} knownLabels={knownLabels} onCorrect={(correction) => control.correct(correction)} />
        </div>
      </div>
    </CallDeskContext.Provider>
  );
}
