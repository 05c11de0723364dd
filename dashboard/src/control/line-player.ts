/** Plays one line of an ended call: fetches its recording once, with the key, and plays it from the line's start to its end. */
import { createStore, type Store } from "../state/store.js";
import type { Segment } from "../wire/call-shapes.js";
import type { HttpClient } from "../wire/http-client.js";
import type { Problem } from "../wire/problem.js";

export type PlayerState =
  | { readonly name: "idle" }
  | { readonly name: "loading" | "playing"; readonly segmentId: string; readonly startMs: number }
  | { readonly name: "too-early" | "unplayable" }
  | { readonly name: "refused"; readonly problem: Problem };

export interface LinePlayer {
  readonly store: Store<PlayerState>;
  play(segment: Segment): Promise<void>;
  tooEarly(): void;
  stop(): void;
  close(): void;
}

/** How often the end of the line is looked for. */
const WATCH_MS = 40;
/** Browsers that can't play Ogg Opus get the bytes that came in. */
const FORMATS = ["opus", "original"] as const;

export function createLinePlayer(client: HttpClient, callId: string): LinePlayer {
  const store = createStore<PlayerState>({ name: "idle" });
  const leaving = new AbortController();
  const audio = new Audio();
  let address: string | undefined;
  let watching: ReturnType<typeof setInterval> | undefined;
  let turn = 0;
  let loading: Promise<Problem | "unplayable" | undefined> | undefined;

  function stop(): void {
    turn += 1;
    clearInterval(watching);
    audio.pause();
    store.update(() => ({ name: "idle" }));
  }

  function release(): void {
    audio.removeAttribute("src");
    audio.load();
    if (address !== undefined) URL.revokeObjectURL(address);
    address = undefined;
  }

  /** @returns the problem of the last format tried, `"unplayable"`, or undefined when the sound is ready. */
  async function load(): Promise<Problem | "unplayable" | undefined> {
    for (const format of FORMATS) {
      const answer = await client.getBlob(`/api/v1/calls/${encodeURIComponent(callId)}/audio?format=${format}`, leaving.signal);
      if (leaving.signal.aborted) return "unplayable";
      if (!answer.ok) return answer.problem;
      address = URL.createObjectURL(answer.value);
      if (await canPlay(audio, address)) return undefined;
      release();
    }
    return "unplayable";
  }

  return {
    store,
    play: async (segment) => {
      stop();
      turn += 1;
      const own = turn;
      const place = { segmentId: segment.id, startMs: segment.start_ms };
      store.update(() => ({ name: "loading", ...place }));
      loading ??= load();
      const obstacle = await loading;
      // What failed may be there the next time, such as a recording that is still being stored.
      if (obstacle !== undefined) loading = undefined;
      if (own !== turn || leaving.signal.aborted) return;
      if (obstacle !== undefined) {
        store.update(() => (obstacle === "unplayable" ? { name: "unplayable" } : { name: "refused", problem: obstacle }));
        return;
      }
      audio.currentTime = segment.start_ms / 1000;
      watching = setInterval(() => {
        if (audio.ended || audio.currentTime * 1000 >= segment.end_ms) stop();
      }, WATCH_MS);
      store.update(() => ({ name: "playing", ...place }));
      await audio.play().catch(() => {
        if (own !== turn) return;
        stop();
        store.update(() => ({ name: "unplayable" }));
      });
    },
    tooEarly: () => store.update(() => ({ name: "too-early" })),
    stop,
    close: () => {
      leaving.abort();
      stop();
      release();
    },
  };
}

function canPlay(audio: HTMLAudioElement, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    audio.onloadedmetadata = () => resolve(true);
    audio.onerror = () => resolve(false);
    audio.preload = "auto";
    audio.src = address;
  });
}
