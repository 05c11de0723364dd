/** Reads settled lines to screen readers as they come; a whole replay at once is not read. */
import { useEffect, useRef } from "preact/hooks";
import type { Announcer } from "../control/announcer.js";
import type { Segment } from "../wire/call-shapes.js";
import { useWords } from "./use-words.js";

const MOST_AT_ONCE = 3;

export function useSaidAloud(segments: ReadonlyMap<string, Segment>, announcer: Announcer): void {
  const { words } = useWords();
  const told = useRef<ReadonlyMap<string, Segment>>(new Map());
  useEffect(() => {
    const fresh = [...segments.values()].filter((segment) => !told.current.has(segment.id) && segment.text !== "");
    told.current = segments;
    if (fresh.length > MOST_AT_ONCE) return;
    for (const { channel, text, language } of fresh) {
      announcer.say(`${words.channel[channel]}: ${text}`, language === "und" || language === "mixed" ? undefined : language);
    }
  }, [segments]);
}
