/** The sound of a call over HTTP: the bytes that came in, ranges of them, and Ogg Opus for playing. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, codeOf, type PlainAnswer, type SentRequest, sendRequest } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { audioFiles, endOf, uploaded } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { samplePath } from "../support/sample-audio.js";
import { auditLines, lastAuditSeq } from "../support/service-database.js";
import { startGateway } from "../support/start-gateway.js";

/** Of the audio cipher; ranges that cross its edges are where mistakes would be. */
const BLOCK = 65_536;
const original = readFileSync(samplePath("custody-maintenance", "call-8k-alaw.wav"));
const LAST = original.length - 1;
const DURATION_MS = 42_235;

async function startWithCall(settings: Readonly<Record<string, string>> = {}, audio: Buffer = original) {
  const gateway = await startGateway(settings);
  const { call_id: callId, task_id: taskId } = await uploaded(gateway, audio);
  // Nothing here needs the analysis.
  await gateway.request("agent", `/audio/task/${taskId}`, { method: "DELETE" });
  await endOf(gateway, taskId);
  const audioPath = `/api/v1/calls/${callId}/audio`;
  const get = (format: "original" | "opus", headers: Readonly<Record<string, string>> = {}, sent: SentRequest = {}): Promise<PlainAnswer> =>
    ask(gateway, `${audioPath}?format=${format}`, { ...sent, headers });
  return { gateway, callId, audioPath, get };
}
type CallOnServer = Awaited<ReturnType<typeof startWithCall>>;

describe("the original recording of a call", () => {
  let server: CallOnServer;
  let etag: string;
  beforeAll(async () => {
    server = await startWithCall();
    etag = String((await server.get("original")).headers.etag);
    expect(LAST).toBeGreaterThan(10 * BLOCK);
  });
  afterAll(() => server.gateway.stop());

  const range = (header: string, more: Readonly<Record<string, string>> = {}): Promise<PlainAnswer> => server.get("original", { range: header, ...more });
  const expectPart = ({ status, headers, body }: PlainAnswer, first: number, last: number): void => {
    expect({ status, range: headers["content-range"], length: headers["content-length"] }).toEqual({
      ...{ status: 206, range: `bytes ${first}-${last}/${original.length}`, length: String(last - first + 1) },
    });
    expect(body.equals(original.subarray(first, last + 1))).toBe(true);
  };
  const expectWhole = ({ status, headers, body }: PlainAnswer): void => {
    expect({ status, range: headers["content-range"], length: headers["content-length"] }).toEqual({
      ...{ status: 200, range: undefined, length: String(original.length) },
    });
    expect(body.equals(original)).toBe(true);
  };

  it("is byte for byte what was uploaded, and never compressed on its way", async () => {
    expectWhole(await server.get("original"));
    const answer = await server.get("original", { "accept-encoding": "br, gzip" });
    expectWhole(answer);
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(answer.headers["cache-control"]).toMatch(/no-store|private/);
  });

  it.each([
    ["the first bytes", "bytes=0-43", 0, 43],
    ["one byte", "bytes=7-7", 7, 7],
    ["the last byte", `bytes=${LAST}-${LAST}`, LAST, LAST],
    ["the end of a block", `bytes=${BLOCK - 10}-${BLOCK - 1}`, BLOCK - 10, BLOCK - 1],
    ["the beginning of a block", `bytes=${BLOCK}-${BLOCK + 9}`, BLOCK, BLOCK + 9],
    ["the middle across two blocks", `bytes=${BLOCK - 5}-${BLOCK + 4}`, BLOCK - 5, BLOCK + 4],
    ["the middle across four blocks", `bytes=${3 * BLOCK - 1}-${6 * BLOCK}`, 3 * BLOCK - 1, 6 * BLOCK],
    ["a block exactly", `bytes=${4 * BLOCK}-${5 * BLOCK - 1}`, 4 * BLOCK, 5 * BLOCK - 1],
    ["an open end", `bytes=${8 * BLOCK + 3}-`, 8 * BLOCK + 3, LAST],
    ["all, by an open end", "bytes=0-", 0, LAST],
    ["a suffix", "bytes=-1000", LAST - 999, LAST],
    ["a suffix longer than it is", "bytes=-99999999", 0, LAST],
    ["an end past the end", `bytes=${LAST - 9}-99999999999`, LAST - 9, LAST],
  ])("is given in part: %s", async (_what, header, first, last) => {
    expectPart(await range(header), first, last);
  });

  it("is given in any part, to many at once", async () => {
    const offsets = fc.tuple(fc.nat(LAST), fc.nat(LAST)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const parts = fc.sample(offsets, { numRuns: 40, seed: 7 });
    const answers = await Promise.all(parts.map(([first, last]) => range(`bytes=${first}-${last}`)));
    for (const [index, [first, last]] of parts.entries()) expectPart(answers[index] ?? (await range("bytes=0-")), first, last);
  });

  it.each([`bytes=${original.length}-`, `bytes=${original.length + 5}-${original.length + 9}`, "bytes=-0", "bytes=999999999999999-"])(
    "has no byte in %s, and says how many it has",
    async (header) => {
      const answer = await range(header);
      expect({ status: answer.status, range: answer.headers["content-range"] }).toEqual({ status: 416, range: `bytes */${original.length}` });
      expect(codeOf(answer)).toBe("GATEWAY_RANGE_NOT_SATISFIABLE");
    },
  );

  it.each(["bytes=0-1,5-6", "bytes=5-2", "bytes=abc", "bytes=", "bytes=-", "0-5", "lines=0-5", "bytes=1.5-3", "bytes=0x1-0x3"])(
    "is given whole to who asks for several ranges or none that can be read: %s",
    async (header) => {
      expectWhole(await range(header));
    },
  );

  // RFC 9110, section 13.1.2: a list, compared weakly, or any.
  it.each([
    ["alone", (own: string) => own],
    ["in a list", (own: string) => `"another", ${own}`],
    ["weakened by a proxy", (own: string) => `W/${own}`],
    ["as any", () => "*"],
  ])("is not sent again to who has it and says so %s", async (_how, header) => {
    expect(etag).toMatch(/^"[^"]+"$/);
    const answer = await server.get("original", { "if-none-match": header(etag) });
    expect({ status: answer.status, byteCount: answer.body.length, etag: answer.headers.etag }).toEqual({ status: 304, byteCount: 0, etag });
  });

  it("is sent to who has another, and nothing of it in parts to who has it", async () => {
    expectWhole(await server.get("original", { "if-none-match": '"another"' }));
    expect((await range("bytes=0-9", { "if-none-match": etag })).status).toBe(304);
  });

  it("is given in part under If-Range only to who has the same recording", async () => {
    expectPart(await range("bytes=10-19", { "if-range": etag }), 10, 19);
    for (const other of ['"another"', `W/${etag}`, "Sat, 29 Oct 1994 19:43:31 GMT"]) expectWhole(await range("bytes=10-19", { "if-range": other }));
    expectWhole(await range(`bytes=${original.length}-`, { "if-range": '"another"' }));
  });

  it("is told of without its bytes by HEAD", async () => {
    const { status, headers, body } = await server.get("original", {}, { method: "HEAD" });
    expect({ status, byteCount: body.length, length: headers["content-length"] }).toEqual({ status: 200, byteCount: 0, length: String(original.length) });
  });

  it("leaves one audit record each time it is sent", async () => {
    const before = await lastAuditSeq(server.gateway);
    await server.get("original");
    await range("bytes=0-9");
    const reads = (await auditLines(server.gateway, before)).filter(({ action }) => action === "recording.read");
    expect(reads.map(({ role, outcome, target }) => ({ role, outcome, target }))).toEqual(
      [1, 2].map(() => ({ role: "agent", outcome: "allowed", target: server.callId })),
    );
  });

  it("does no harm when its reader goes away in the middle", async () => {
    for (let round = 0; round < 10; round++) {
      const incoming = await sendRequest(server.gateway, `${server.audioPath}?format=original`);
      await new Promise((resolve) => incoming.once("data", resolve));
      incoming.on("error", () => {}).destroy();
    }
    expectWhole(await server.get("original"));
  });

  it("is refused in a format that is none", async () => {
    expect((await ask(server.gateway, `${server.audioPath}?format=mp3`)).status).toBe(400);
  });

  it("is said to be gone, or damaged, when somebody was at the store", async () => {
    const { gateway, get } = await startWithCall({}, quietClip("gone"));
    const path = join(gateway.dataDirectory, "audio", audioFiles(gateway)[0] ?? "");
    const stored = readFileSync(path);
    writeFileSync(path, Buffer.concat([stored.subarray(0, 100), Buffer.from([(stored[100] ?? 0) ^ 1]), stored.subarray(101)]));
    // The head may be on its way before the damage is found: then the body is cut, and never the wrong one.
    const damaged = await get("original").catch(() => undefined);
    expect(damaged?.status === 200 ? damaged.body.length : 0).toBe(0);
    rmSync(path);
    const gone = await get("original");
    expect({ status: gone.status, code: codeOf(gone) }).toEqual({ status: 404, code: "AUDIO_FILE_NOT_FOUND" });
    expect((await get("opus")).status).toBe(404);
    await gateway.stop();
  });
});

/** What ffprobe says of the only stream of a file. */
function probe(bytes: Buffer): { codec: string; format: string; durationMs: number } {
  const options = ["-v", "error", "-show_entries", "stream=codec_name:format=format_name,duration", "-of", "json", "-i", "pipe:0"];
  const path = join(process.env["TMPDIR"] ?? "/tmp", `openchs-ai-probe-${process.pid}.ogg`);
  writeFileSync(path, bytes);
  try {
    const told = JSON.parse(execFileSync("ffprobe", [...options.slice(0, -1), path]).toString()) as {
      streams: { codec_name: string }[];
      format: { format_name: string; duration: string };
    };
    return {
      codec: told.streams.map(({ codec_name: name }) => name).join(),
      format: told.format.format_name,
      durationMs: 1_000 * Number(told.format.duration),
    };
  } finally {
    rmSync(path);
  }
}

describe.skipIf(isMissing("ffmpeg"))("the recording of a call for playing", () => {
  let server: CallOnServer;
  beforeAll(async () => {
    server = await startWithCall();
  });
  afterAll(() => server.gateway.stop());

  it("is Ogg Opus as long as the call, made once for all who ask, and the same ever after", async () => {
    const files = audioFiles(server.gateway).length;
    const first = await Promise.all(Array.from({ length: 6 }, () => server.get("opus")));
    const [one] = first;
    expect(new Set(first.map(({ status, headers, body }) => `${status} ${headers.etag} ${body.toString("base64")}`)).size).toBe(1);
    expect(one?.status).toBe(200);
    expect(one?.headers["content-type"]).toMatch(/^audio\/ogg/);
    const { codec, format, durationMs } = probe(one?.body ?? Buffer.alloc(0));
    expect({ codec, format }).toEqual({ codec: "opus", format: "ogg" });
    expect(Math.abs(durationMs - DURATION_MS)).toBeLessThan(100);
    expect(audioFiles(server.gateway)).toHaveLength(files + 1);
    const later = await ask(server.gateway, server.audioPath);
    expect([later.headers.etag, later.body.equals(one?.body ?? Buffer.alloc(0))]).toEqual([one?.headers.etag, true]);
    expect(readdirSync(join(server.gateway.dataDirectory, "work"))).toEqual([]);
  });

  it("is another thing than the original, smaller, and given in parts as well", async () => {
    const whole = await server.get("opus");
    expect(whole.headers.etag).not.toBe((await server.get("original")).headers.etag);
    expect(whole.body.length).toBeLessThan(original.length);
    const part = await server.get("opus", { range: "bytes=100-199" });
    expect([part.status, part.headers["content-range"]]).toEqual([206, `bytes 100-199/${whole.body.length}`]);
    expect(part.body.equals(whole.body.subarray(100, 200))).toBe(true);
    expect((await server.get("opus", { "if-none-match": String(whole.headers.etag) })).status).toBe(304);
  });

  it("is refused for a recording that can't be read, and leaves nothing of the attempt", async () => {
    const { gateway, get } = await startWithCall({}, Buffer.concat([Buffer.from("fLaC"), Buffer.alloc(9_000, 0xa7)]));
    const answer = await get("opus");
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 422, code: "AUDIO_CORRUPT" });
    expect([audioFiles(gateway).length, readdirSync(join(gateway.dataDirectory, "work"))]).toEqual([1, []]);
    await gateway.stop();
  });

  it("can't be made without ffmpeg, while the original can be had", async () => {
    const { gateway, get } = await startWithCall({ AUDIO_DECODER: "fallback" }, quietClip("no ffmpeg"));
    const answer = await get("opus");
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 503, code: "AUDIO_DECODER_MISSING" });
    expect((await get("original")).body.equals(quietClip("no ffmpeg"))).toBe(true);
    await gateway.stop();
  });
});
