/** Reads server-sent events as the HTML standard (section 9.2.6) says, on a connection of its own that a test may cut. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { expect } from "vitest";
import { callEventSchema, type WireCallEvent } from "../../src/protocol/call-events.js";
import { type SentRequest, sendRequest } from "./http-client.js";
import type { TestGateway } from "./start-gateway.js";
import { until } from "./until.js";

export interface ServerSentEvent {
  readonly id: string;
  readonly data: string;
}

/** Takes a stream's text in pieces; what is not dispatched by an empty line when the stream is cut does not count. */
export class EventStreamParser {
  readonly events: ServerSentEvent[] = [];
  comments = 0;
  #rest = "";
  #id = "";
  #data: string[] = [];

  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#takeLine(line);
  }

  #takeLine(line: string): void {
    if (line === "") {
      if (this.#data.length > 0) this.events.push({ id: this.#id, data: this.#data.join("\n") });
      this.#data = [];
    } else if (line.startsWith(":")) {
      this.comments++;
    } else {
      // No regular expression: its dot would not match the line separators of Unicode, which end no line here.
      const colon = line.includes(":") ? line.indexOf(":") : line.length;
      const field = line.slice(0, colon);
      const value = line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
      if (field === "id") this.#id = value;
      if (field === "data") this.#data.push(value);
    }
  }
}

export interface EventReader {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** So far; each has been held against the documented envelope and its id. */
  readonly events: readonly WireCallEvent[];
  readonly seqs: () => readonly number[];
  readonly comments: () => number;
  /** Everything that came. */
  readonly text: () => string;
  /** `ended`: by the server, in order. `cut`: otherwise. */
  readonly outcome: () => "open" | "ended" | "cut";
  /** Waits for the server to end the stream. */
  readonly end: () => Promise<readonly WireCallEvent[]>;
  /** Closes the connection as a network does. */
  readonly drop: () => void;
}

export interface EventRequest extends SentRequest {
  readonly lastEventId?: number | string;
}

const END_DEADLINE_MS = 90_000;

/** Opens a stream; the answer may be a refusal as well, with its body in `text`. */
export async function openEvents(gateway: TestGateway, path: string, { lastEventId, ...sent }: EventRequest = {}): Promise<EventReader> {
  const headers = { ...sent.headers, ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }) };
  const incoming = await sendRequest(gateway, path, { ...sent, headers });
  return readEvents(incoming);
}

export function openTaskEvents(gateway: TestGateway, taskId: string, request: EventRequest = {}): Promise<EventReader> {
  return openEvents(gateway, `/audio/task/${taskId}/events`, request);
}

function readEvents(incoming: IncomingMessage): EventReader {
  const parser = new EventStreamParser();
  const events: WireCallEvent[] = [];
  let text = "";
  let outcome: "open" | "ended" | "cut" = "open";
  let fault: unknown;
  const isStream = incoming.statusCode === 200;
  incoming.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
    if (!isStream) return;
    try {
      parser.push(piece);
      while (events.length < parser.events.length) events.push(checkedEvent(parser.events[events.length]));
    } catch (error) {
      fault ??= error;
      incoming.destroy();
    }
  });
  // A connection that is cut gives an error and no end.
  incoming.once("end", () => {
    outcome = "ended";
  });
  incoming.on("error", () => {});
  incoming.once("close", () => {
    if (outcome === "open") outcome = "cut";
  });
  return {
    ...{ status: incoming.statusCode ?? 0, headers: incoming.headers, events },
    seqs: () => events.map(({ seq }) => seq),
    comments: () => parser.comments,
    text: () => text,
    outcome: () => outcome,
    async end() {
      await until("the stream has ended", () => outcome !== "open", END_DEADLINE_MS, 10);
      if (fault !== undefined) throw fault;
      expect(outcome).toBe("ended");
      return events;
    },
    drop: () => incoming.destroy(),
  };
}

function checkedEvent(event: ServerSentEvent | undefined): WireCallEvent {
  const parsed = callEventSchema.parse(JSON.parse(event?.data ?? ""));
  expect(event?.id).toBe(String(parsed.seq));
  return parsed;
}

/** 1, 2, 3, ... as the numbers of a call's events have to be. */
export function numbersTo(last: number, first = 1): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
