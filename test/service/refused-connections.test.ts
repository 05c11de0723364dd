/** After a refused upload the connection is either said to be closed or as good as new: what comes next is not torn off. */
import { Agent, type IncomingMessage, request as openRequest } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeForm } from "../support/http-client.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";

const MAX_BYTES = 5_000_000;
/** A little longer than a refused upload is read on. */
const SLOW_PIECES = 32;
const SLOW_STEP_MS = 100;

const clip = shortClip("silent-prank", 2);
const letter = (byteCount: number): Buffer => Buffer.alloc(byteCount, "Dear helpline, this is a letter. ");
const recording = (byteCount: number): Buffer => Buffer.concat([clip, Buffer.alloc(byteCount)]);

describe("a connection on which an upload was refused", () => {
  let gateway: TestGateway;
  let agent: Agent;

  beforeAll(async () => {
    gateway = await startGateway({ AUDIO_MAX_BYTES: String(MAX_BYTES), REQUESTS_PER_SECOND: "10000", REQUEST_BURST: "100000" });
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });
  afterEach(() => agent.destroy());

  /** Sends the form in so many pieces with so long between them, as a client on a slow line does. */
  const upload = async (audio: Buffer, key: string | null, pieces = 1, stepMs = 0): Promise<number> => {
    const { body, headers } = await encodeForm(uploadForm(audio, { language: "en" }));
    const credentials: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    const outgoing = openRequest(`${gateway.service.url}/audio/process`, { method: "POST", agent, headers: { ...headers, ...credentials } });
    const answered = new Promise<IncomingMessage>((resolve, reject) => outgoing.once("response", resolve).once("error", reject));
    // Handled below; until then it must not count as unhandled.
    answered.catch(() => {});
    const size = Math.ceil(body.length / pieces);
    for (let start = 0; start < body.length; start += size) {
      if (start > 0) await pause(stepMs);
      outgoing.write(body.subarray(start, start + size));
    }
    outgoing.end();
    const incoming = await answered;
    await buffer(incoming);
    return incoming.statusCode ?? 0;
  };

  it.each<[string, Buffer, boolean, number]>([
    ["401 to 100 bytes", letter(100), false, 401],
    ["401 to 1 MB", letter(1_000_000), false, 401],
    ["415 to 100 bytes", letter(100), true, 415],
    ["415 to 1 MB", letter(1_000_000), true, 415],
    ["415 to 3 MB", letter(3_000_000), true, 415],
    ["413 to what is a little over the limit", recording(MAX_BYTES + 200_000), true, 413],
    ["413 to what is much over the limit", recording(MAX_BYTES + 2_000_000), true, 413],
  ])("with %s carries the slow upload that comes next", async (_what, audio, hasKey, status) => {
    expect(await upload(audio, hasKey ? gateway.keys.agent : null)).toBe(status);
    expect(await upload(clip, gateway.keys.agent, SLOW_PIECES, SLOW_STEP_MS)).toBe(202);
  });

  it("carries many refused uploads one after the other", async () => {
    const statuses: (number | string)[] = [];
    for (let round = 0; round < 12; round += 1)
      statuses.push(await upload(recording(MAX_BYTES + 200_000), gateway.keys.agent).catch((error: unknown) => `round ${round}: ${error}`));
    expect(statuses.filter((status) => status !== 413)).toEqual([]);
  });
});
