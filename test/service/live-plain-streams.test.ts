/** Streams without messages on the telephony port: an id line and bare samples, or bare samples alone. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { finalsOf, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway, type WireLiveAnalysis } from "../support/live-gateway.js";
import { alawLegOf, openLeg, pcmBytes, resampled } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const SPOKEN_8K = legOf("child-violence-home", 0, 3_000, 13_000);
const SPOKEN = pcmBytes(resampled(SPOKEN_8K, 16_000));
const SPOKEN_MS = 10_000;
const CR = Buffer.of(0x0d);

let lineCount = 0;
/** As Asterisk's UNIQUEID: seconds and a number. */
const newLine = (): string => `1755070077.${Date.now() % 100_000}${lineCount++}`;
const ledgerMs = ({ audio }: WireLiveAnalysis): number => (audio === null ? -1 : receivedMs(audio.ledger));

describe("a stream that begins with an id line", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    gateway = await startLiveGateway({ STREAM_MAX_PACE: "1000" });
  });
  afterAll(() => gateway.stop());

  const play = async (callId: string, pieces: readonly Uint8Array[]): Promise<readonly object[]> => {
    using leg = await openLeg(gateway.port);
    leg.socket.setNoDelay(true);
    for (const piece of pieces) await leg.send(piece);
    await leg.hangUp();
    expect(ledgerMs(await gateway.whenAnalysed(callId))).toBe(SPOKEN_MS);
    using events = await openCallEvents(gateway, callId);
    await events.whenClosed();
    return finalsOf(events.events, "recording");
  };

  it("keeps the samples that came in one read with the line", async () => {
    const callId = newLine();
    const finals = await play(callId, [Buffer.concat([Buffer.from(callId), CR, SPOKEN])]);
    expect(finals.length).toBeGreaterThan(0);
    expect(await gateway.call(callId)).toMatchObject({ call_id: callId, legs: [{ stream_id: callId, channel: "caller" }], duration_ms: SPOKEN_MS });
  });

  it.each([1, 3, 7, 319, 321, 641])("is the same when it comes in pieces of %i bytes", async (length) => {
    const [wholeId, cutId] = [newLine(), newLine()];
    const bytes = Buffer.concat([Buffer.from(cutId), CR, SPOKEN]);
    // The line byte by byte in any case; of the rest, a piece of one byte, then those of that length.
    const firstAt = cutId.length + 2;
    const pieces = [...bytes.subarray(0, firstAt)].map((byte) => Buffer.of(byte));
    const step = Math.max(length, 63);
    for (let at = firstAt; at < bytes.length; at += step) pieces.push(bytes.subarray(at, at + step));
    const whole = await play(wholeId, [Buffer.concat([Buffer.from(wholeId), CR, SPOKEN])]);
    expect(await play(cutId, pieces)).toEqual(whole);
  });

  it("drops no more than half a sample at the end", async () => {
    const callId = newLine();
    await play(callId, [Buffer.concat([Buffer.from(callId), CR, SPOKEN, Buffer.of(1)])]);
  });

  it("takes an id of 128 characters, with dots, underscores and hyphens", async () => {
    const callId = `a.b_c-${newLine()}`.padEnd(128, "x");
    await play(callId, [Buffer.concat([Buffer.from(callId), CR, SPOKEN])]);
  });

  it("takes an id in upper case for the same in lower case", async () => {
    const callId = `sip.trunk-${newLine()}`;
    using leg = await openLeg(gateway.port);
    await leg.send(Buffer.concat([Buffer.from(callId.toUpperCase()), CR, SPOKEN]));
    await leg.hangUp();
    expect(ledgerMs(await gateway.whenAnalysed(callId))).toBe(SPOKEN_MS);
    expect((await gateway.call(callId)).legs).toEqual([{ stream_id: callId, channel: "caller" }]);
  });

  it("takes a UUID in upper case for the same in lower case, last digit and all", async () => {
    const callId = newStreamId("2");
    using leg = await openLeg(gateway.port);
    await leg.send(Buffer.concat([Buffer.from(callId.toUpperCase()), CR, SPOKEN]));
    await leg.hangUp();
    const analysis = await gateway.whenAnalysed(callId);
    expect(ledgerMs(analysis)).toBe(SPOKEN_MS);
    expect((await gateway.call(callId)).legs).toEqual([{ stream_id: callId, channel: "agent" }]);
  });

  it.each([
    ["of 129 characters", "1".repeat(129)],
    ["that climbs out of a directory", "../../etc/passwd"],
    ["with a slash in it", "12345/67890"],
    ["that begins with a dot", ".1755070077"],
    ["with a space in it", "17550 70077"],
    ["with a line feed in it", "17550\n70077"],
    ["with a zero byte in it", "17550\u000070077"],
    ["that is not ASCII", "17550é70077"],
    ["that is empty", ""],
    ["that asks for a page", "GET /api/v1/calls HTTP/1.1"],
  ])("is refused with an id %s, and counted", async (_what, line) => {
    const before = [await gateway.closedBecause("protocol"), await gateway.countCalls()] as const;
    using leg = await openLeg(gateway.port);
    await leg.send(Buffer.concat([Buffer.from(line), CR, SPOKEN.subarray(0, 3_200)]));
    await leg.closed();
    await until("it is counted", async () => (await gateway.closedBecause("protocol")) === before[0] + 1);
    expect(await gateway.countCalls()).toBe(before[1]);
  });

  it("leaves nothing when nothing follows the line", async () => {
    const before = await gateway.countCalls();
    using leg = await openLeg(gateway.port);
    await leg.send(Buffer.concat([Buffer.from(newLine()), CR]));
    await leg.hangUp();
    const nextId = newLine();
    await play(nextId, [Buffer.concat([Buffer.from(nextId), CR, SPOKEN])]);
    expect(await gateway.countCalls()).toBe(before + 1);
  });
});

describe("a listener for bare samples", () => {
  let gateway: LiveGateway | undefined;
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
  });

  /** Plays it and gives the analysis of the one call there is then. */
  const playRaw = async (settings: Readonly<Record<string, string>>, bytes: Uint8Array): Promise<WireLiveAnalysis> => {
    const started = await startLiveGateway({ STREAM_MAX_PACE: "1000", STREAM_PROTOCOL: "raw", ...settings });
    gateway = started;
    using leg = await openLeg(started.port);
    await leg.send(bytes);
    await leg.hangUp();
    let callIds: readonly string[] = [];
    const hasCome = async (): Promise<boolean> => {
      const { items } = await started.json<{ items: readonly { readonly call_id: string }[] }>("supervisor", "/api/v1/calls");
      callIds = items.map(({ call_id }) => call_id);
      return callIds.length > 0;
    };
    await until("the call is there", hasCome);
    expect(callIds).toHaveLength(1);
    return started.whenAnalysed(callIds[0] ?? "");
  };

  it("gives each connection a call with an id of ours, at 16 kHz", async () => {
    const analysis = await playRaw({}, SPOKEN);
    expect(ledgerMs(analysis)).toBe(SPOKEN_MS);
    expect(analysis.transcript?.segments.length).toBeGreaterThan(0);
    expect(analysis.audio?.channels.filter(({ ledger }) => receivedMs(ledger) > 0)).toHaveLength(1);
  });

  it("gives every connection a call of its own and the caller's channel, whatever digit the id of ours ends in", async () => {
    const started = await startLiveGateway({ STREAM_MAX_PACE: "1000", STREAM_PROTOCOL: "raw", PROCESSING_MODE: "realtime" });
    gateway = started;
    const count = 64;
    const legs = await Promise.all(Array.from({ length: count }, () => openLeg(started.port)));
    await Promise.all(legs.map((leg) => leg.send(SPOKEN.subarray(0, 6_400))));
    await Promise.all(legs.map((leg) => leg.hangUp()));
    await until("all are stored", async () => (await started.countCalls()) === count);
    const { items } = await started.json<{ items: readonly { readonly legs: readonly { readonly channel: string }[] }[] }>(
      "supervisor",
      `/api/v1/calls?limit=${count}`,
    );
    expect(items.map(({ legs: [leg] }) => leg?.channel)).toEqual(Array.from({ length: count }, () => "caller"));
  });

  it("takes bytes that look like AudioSocket for samples", async () => {
    const bytes = Buffer.concat([Buffer.from("0100106619d336b46840e0945e09e4d1d60081", "hex"), Buffer.of(0), SPOKEN.subarray(20)]);
    expect(ledgerMs(await playRaw({}, bytes))).toBe(SPOKEN_MS);
  });

  it("hears A-law at the rate that is set", async () => {
    const analysis = await playRaw({ STREAM_RAW_ENCODING: "alaw", STREAM_RAW_RATE_HZ: "8000" }, alawLegOf("child-violence-home", 0, 3_000, 13_000));
    expect(ledgerMs(analysis)).toBe(SPOKEN_MS);
    expect(analysis.transcript?.segments.length).toBeGreaterThan(0);
  });

  it("hears linear samples at 8 kHz", async () => {
    expect(ledgerMs(await playRaw({ STREAM_RAW_RATE_HZ: "8000" }, pcmBytes(SPOKEN_8K)))).toBe(SPOKEN_MS);
  });
});
