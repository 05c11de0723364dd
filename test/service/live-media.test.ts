/** Audio in over WebSocket, as each kind of exchange sends it: the same sound gives the same words and the same numbers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { WireAnalysis } from "../../src/protocol/http/analysis-schema.js";
import { startGateway, type TestGateway } from "../support/start-gateway.js";
import { legOf } from "../support/telephone-leg.js";
import { until } from "../support/until.js";

const caller = legOf("school-bullying", 0, 4_000, 16_000);
const agent = legOf("school-bullying", 1, 4_000, 16_000);
const DURATION_MS = caller.length / 8;
const FRAME = 160;

const bytesOf = (samples: Int16Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);

/** G.711 mu-law, by its own definition; the product only expands it. */
function toUlaw(samples: Int16Array): Buffer {
  return Buffer.from(
    Uint8Array.from(samples, (sample) => {
      const magnitude = Math.min(32_635, Math.abs(sample)) + 132;
      const exponent = Math.floor(Math.log2(magnitude)) - 7;
      return ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f));
    }),
  );
}

function framesOf(samples: Int16Array): readonly Int16Array[] {
  return Array.from({ length: Math.ceil(samples.length / FRAME) }, (_, index) => samples.slice(index * FRAME, (index + 1) * FRAME));
}

function interleave(left: Int16Array, right: Int16Array): Int16Array {
  return Int16Array.from({ length: left.length * 2 }, (_, index) => (index % 2 === 0 ? left : right)[index >> 1] ?? 0);
}

type Frame = string | Buffer;
const json = (value: object): string => JSON.stringify(value);
const medium = (track: string, samples: Int16Array): string => json({ event: "media", media: { track, payload: toUlaw(samples).toString("base64") } });

describe("media sockets", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway(
      { DEFAULT_LANGUAGES: "en", PROCESSING_MODE: "realtime" },
      { inferenceEntry: { url: new URL("../support/scripted-speech-process.ts", import.meta.url), execArgv: ["--import", "tsx"] } },
    );
  });
  afterAll(() => gateway.stop());

  const connect = (path: string, headers: Record<string, string> = { authorization: `Bearer ${gateway.keys.service}` }): WebSocket =>
    new WebSocket(`${gateway.service.url.replace("http", "ws")}${path}`, { headers });

  async function play(path: string, frames: readonly Frame[]): Promise<number> {
    const socket = connect(path);
    const closed = new Promise<number>((resolve) => socket.once("close", resolve));
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    for (const frame of frames) socket.send(frame);
    socket.close(1000);
    return closed;
  }

  async function analysisOf(callId: string): Promise<WireAnalysis> {
    let found: WireAnalysis | undefined;
    await until(
      "the call is analysed",
      async () => {
        found = await gateway.json<WireAnalysis>("agent", `/api/v1/calls/${callId}/analysis`);
        return found.status === "completed" && found.stages.length > 0;
      },
      30_000,
      50,
    );
    return found as WireAnalysis;
  }
  const wordsOf = ({ transcript }: WireAnalysis, channel: string): string =>
    (transcript?.segments ?? []).flatMap((segment) => (segment.channel === channel ? [segment.text] : [])).join(" ");

  it("of Asterisk carry a lone channel, to the millisecond", async () => {
    await play("/media/asterisk.1?rate=16000", [
      json({ event: "MEDIA_START", format: "slin", optimal_frame_size: 320, ptime: 20 }),
      ...framesOf(caller).map(bytesOf),
    ]);
    const analysis = await analysisOf("asterisk.1");
    expect(analysis.audio?.channels.map(({ channel }) => channel)).toEqual(["caller"]);
    const { speech_ms = 0, silence_ms = 0, failed_ms = 0 } = analysis.audio?.channels[0]?.ledger ?? {};
    expect(speech_ms + silence_ms + failed_ms).toBe(DURATION_MS);
    expect(wordsOf(analysis, "caller")).not.toBe("");
  });

  it.each([
    [
      "jambonz",
      "/media/jambonz.1",
      [
        json({ callSid: "x", sampleRate: 8000, mixType: "stereo" }),
        ...framesOf(caller).map((frame, index) => bytesOf(interleave(frame, framesOf(agent)[index] ?? frame))),
      ],
    ],
    [
      "FreeSWITCH",
      "/media/freeswitch.1?rate=8000&channels=2",
      ["metadata of any kind", ...framesOf(caller).map((frame, index) => bytesOf(interleave(frame, framesOf(agent)[index] ?? frame)))],
    ],
  ] as const)("of %s carry two channels, the caller left", async (_who, path, frames) => {
    await play(path, frames);
    const analysis = await analysisOf(path.split("/")[2]?.split("?")[0] ?? "");
    expect(analysis.audio?.channels.map(({ channel }) => channel)).toEqual(["caller", "agent"]);
    await play(`/media/alone${path.length}?rate=8000&channel=agent`, framesOf(agent).map(bytesOf));
    expect(wordsOf(analysis, "agent")).toBe(wordsOf(await analysisOf(`alone${path.length}`), "agent"));
  });

  it("of JSON streams carry mu-law on tracks", async () => {
    const frames = framesOf(caller).flatMap((frame, index) => [medium("inbound", frame), medium("outbound", framesOf(agent)[index] ?? frame)]);
    await play("/media/json.1", [
      json({ event: "connected" }),
      json({ event: "start", start: { mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 } } }),
      ...frames,
    ]);
    const analysis = await analysisOf("json.1");
    expect(analysis.audio?.channels.map(({ channel }) => channel)).toEqual(["caller", "agent"]);
    expect(analysis.audio?.duration_ms).toBe(DURATION_MS);
  });

  it("pair by their call's id, each on its own socket", async () => {
    await Promise.all([
      play("/media/pair.1?rate=8000&channel=caller", framesOf(caller).map(bytesOf)),
      play("/media/pair.1?rate=8000&channel=agent", framesOf(agent).map(bytesOf)),
    ]);
    const analysis = await analysisOf("pair.1");
    expect(analysis.audio?.channels.map(({ channel }) => channel)).toEqual(["caller", "agent"]);
  });

  it("are closed for a codec that can't be heard", async () => {
    const socket = connect("/media/codec.1");
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send("MEDIA_START format:g729");
    expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(1007);
  });

  it.each([
    ["without credentials", "/media/x.1", {}, 401],
    ["with a ticket in place of credentials", "/media/x.1?ticket=abc", {}, 401],
    ["for an id that is none", "/media/..%2Fx", undefined, 400],
    ["for an impossible rate", "/media/x.1?rate=5", undefined, 400],
  ])("are refused %s", async (_what, path, headers, status) => {
    const socket = headers === undefined ? connect(path) : connect(path, headers);
    const answered = await new Promise((resolve) => {
      socket.once("unexpected-response", (_request, response) => resolve(response.statusCode));
      socket.once("error", () => {});
    });
    expect(answered).toBe(status);
    socket.terminate();
  });

  it("take a key as Basic password, for exchanges that know nothing else", async () => {
    const socket = connect("/media/basic.1", { authorization: `Basic ${Buffer.from(`asterisk:${gateway.keys.service}`).toString("base64")}` });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    socket.close();
  });
});
