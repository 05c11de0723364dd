/** A refused upload: its answer reaches whoever is still sending, every time, and an endless one is cut off. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeForm } from "../support/http-client.js";
import { openRawUpload, readAnswer } from "../support/raw-upload.js";
import { audioFiles, endOf, uploaded } from "../support/recording-client.js";
import { shortClip } from "../support/sample-audio.js";
import { startGateway, type TestGateway, uploadForm } from "../support/start-gateway.js";
import { until } from "../support/until.js";

const PATHS = ["/audio/process", "/whisper/transcribe", "/v1/audio/transcriptions", "/audio/batch"] as const;
const SIZES: readonly (readonly [string, number, number])[] = [
  ["100 bytes", 100, 30],
  ["1 MB", 1_000_000, 30],
  ["20 MB", 20_000_000, 5],
];

/** Bytes of no container that say something new wherever they are looked at. */
function noise(byteCount: number): Buffer {
  const block = Buffer.concat(Array.from({ length: 512 }, (_, index) => createHash("sha256").update(`noise ${index}`).digest()));
  return Buffer.concat([
    Buffer.from("Dear helpline, this is a letter. "),
    ...Array.from({ length: Math.ceil(byteCount / block.length) }, () => block),
  ]).subarray(0, byteCount);
}

interface Refusal {
  readonly status: number;
  readonly code: string;
}

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({ REQUESTS_PER_SECOND: "10000", REQUEST_BURST: "100000", UPLOADS_AT_ONCE: "8" });
});
afterAll(() => gateway.stop());

const NO_KEY: Refusal = { status: 401, code: "AUTH_CREDENTIALS_MISSING" };
const NO_AUDIO: Refusal = { status: 415, code: "AUDIO_UNSUPPORTED_FORMAT" };

async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { code?: string; error?: { code: string } };
  return body.code ?? body.error?.code ?? "none";
}

/** What came back to each of many uploads, by what and how often. */
function tally(outcomes: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

async function rawOutcome(body: Buffer, headers: Readonly<Record<string, string>>, pieceBytes: number): Promise<string> {
  const raw = await openRawUpload(gateway, { path: "/audio/process", headers, body, pieceBytes });
  await until("the answer is there or the connection gone", () => readAnswer(raw.answer()) !== undefined || raw.isClosed(), 15_000);
  const answer = readAnswer(raw.answer());
  raw.socket.destroy();
  return answer === undefined ? "no answer" : `${answer.status} ${answer.code}`;
}

describe("the answer to a refused upload", () => {
  describe.each(SIZES)("of %s", (_size, byteCount, times) => {
    it("reaches a client that uses fetch and has no credentials, every time and on every path", async () => {
      for (const path of PATHS) {
        const outcomes: string[] = [];
        for (let round = 0; round < times; round += 1) {
          const sent = gateway.request(null, path, { method: "POST", body: uploadForm(noise(byteCount)) });
          outcomes.push(
            await sent.then(
              async (response) => `${response.status} ${await codeOf(response)}`,
              (error: unknown) => `${error}: ${String((error as Error).cause)}`,
            ),
          );
        }
        expect(tally(outcomes), path).toEqual({ [`${NO_KEY.status} ${NO_KEY.code}`]: times });
      }
    });

    it("reaches a client that uses fetch and sends no recording, every time", async () => {
      const outcomes: string[] = [];
      for (let round = 0; round < times; round += 1) {
        const sent = gateway.request("agent", "/audio/process", { method: "POST", body: uploadForm(noise(byteCount)) });
        outcomes.push(
          await sent.then(
            async (response) => `${response.status} ${await codeOf(response)}`,
            (error: unknown) => `${error}: ${String((error as Error).cause)}`,
          ),
        );
      }
      expect(tally(outcomes)).toEqual({ [`${NO_AUDIO.status} ${NO_AUDIO.code}`]: times });
    });

    it.each([
      ["all at once", Number.POSITIVE_INFINITY],
      ["in pieces of 16 KB", 16_384],
    ])("reaches a bare socket that sends %s, every time", async (_how, pieceBytes) => {
      const { body, headers } = await encodeForm(uploadForm(noise(byteCount)));
      const type = { "content-type": headers["content-type"] ?? "" };
      const noKey: string[] = [];
      const noAudio: string[] = [];
      for (let round = 0; round < times; round += 1) {
        noKey.push(await rawOutcome(body, type, pieceBytes));
        noAudio.push(await rawOutcome(body, { ...type, authorization: `Bearer ${gateway.keys.agent}` }, pieceBytes));
      }
      expect(tally(noKey)).toEqual({ [`${NO_KEY.status} ${NO_KEY.code}`]: times });
      expect(tally(noAudio)).toEqual({ [`${NO_AUDIO.status} ${NO_AUDIO.code}`]: times });
    });
  });

  it("reaches a client whose recording is too large, told or found", async () => {
    const strict = await startGateway({ AUDIO_MAX_BYTES: "5000000" });
    try {
      for (const byteCount of [4_999_900, 5_400_000, 20_000_000]) {
        const large = Buffer.concat([shortClip("child-labour", 2), Buffer.alloc(byteCount)]);
        for (let round = 0; round < 5; round += 1) {
          const response = await strict.request("agent", "/audio/process", { method: "POST", body: uploadForm(large) });
          expect([response.status, await codeOf(response)]).toEqual([413, "AUDIO_TOO_LARGE"]);
        }
      }
      expect(audioFiles(strict)).toEqual([]);
    } finally {
      await strict.stop();
    }
  });

  it("reaches many clients that are refused at the same time", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const response = await gateway.request(null, "/audio/process", { method: "POST", body: uploadForm(noise(1_000_000)) });
        return `${response.status} ${await codeOf(response)}`;
      }),
    );
    expect(tally(outcomes)).toEqual({ [`${NO_KEY.status} ${NO_KEY.code}`]: 40 });
  });

  it("reaches a client that sends slowly and listens at the end only", async () => {
    const { body, headers } = await encodeForm(uploadForm(noise(3_000_000)));
    const raw = await openRawUpload(gateway, { path: "/audio/process", headers: { "content-type": headers["content-type"] ?? "" }, body, pieceBytes: 100_000 });
    raw.socket.pause();
    await until("all is sent or the connection gone", () => raw.sentBytes() === body.length || raw.isClosed(), 10_000);
    raw.socket.resume();
    await until("the answer is there", () => readAnswer(raw.answer()) !== undefined, 5_000);
    expect(readAnswer(raw.answer())).toEqual(NO_KEY);
    raw.socket.destroy();
  });
});

describe("a refused upload without an end", () => {
  const openEndless = (key: string | null, path = "/audio/process") => {
    const headers = { "content-type": "multipart/form-data; boundary=b", ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
    return openRawUpload(gateway, { path, headers, body: null });
  };

  it.each(PATHS)("on %s is answered, and cut off within seconds", async (path) => {
    const raw = await openEndless(null, path);
    await until("the answer is there", () => raw.answer().startsWith("HTTP/1.1 401"), 5_000);
    await until("the connection is cut", () => raw.isClosed(), 8_000, 20);
    // What sockets hold on both sides is sent, too, though nobody reads it.
    expect(raw.sentBytes()).toBeLessThan(40_000_000);
  });

  it.each([
    ["trickles", "x"],
    ["stands still", ""],
  ])("is cut off also when it only %s", async (_how, more) => {
    const headers = { "content-type": "multipart/form-data; boundary=b", "content-length": "999999999" };
    const raw = await openRawUpload(gateway, { path: "/audio/process", headers, body: Buffer.from("--b\r\n") });
    const timer = setInterval(() => {
      if (!raw.isClosed() && raw.socket.writable && more !== "") raw.socket.write(more);
    }, 50);
    try {
      await until("the answer is there", () => raw.answer().startsWith("HTTP/1.1 401"), 5_000);
      await until("the connection is cut", () => raw.isClosed(), 8_000, 20);
    } finally {
      clearInterval(timer);
    }
  });

  it("leaves no place taken, no file and no memory behind, and the service goes on", async () => {
    const files = audioFiles(gateway).length;
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 3; round += 1) {
      const endless = await Promise.all(Array.from({ length: 12 }, (_, index) => openEndless(index % 2 === 0 ? null : `${gateway.keys.agent}x`)));
      await until("all connections are cut", () => endless.every((raw) => raw.isClosed()), 15_000, 20);
      expect(endless.filter((raw) => raw.answer().startsWith("HTTP/1.1 401"))).toHaveLength(12);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    expect(audioFiles(gateway)).toHaveLength(files);
    const accepted = await Promise.all(Array.from({ length: 8 }, () => uploaded(gateway, shortClip("silent-prank", 1))));
    for (const { task_id: taskId } of accepted) expect((await endOf(gateway, taskId)).status).toBe("completed");
  });
});
