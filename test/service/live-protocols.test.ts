/** AudioSocket on the telephony port: every kind, length and cut of its messages, and connections that never become a call. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { message } from "../support/audiosocket-client.js";
import { type EventSocket, expectNoGaps, finalsOf, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, receivedMs, startLiveGateway } from "../support/live-gateway.js";
import { audioMessages, idMessage, legBytes, openLeg, pcmBytes, resampled } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const KIND_RATES = [
  [0x10, 8_000],
  [0x11, 12_000],
  [0x12, 16_000],
  [0x13, 24_000],
  [0x14, 32_000],
  [0x15, 44_100],
  [0x16, 48_000],
  [0x17, 96_000],
  [0x18, 192_000],
] as const;
const DIGITS = [..."0123456789*#ABCD"];
/** Two utterances of the caller with silence around them. */
const SPOKEN = legOf("child-violence-home", 0, 3_000, 13_000);
const SPOKEN_MS = 10_000;
const NOTHING = { speech_ms: 0, silence_ms: 0, paused_ms: 0, failed_ms: 0, gap_ms: 0 };
const SKIPPED = "helpline_telephony_skipped_messages_total";

describe("the telephony port, spoken to in AudioSocket", () => {
  let gateway: LiveGateway;
  beforeAll(async () => {
    gateway = await startLiveGateway({ STREAM_MAX_PACE: "1000" });
  });
  afterAll(() => gateway.stop());

  /** Sends it, hangs up, and gives everything that was told of the call. */
  const play = async (streamId: string, pieces: readonly Uint8Array[]): Promise<EventSocket> => {
    using leg = await openLeg(gateway.port);
    await leg.send(...pieces);
    await leg.hangUp();
    await gateway.whenAnalysed(streamId);
    const events = await openCallEvents(gateway, streamId);
    await events.whenClosed();
    expectNoGaps(events.events);
    return events;
  };
  const heardMs = (events: EventSocket): number => receivedMs(events.ofType("call.ended")[0]?.payload.audio.ledger ?? NOTHING);

  it.each(KIND_RATES)("hears audio of kind %i as %i samples a second", async (kind, sampleRateHz) => {
    const streamId = newStreamId();
    const frameBytes = Math.round(sampleRateHz / 50) * 2;
    using events = await play(streamId, [idMessage(streamId), ...audioMessages(resampled(SPOKEN, sampleRateHz), { kind, frameBytes })]);
    expect(heardMs(events)).toBe(SPOKEN_MS);
    expect(finalsOf(events.events).length).toBeGreaterThan(0);
    expect(events.ofType("call.ended")[0]?.payload).toMatchObject({ reason: "hangup", duration_ms: SPOKEN_MS });
    expect((await gateway.call(streamId)).duration_ms).toBe(SPOKEN_MS);
  });

  it("tells every key of the telephone with its channel and its place in the call", async () => {
    const streamId = newStreamId("2");
    const frames = audioMessages(legOf("custody-maintenance", 1, 0, DIGITS.length * 100));
    const pieces = DIGITS.flatMap((digit, index) => [...frames.slice(index * 5, index * 5 + 5), message(0x03, Buffer.from(digit, "latin1"))]);
    using events = await play(streamId, [idMessage(streamId), ...pieces]);
    expect(events.ofType("dtmf.received").map(({ payload }) => [payload.channel, payload.digit, payload.at_ms])).toEqual(
      DIGITS.map((digit, index) => ["agent", digit, (index + 1) * 100]),
    );
  });

  it("skips whole messages of kinds it doesn't know, counts them, and loses no audio", async () => {
    const before = await gateway.metricSum(SKIPPED);
    const streamId = newStreamId();
    const frames = audioMessages(SPOKEN);
    const unknown = [message(0x42, Buffer.alloc(0)), message(0x19, randomBytes(640)), message(0x7f, randomBytes(65_535)), message(0xfe, Buffer.of(0))];
    using events = await play(streamId, [idMessage(streamId), ...frames.slice(0, 200), ...unknown, ...frames.slice(200)]);
    expect(heardMs(events)).toBe(SPOKEN_MS);
    expect(await gateway.metricSum(SKIPPED)).toBe(before + unknown.length);
  });

  it("takes a message that says hang up for the end of the leg", async () => {
    const streamId = newStreamId();
    using leg = await openLeg(gateway.port);
    await leg.send(legBytes(streamId, SPOKEN), message(0x00, Buffer.alloc(0)));
    const analysis = await gateway.whenAnalysed(streamId);
    expect(receivedMs(analysis.audio?.ledger ?? NOTHING)).toBe(SPOKEN_MS);
  });

  it.each([
    ["nothing but one sample", [2]],
    ["no audio at all now and then", [0, 320]],
    ["the odd last frames of Asterisk", [320, 276, 44]],
    ["the longest even ones there are", [65_534]],
  ])("takes messages of any length: %s", async (_what, lengths) => {
    const streamId = newStreamId();
    const bytes = pcmBytes(SPOKEN.subarray(0, 6_000 * 8));
    const pieces = [idMessage(streamId)];
    for (let at = 0, index = 0; at < bytes.length; index++) {
      const length = lengths[index % lengths.length] ?? 0;
      pieces.push(message(0x10, bytes.subarray(at, at + length)));
      at += length;
    }
    using events = await play(streamId, [Buffer.concat(pieces)]);
    expect(heardMs(events)).toBe(6_000);
    expect(finalsOf(events.events).length).toBeGreaterThan(0);
  });

  it("keeps what had arrived of a message that was cut off in its middle", async () => {
    const streamId = newStreamId();
    const whole = legBytes(streamId, SPOKEN.subarray(0, 5_000 * 8));
    using events = await play(streamId, [whole, message(0x10, Buffer.alloc(320)).subarray(0, 100)]);
    expect(heardMs(events)).toBeGreaterThanOrEqual(5_000);
    expect(heardMs(events)).toBeLessThanOrEqual(5_006);
  });

  it.each([
    ["sends no byte", Buffer.alloc(0)],
    ["sends half an id", idMessage(newStreamId()).subarray(0, 9)],
    ["sends an id and nothing else", idMessage(newStreamId())],
    ["sends an id and an empty message of audio", Buffer.concat([idMessage(newStreamId()), message(0x10, Buffer.alloc(0))])],
  ])("keeps nothing of a connection that %s", async (_what, bytes) => {
    const before = await gateway.countCalls();
    using leg = await openLeg(gateway.port);
    await leg.send(bytes);
    await leg.hangUp();
    await until("no connection is left", async () => (await gateway.metric("helpline_telephony_connections")) === 0);
    // Another that comes after it and ends: by then the first would have been stored too.
    const nextId = newStreamId();
    using _next = await play(nextId, [legBytes(nextId, SPOKEN.subarray(0, 2_000 * 8))]);
    expect(await gateway.countCalls()).toBe(before + 1);
    expect(await gateway.json("supervisor", "/api/v1/calls/active")).toEqual({ items: [] });
  });
});
