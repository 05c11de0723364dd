import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createEventSequence } from "../../../dashboard/src/state/event-sequence.js";
import type { Answer } from "../../../dashboard/src/wire/answer.js";
import { backOffMs } from "../../../dashboard/src/wire/back-off.js";
import { type LiveEvent, readLiveMessage } from "../../../dashboard/src/wire/live-event.js";
import { type Connection, openLiveSocket, type SocketLike } from "../../../dashboard/src/wire/live-socket.js";
import { event } from "../../support/dashboard-events.js";

describe("back-off", () => {
  test("doubles to a limit, and chance takes at most half", () => {
    expect([0, 1, 2, 3].map((attempt) => backOffMs(attempt, 1))).toEqual([500, 1_000, 2_000, 4_000]);
    expect(backOffMs(0, 0)).toBe(250);
    expect(backOffMs(99, 1)).toBe(15_000);
  });
});

describe("a message", () => {
  test("is an event, a heartbeat, or nothing of ours", () => {
    const told = event(1, "call.paused", { at_ms: 1 });
    expect(readLiveMessage(JSON.stringify(told))).toEqual(told);
    expect(readLiveMessage('{"type":"heartbeat","at":"x"}')).toBe("heartbeat");
    for (const text of ["", "null", "{", "[]", '{"type":"call.paused","seq":1.5,"call_id":"a","payload":{}}', '{"type":"call.paused","seq":1,"call_id":"a"}']) {
      expect(readLiveMessage(text)).toBeUndefined();
    }
  });
});

describe("the sequence of events", () => {
  test("takes each once and asks again for what was left out", () => {
    const sequence = createEventSequence();
    sequence.restart();
    expect([sequence.judge(1, 0), sequence.judge(2, 1), sequence.judge(2, 2), sequence.judge(4, 2)]).toEqual(["take", "take", "skip", "ask-again"]);
    sequence.restart();
    expect([sequence.judge(3, 2), sequence.judge(4, 3)]).toEqual(["take", "take"]);
  });

  test("takes a gap that is still there after asking, and later ones without asking", () => {
    const sequence = createEventSequence();
    sequence.restart();
    expect(sequence.judge(5, 0)).toBe("ask-again");
    sequence.restart();
    expect([sequence.judge(5, 0), sequence.judge(9, 5)]).toEqual(["take", "take"]);
  });
});

class FakeSocket implements SocketLike {
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  readonly address: string;
  isClosed = false;
  constructor(address: string) {
    this.address = address;
  }
  close(): void {
    this.isClosed = true;
  }
  say(message: LiveEvent | { type: "heartbeat" }): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

describe("the live socket", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  function setUp(ticket: () => Answer<{ ticket: string }> = () => ({ ok: true, value: { ticket: "t 1" } })) {
    const sockets: FakeSocket[] = [];
    const connections: Connection["name"][] = [];
    const taken: number[] = [];
    const live = openLiveSocket({
      openSocket: (address) => {
        const socket = new FakeSocket(address);
        sockets.push(socket);
        return socket;
      },
      fetchTicket: async () => ticket(),
      address: () => `/live?after=${taken.at(-1) ?? 0}`,
      onEvent: ({ seq }) => {
        if (seq > (taken.at(-1) ?? 0) + 1) return "ask-again";
        taken.push(seq);
        return "taken";
      },
      onConnection: ({ name }) => connections.push(name),
      endsByItself: true,
      random: () => 1,
    });
    const newest = (): FakeSocket => {
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error("no socket was opened");
      return socket;
    };
    return { live, sockets, connections, taken, newest };
  }

  test("asks with a ticket, and after a loss from the last event on", async () => {
    const { sockets, connections, taken, newest } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    expect(newest().address).toBe("/live?after=0&ticket=t%201");
    newest().onopen?.();
    newest().say(event(1, "call.paused", { at_ms: 1 }));
    newest().onclose?.({ code: 1006 });
    expect(connections).toEqual(["connecting", "live", "waiting"]);
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets).toHaveLength(2);
    expect(newest().address).toContain("after=1");
    expect(taken).toEqual([1]);
  });

  test("waits longer each time nothing comes", async () => {
    const { sockets, newest } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    newest().onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(500);
    newest().onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(900);
    expect(sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(sockets).toHaveLength(3);
  });

  test("comes back at once when an event was left out", async () => {
    const { sockets, newest } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    newest().onopen?.();
    newest().say(event(1, "call.paused", { at_ms: 1 }));
    newest().say(event(3, "call.resumed", { at_ms: 2 }));
    expect(sockets[0]?.isClosed).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(newest().address).toContain("after=1");
  });

  test("is finished by a close with 1000, and stays so", async () => {
    const { sockets, connections, newest, live } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    newest().onclose?.({ code: 1000 });
    live.hurry();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections.at(-1)).toBe("finished");
    expect(sockets).toHaveLength(1);
  });

  test("gives up a connection without a heartbeat, and keeps one with", async () => {
    const { sockets, newest } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    newest().onopen?.();
    for (let beat = 0; beat < 5; beat += 1) {
      await vi.advanceTimersByTimeAsync(20_000);
      newest().say({ type: "heartbeat" });
    }
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(46_000);
    expect(sockets).toHaveLength(2);
  });

  test("stops when the ticket is refused, and goes on when the service is busy", async () => {
    const problem = { code: "X", detail: "", labels: [] };
    const refused = setUp(() => ({ ok: false, problem: { ...problem, status: 403 } }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refused.connections).toEqual(["connecting", "refused"]);
    const busy = setUp(() => ({ ok: false, problem: { ...problem, status: 503 } }));
    await vi.advanceTimersByTimeAsync(600);
    expect(busy.connections).toEqual(["connecting", "waiting", "connecting", "waiting"]);
    busy.live.close();
  });

  test("tries at once when hurried, and never after it was closed", async () => {
    const { sockets, newest, live } = setUp();
    await vi.advanceTimersByTimeAsync(0);
    newest().onclose?.({ code: 1006 });
    live.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(2);
    newest().onclose?.({ code: 1006 });
    live.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(2);
  });
});
