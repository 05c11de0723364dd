/** What the views of one open call share: its lines, and how to go to words in them. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { EvidencePlace } from "../state/evidence-place.js";
import type { Segment } from "../wire/call-shapes.js";

export interface CallDesk {
  readonly segments: ReadonlyMap<string, Segment>;
  readonly jumpTo: (place: EvidencePlace) => void;
}

export const CallDeskContext = createContext<CallDesk>({ segments: new Map(), jumpTo: () => undefined });

export function useCallDesk(): CallDesk {
  return useContext(CallDeskContext);
}
