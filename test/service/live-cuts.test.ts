/** The same sound, however the network cut it and however fast it came: the same words at the same times. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { message } from "../support/audiosocket-client.js";
import { finalsOf, openCallEvents } from "../support/live-events.js";
import { type LiveGateway, newStreamId, startLiveGateway } from "../support/live-gateway.js";
import { audioMessages, idMessage, legBytes, openLeg, pcmBytes } from "../support/live-legs.js";
import { legOf } from "../support/telephone-leg.js";

const SPOKEN = legOf("child-violence-home", 0, 0, 40_000);

/** Lengths that look random and are the same at every run. */
function* pseudoRandomLengths(most: number): Generator<number> {
  for (let state = 12_345; ; state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) yield 1 + (Math.floor(state / 65_536) % most);
}

function cutInto(bytes: Buffer, lengths: Iterator<number>): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 0) pieces.push(bytes.subarray(at, at + (lengths.next().value ?? 1)));
  return pieces;
}

const always = (length: number): Iterator<number> =>
  (function* () {
    for (;;) yield length;
  })();

describe("the same leg, sent in other pieces", () => {
  let gateway: LiveGateway;
  let expected: { readonly live: readonly object[]; readonly recording: readonly object[] };

  const play = async (pieces: (streamId: string) => readonly Uint8Array[]): Promise<typeof expected> => {
    const streamId = newStreamId();
    using leg = await openLeg(gateway.port);
    leg.socket.setNoDelay(true);
    for (const piece of pieces(streamId)) await leg.send(piece);
    await leg.hangUp();
    using events = await openCallEvents(gateway, streamId);
    await events.whenClosed();
    return { live: finalsOf(events.events), recording: finalsOf(events.events, "recording") };
  };

  beforeAll(async () => {
    gateway = await startLiveGateway({ STREAM_MAX_PACE: "1000" });
    expected = await play((streamId) => [idMessage(streamId), ...audioMessages(SPOKEN)]);
    expect(expected.live.length).toBeGreaterThan(3);
    expect(expected.recording.length).toBeGreaterThan(3);
  });
  afterAll(() => gateway.stop());

  it("says the same when it came as one piece", async () => {
    expect(await play((streamId) => [legBytes(streamId, SPOKEN)])).toEqual(expected);
  });

  it("says the same when it came 64 KB at once", async () => {
    expect(await play((streamId) => cutInto(legBytes(streamId, SPOKEN), always(65_536)))).toEqual(expected);
  });

  it("says the same when it came byte by byte", async () => {
    const short = SPOKEN.subarray(0, 8_000 * 8);
    const whole = await play((streamId) => [legBytes(streamId, short)]);
    expect(whole.live.length).toBeGreaterThan(0);
    expect(await play((streamId) => cutInto(legBytes(streamId, short), always(1)))).toEqual(whole);
  });

  it("says the same when it came in pieces of random length", async () => {
    expect(await play((streamId) => cutInto(legBytes(streamId, SPOKEN), pseudoRandomLengths(3_000)))).toEqual(expected);
  });

  it("says the same in messages of odd and even lengths that cut samples in two", async () => {
    const lengths = pseudoRandomLengths(900);
    expect(await play((streamId) => [idMessage(streamId), ...cutInto(pcmBytes(SPOKEN), lengths).map((piece) => message(0x10, piece))])).toEqual(expected);
  });

  it("says the same at eight times the speed of a call as at once", async () => {
    const streamId = newStreamId();
    using leg = await openLeg(gateway.port, streamId);
    await leg.speak(SPOKEN, 8);
    await leg.hangUp();
    using events = await openCallEvents(gateway, streamId);
    await events.whenClosed();
    expect(finalsOf(events.events)).toEqual(expected.live);
    expect(finalsOf(events.events, "recording")).toEqual(expected.recording);
  });
});
