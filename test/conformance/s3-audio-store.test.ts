/** The audio store on a real object store over a real socket; Swift checks the signature of every request. */

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { AppError } from "../../src/core/errors.js";
import { createS3AudioStore, type S3AudioStoreOptions } from "../../src/storage/backends/s3-audio-store.js";
import { openS3Objects, PART_BYTES } from "../../src/storage/backends/s3-objects.js";
import { isMissing } from "../support/requirements.js";
import { makeServerCertificates } from "../support/server-certificates.js";
import { BUCKET, S3_ACCESS, S3_STRANGER, type S3Server, startS3 } from "../support/start-s3.js";
import { inPieces, KEY, pseudoRandomBytes } from "../support/stored-audio.js";
import { startTcpRelay, type TcpRelay } from "../support/tcp-relay.js";
import { describeAudioStoreContract } from "./audio-store-contract.js";

const SUFFIX = ".oca";
let prefixes = 0;

describe.skipIf(isMissing("swift", "swift-account", "swift-container", "swift-object"))("the S3 audio store", () => {
  let server: S3Server;
  let relay: TcpRelay;
  beforeAll(async () => {
    server = await startS3();
    relay = await startTcpRelay(server.port);
  });
  afterAll(async () => {
    await relay?.close();
    await server?.stop();
  });

  const callKey = randomBytes(32);
  const placeOf = (more: Partial<S3AudioStoreOptions> = {}): S3AudioStoreOptions => ({
    ...{ bucket: BUCKET, prefix: `place-${prefixes++}/`, region: "us-east-1", isPathStyle: true, endpoint: server.endpoint },
    ...{ ...S3_ACCESS, ...more },
  });
  /** Everything of a place, unfinished uploads too. */
  const countIn = async (prefix: string): Promise<number> => (await server.inside.keys(prefix)).length + (await server.inside.uploads(prefix));

  describeAudioStoreContract("S3", async () => {
    const place = placeOf();
    const keyOf = (audioKey: string): string => `${place.prefix}${audioKey}${SUFFIX}`;
    return {
      store: await createS3AudioStore(place),
      readStored: (audioKey) => server.inside.read(keyOf(audioKey)),
      writeStored: (audioKey, bytes) => server.inside.write(keyOf(audioKey), bytes),
      countStored: () => countIn(place.prefix),
      close: async () => {},
    };
  });

  describe("a long recording", () => {
    // Sealed, it is a little longer: one part, two parts, and parts with little left.
    it.each([PART_BYTES - 2_000, PART_BYTES, 2 * PART_BYTES + 5])("of %i bytes is given back as it was, and no unfinished upload stays", async (length) => {
      const place = placeOf();
      const store = await createS3AudioStore(place);
      const plain = pseudoRandomBytes(length);
      expect(await store.write(KEY, inPieces(plain, 65_000), callKey)).toEqual({ byteCount: length });
      expect((await buffer(await store.read(KEY, callKey))).equals(plain)).toBe(true);
      const middle = { start: Math.floor(length / 2), end: Math.floor(length / 2) + 100_000 };
      expect((await buffer(await store.read(KEY, callKey, middle))).equals(plain.subarray(middle.start, middle.end))).toBe(true);
      expect(await countIn(place.prefix)).toBe(1);
    });

    it("leaves no object and no unfinished upload when its source fails after parts were sent", async () => {
      const place = placeOf();
      const store = await createS3AudioStore(place);
      let uploadsSeen = 0;
      const failing = Readable.from(
        (async function* () {
          for (let sent = 0; sent < 2.5 * PART_BYTES; sent += 500_000) yield randomBytes(500_000);
          uploadsSeen = await server.inside.uploads(place.prefix);
          throw new RangeError("the caller hung up");
        })(),
        { objectMode: false },
      );
      await expect(store.write(KEY, failing, callKey)).rejects.toThrow("the caller hung up");
      expect(uploadsSeen).toBe(1);
      expect(await countIn(place.prefix)).toBe(0);
    });

    it("that a process which died was uploading is cleared away later, and no other's is", async () => {
      const [place, others] = [placeOf(), placeOf()];
      await createS3AudioStore(place);
      for (const key of [`${place.prefix}left${SUFFIX}`, `${place.prefix}deeper/theirs`, `${others.prefix}theirs${SUFFIX}`])
        await server.inside.beginUpload(key);
      const objects = await openS3Objects(place);
      const anHour = 3_600_000;
      await objects.removeAbandonedUploads(Date.now() - anHour);
      expect(await server.inside.uploads(place.prefix)).toBe(2);
      await objects.removeAbandonedUploads(Date.now() + anHour);
      expect([await server.inside.uploads(place.prefix), await server.inside.uploads(others.prefix)]).toEqual([1, 1]);
    });

    it("passes through in little memory", async () => {
      const store = await createS3AudioStore(placeOf());
      const total = 200_000_000;
      const piece = pseudoRandomBytes(1_000_000);
      let peak = 0;
      const watch = (): void => {
        const { arrayBuffers, heapUsed } = process.memoryUsage();
        peak = Math.max(peak, arrayBuffers + heapUsed);
      };
      const source = Readable.from(
        (function* () {
          for (let sent = 0; sent < total; sent += piece.length) {
            watch();
            yield piece;
          }
        })(),
        { objectMode: false },
      );
      watch();
      const before = peak;
      await store.write(KEY, source, callKey);
      let read = 0;
      for await (const chunk of await store.read(KEY, callKey)) {
        read += (chunk as Buffer).length;
        if (read % 7 === 0) watch();
      }
      expect(read).toBe(total);
      expect(peak - before).toBeLessThan(120_000_000);
    });
  });

  it("lists more recordings than the store tells at once, and nothing that is not ours", async () => {
    const place = placeOf();
    const store = await createS3AudioStore(place);
    const names = Array.from({ length: 1_010 }, (_, index) => `recording-${index}`);
    for (let from = 0; from < names.length; from += 25)
      await Promise.all(names.slice(from, from + 25).map((name) => server.inside.write(`${place.prefix}${name}${SUFFIX}`, Buffer.from("x"))));
    for (const stray of ["readme.txt", `below/recording${SUFFIX}`, `with space${SUFFIX}`])
      await server.inside.write(`${place.prefix}${stray}`, Buffer.from("x"));
    expect([...(await store.list())].sort()).toEqual([...names].sort());
  }, 120_000);

  it.each(["../outside", "a/b", "", ".", "a".repeat(65), "with space", "nul\0"])("takes no key that could leave its prefix: %j", async (audioKey) => {
    const place = placeOf();
    const store = await createS3AudioStore(place);
    await expect(store.write(audioKey, Readable.from([Buffer.from("x")]), callKey)).rejects.toThrow(RangeError);
    await expect(store.read(audioKey, callKey)).rejects.toThrow(RangeError);
    await expect(store.remove(audioKey)).rejects.toThrow(RangeError);
    expect(await countIn(place.prefix)).toBe(0);
  });

  describe("what is wrong with the store", () => {
    const faultOf = async (work: Promise<unknown>): Promise<AppError> => {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof AppError)) throw new Error("no error of ours", { cause: error });
      return error;
    };
    const expectNothingTold = ({ safeMessage }: AppError): void => {
      for (const secret of [S3_ACCESS.accessKeyId, S3_ACCESS.secretAccessKey, "127.0.0.1", KEY, BUCKET, "place-"]) expect(safeMessage).not.toContain(secret);
    };

    it.each([
      ["a wrong secret", { secretAccessKey: "wrong" }, "S3_SECRET_ACCESS_KEY"],
      ["an unknown key", { accessKeyId: "nobody:here" }, "S3_ACCESS_KEY_ID"],
      ["a bucket that is not there", { bucket: "no-such-bucket" }, "does not exist"],
      ["a key that may not do this", S3_STRANGER, "refuses access"],
    ])("is told when it is opened: %s", async (_what, more, told) => {
      const fault = await faultOf(createS3AudioStore(placeOf(more)));
      expect(fault).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: false });
      expect(fault.safeMessage).toContain(told);
      expectNothingTold(fault);
    });

    it("is told, and may be tried again, when nobody listens", async () => {
      const listener = createServer();
      await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
      const { port } = listener.address() as AddressInfo;
      await new Promise((resolve) => listener.close(resolve));
      const place = placeOf({ endpoint: `http://127.0.0.1:${port}` });
      const fault = await faultOf(createS3AudioStore(place));
      expect(fault).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
      expectNothingTold(fault);
      const heard: AppError[] = [];
      const store = await createS3AudioStore({ ...place, onUnreachable: (error) => void heard.push(error) });
      expect(heard).toHaveLength(1);
      const attempts = [
        () => store.list(),
        () => store.read(KEY, callKey),
        () => store.remove(KEY),
        () => store.write(KEY, inPieces(Buffer.from("x")), callKey),
      ];
      for (const attempt of attempts) expect(await faultOf(attempt())).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
    });

    it.skipIf(isMissing("openssl"))("is told when nobody vouches for its certificate; who trusts its authority can use it", async () => {
      const certificates = await makeServerCertificates("IP:127.0.0.1");
      onTestFinished(() => certificates.remove());
      const { "server.crt": cert = "", "server.key": key = "" } = certificates.files;
      const line = createTlsServer({ cert, key }, (socket) => {
        const inner = connect(server.port, "127.0.0.1");
        socket.on("error", () => inner.destroy()).pipe(inner);
        inner.on("error", () => socket.destroy()).pipe(socket);
      });
      await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void line.close());
      const place = placeOf({ endpoint: `https://127.0.0.1:${(line.address() as AddressInfo).port}` });
      const fault = await faultOf(createS3AudioStore(place));
      expect(fault).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: false });
      expect(fault.safeMessage).toContain("NODE_EXTRA_CA_CERTS");
      // Node reads it when a process starts.
      const open = `import { createS3AudioStore } from ${JSON.stringify(new URL("../../dist/storage/backends/s3-audio-store.js", import.meta.url).href)};
        console.log((await (await createS3AudioStore(${JSON.stringify(place)})).list()).length);`;
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificates.caFile };
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", open], { env });
      expect(stdout.trim()).toBe("0");
    });

    it("is told when the line is cut in the middle of an upload; afterwards the store works on", async () => {
      const place = placeOf({ endpoint: `http://127.0.0.1:${relay.port}` });
      const store = await createS3AudioStore(place);
      relay.cutAfter(1.5 * PART_BYTES);
      const plain = pseudoRandomBytes(3 * PART_BYTES);
      const source = inPieces(plain, 100_000);
      const fault = await faultOf(store.write(KEY, source, callKey));
      expect(fault).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
      expectNothingTold(fault);
      expect([source.destroyed, await server.inside.keys(place.prefix ?? "")]).toEqual([true, []]);
      relay.mend();
      await store.write(KEY, inPieces(plain, 100_000), callKey);
      expect((await buffer(await store.read(KEY, callKey))).equals(plain)).toBe(true);
    });

    it("is told to a reader when the line is cut in the middle of a recording", async () => {
      const store = await createS3AudioStore(placeOf({ endpoint: `http://127.0.0.1:${relay.port}` }));
      await store.write(KEY, inPieces(pseudoRandomBytes(8 * PART_BYTES), 100_000), callKey);
      const stream = await store.read(KEY, callKey);
      await new Promise((resolve) => stream.once("data", resolve));
      stream.pause();
      relay.cutAfter(0);
      expect(await faultOf(buffer(stream))).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true });
      relay.mend();
    });
  });
});
