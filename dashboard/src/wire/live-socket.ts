/**
 * A socket of events that comes back by itself: a fresh ticket for each try, back-off between tries, and a watch over the
 * heartbeat, as a sleeping computer leaves sockets that look open. What was already told is the listener's to remember.
 */
import type { Answer } from "./answer.js";
import { backOffMs } from "./back-off.js";
import { type LiveEvent, readLiveMessage } from "./live-event.js";
import type { Problem } from "./problem.js";

export type Connection =
  | { readonly name: "connecting" | "live" | "finished" }
  | { readonly name: "waiting"; readonly untilMs: number }
  | { readonly name: "refused"; readonly problem: Problem };

/** The part of the browser's WebSocket that is used, so that tests can stand in for it. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((message: { readonly data: unknown }) => void) | null;
  onclose: ((close: { readonly code: number }) => void) | null;
  close(code?: number): void;
}

export interface LiveSocketOptions {
  readonly openSocket: (pathAndQuery: string) => SocketLike;
  readonly fetchTicket: (signal: AbortSignal) => Promise<Answer<{ readonly ticket: string }>>;
  /** Path and query of the next try, without the ticket. */
  readonly address: () => string;
  readonly onOpen?: () => void;
  /** @returns `"ask-again"` to drop this connection and come back at once. */
  readonly onEvent: (event: LiveEvent) => "taken" | "ask-again";
  readonly onConnection: (connection: Connection) => void;
  /** Whether a close with 1000 means that all was told. */
  readonly endsByItself: boolean;
  readonly random?: () => number;
}

export interface LiveSocket {
  /** Skips what is left of the wait. */
  hurry(): void;
  close(): void;
}

/** Two heartbeats of 20 s and some. */
const SILENCE_LIMIT_MS = 45_000;
/** A ticket or a socket that does not answer. */
const OPENING_LIMIT_MS = 15_000;
const CLOSED_NORMALLY = 1000;
const READER_TOO_SLOW = 4008;
const TOO_SLOW_WAIT_MS = 250;

export function openLiveSocket(options: LiveSocketOptions): LiveSocket {
  const random = options.random ?? Math.random;
  let socket: SocketLike | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;
  let attempt = 0;
  let isClosed = false;
  let isWaiting = false;

  function watch(limitMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => retry(), limitMs);
  }

  function letGo(): void {
    clearTimeout(timer);
    asking?.abort();
    if (socket === undefined) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = undefined;
  }

  function stop(connection: Connection): void {
    letGo();
    isClosed = true;
    options.onConnection(connection);
  }

  function retry(waitMs = backOffMs(attempt, random())): void {
    letGo();
    attempt += 1;
    isWaiting = true;
    options.onConnection({ name: "waiting", untilMs: Date.now() + waitMs });
    timer = setTimeout(() => void connect(), waitMs);
  }

  async function connect(): Promise<void> {
    isWaiting = false;
    options.onConnection({ name: "connecting" });
    const own = new AbortController();
    asking = own;
    watch(OPENING_LIMIT_MS);
    const answer = await options.fetchTicket(own.signal);
    if (own.signal.aborted || isClosed) return;
    if (!answer.ok) {
      const { status } = answer.problem;
      if (status >= 400 && status < 500 && status !== 408 && status !== 429) stop({ name: "refused", problem: answer.problem });
      else retry();
      return;
    }
    const address = options.address();
    listen(options.openSocket(`${address}${address.includes("?") ? "&" : "?"}ticket=${encodeURIComponent(answer.value.ticket)}`));
  }

  function listen(opened: SocketLike): void {
    socket = opened;
    opened.onopen = () => {
      watch(SILENCE_LIMIT_MS);
      options.onConnection({ name: "live" });
      options.onOpen?.();
    };
    opened.onmessage = ({ data }) => {
      watch(SILENCE_LIMIT_MS);
      attempt = 0;
      const message = typeof data === "string" ? readLiveMessage(data) : undefined;
      if (message === undefined || message === "heartbeat") return;
      if (options.onEvent(message) === "ask-again") retry(0);
    };
    opened.onclose = ({ code }) => {
      if (code === CLOSED_NORMALLY && options.endsByItself) stop({ name: "finished" });
      else if (code === READER_TOO_SLOW) retry(TOO_SLOW_WAIT_MS);
      else retry();
    };
  }

  void connect();
  return {
    hurry: () => {
      if (isClosed || !isWaiting) return;
      clearTimeout(timer);
      void connect();
    },
    close: () => {
      isClosed = true;
      letGo();
    },
  };
}
