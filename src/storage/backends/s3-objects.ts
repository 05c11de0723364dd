/**
 * Objects of one bucket under one prefix, over the S3 protocol. The client's package is loaded when a store is opened, so
 * that those who keep recordings in a directory do not pay for it.
 */
import { Readable } from "node:stream";
import type { ListMultipartUploadsCommandOutput, ListObjectsV2CommandOutput, S3Client } from "@aws-sdk/client-s3";
import { isMissingObject, isRangePastEnd, toObjectStoreError } from "./s3-faults.js";

export interface S3Place {
  readonly bucket: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  /** Of a store that is not Amazon's. */
  readonly endpoint?: string;
  readonly region: string;
  /** The bucket in the path, not in the host's name. */
  readonly isPathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface FoundObject {
  /** Fails with `STORAGE_UNAVAILABLE` when the store falls silent. */
  readonly body: Readable;
  /** Of the whole object. */
  readonly totalBytes: number;
}

/** Each call fails with `STORAGE_*`. */
export interface S3Objects {
  /** Appears whole and durable or not at all; the content's own failure is passed on. */
  put(name: string, content: AsyncIterable<Buffer>): Promise<void>;
  /** Both ends included; undefined when there is no such object. */
  get(name: string, place?: { readonly start: number; readonly end?: number }): Promise<FoundObject | undefined>;
  remove(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Asks for the least that a working store needs. */
  check(): Promise<void>;
  /** Uploads in parts that nobody finishes any more take room and are in no list. */
  removeAbandonedUploads(begunBeforeMs: number): Promise<void>;
}

/** The least that S3 takes; an upload holds about two parts in memory, and 10,000 of them are more than any recording. */
export const PART_BYTES = 5 * 1_048_576;
const CONNECT_TIMEOUT_MS = 5_000;
/** Until an answer begins; an upload of a part on a slow line takes its time. */
const ANSWER_TIMEOUT_MS = 10_000;
const PART_TIMEOUT_MS = 120_000;
/** While we want bytes and none come. */
const SILENCE_TIMEOUT_MS = 30_000;
/** A reader that is slow keeps its connection. */
const CONNECTIONS = 256;

type Sdk = typeof import("@aws-sdk/client-s3");

interface Session {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly place: S3Place;
}

/** Connects to nothing yet. */
export async function openS3Objects(place: S3Place): Promise<S3Objects> {
  const sdk = await import("@aws-sdk/client-s3");
  const session = { sdk, client: createClient(sdk, place), place };
  const keyOf = (name: string) => ({ Bucket: place.bucket, Key: `${place.prefix}${name}` });
  return {
    put: (name, content) => putObject(session, keyOf(name), content),
    get: (name, range) => getObject(session, keyOf(name), range),
    remove: (name) =>
      told(() => session.client.send(new sdk.DeleteObjectCommand(keyOf(name)), { requestTimeout: ANSWER_TIMEOUT_MS })).then(
        () => {},
        (error: unknown) => {
          if (!isMissingObject((error as Error).cause)) throw error;
        },
      ),
    list: () => listObjects(session),
    check: async () => {
      const query = { Bucket: place.bucket, Prefix: place.prefix, MaxKeys: 1 };
      await told(() => session.client.send(new sdk.ListObjectsV2Command(query), { requestTimeout: ANSWER_TIMEOUT_MS }));
    },
    removeAbandonedUploads: (begunBeforeMs) => abortUploads(session, begunBeforeMs),
  };
}

function createClient({ S3Client: Client }: Sdk, { endpoint, region, isPathStyle, accessKeyId, secretAccessKey }: S3Place): S3Client {
  const agent = { maxSockets: CONNECTIONS, keepAlive: true };
  return new Client({
    ...{ region, forcePathStyle: isPathStyle, credentials: { accessKeyId, secretAccessKey } },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...{ maxAttempts: 3, retryMode: "standard", defaultsMode: "standard" },
    // Named, so that nothing of it is looked for in the files of Amazon's own tools.
    ...{ useFipsEndpoint: false, useDualstackEndpoint: false, followRegionRedirects: false },
    // Bodies are signed and blocks are sealed; many stores of others don't know Amazon's newer checksums.
    ...{ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" },
    requestHandler: {
      ...{ connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: PART_TIMEOUT_MS, throwOnRequestTimeout: true },
      ...{ httpAgent: agent, httpsAgent: agent },
    },
  });
}

async function told<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    throw toObjectStoreError(error);
  }
}

interface ObjectKey {
  readonly Bucket: string;
  readonly Key: string;
}

/** In one request when it is short, so that the many short recordings take one. */
async function putObject({ sdk, client }: Session, key: ObjectKey, content: AsyncIterable<Buffer>): Promise<void> {
  let upload: (ObjectKey & { readonly UploadId: string | undefined }) | undefined;
  const parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  try {
    for await (const { bytes, isOnly } of inParts(content)) {
      if (isOnly) return void (await told(() => client.send(new sdk.PutObjectCommand({ ...key, Body: bytes }))));
      if (upload === undefined) {
        const { UploadId } = await told(() => client.send(new sdk.CreateMultipartUploadCommand(key), { requestTimeout: ANSWER_TIMEOUT_MS }));
        upload = { ...key, UploadId };
      }
      const part = { ...upload, PartNumber: parts.length + 1, Body: bytes };
      const { ETag } = await told(() => client.send(new sdk.UploadPartCommand(part)));
      parts.push({ PartNumber: part.PartNumber, ETag });
    }
    const whole = { ...key, UploadId: upload?.UploadId, MultipartUpload: { Parts: parts } };
    await told(() => client.send(new sdk.CompleteMultipartUploadCommand(whole)));
  } catch (error) {
    // The first failure is the one to tell; what can't be cleared away now is cleared away a day later.
    if (upload !== undefined) await client.send(new sdk.AbortMultipartUploadCommand(upload), { requestTimeout: ANSWER_TIMEOUT_MS }).catch(() => {});
    throw error;
  }
}

interface Part {
  readonly bytes: Buffer;
  /** The whole content. */
  readonly isOnly: boolean;
}

async function* inParts(content: AsyncIterable<Buffer>): AsyncGenerator<Part> {
  let pieces: Buffer[] = [];
  let byteCount = 0;
  let isFirst = true;
  for await (const piece of content) {
    pieces.push(piece);
    byteCount += piece.length;
    // Strictly more: what fits into one part is put at once.
    if (byteCount <= PART_BYTES) continue;
    let all = Buffer.concat(pieces, byteCount);
    for (; all.length > PART_BYTES; all = all.subarray(PART_BYTES)) yield { bytes: all.subarray(0, PART_BYTES), isOnly: false };
    isFirst = false;
    // Copied, or the little that is left would keep the whole of it.
    pieces = [Buffer.from(all)];
    byteCount = all.length;
  }
  yield { bytes: Buffer.concat(pieces, byteCount), isOnly: isFirst };
}

async function getObject(
  { sdk, client }: Session,
  key: ObjectKey,
  place?: { readonly start: number; readonly end?: number },
): Promise<FoundObject | undefined> {
  const range = place === undefined ? {} : { Range: `bytes=${place.start}-${place.end ?? ""}` };
  try {
    const { Body, ContentRange, ContentLength } = await client.send(new sdk.GetObjectCommand({ ...key, ...range }), { requestTimeout: ANSWER_TIMEOUT_MS });
    const totalBytes = Number(/\/(\d+)$/u.exec(ContentRange ?? "")?.[1] ?? ContentLength ?? 0);
    return { body: guardSilence(Body as Readable), totalBytes };
  } catch (error) {
    if (isMissingObject(error)) return undefined;
    if (isRangePastEnd(error)) return { body: Readable.from([]), totalBytes: 0 };
    throw toObjectStoreError(error);
  }
}

/** The same bytes; a reader may be as slow as it likes, the store may not. */
function guardSilence(body: Readable): Readable {
  // It may fail before anybody reads it; the reader is told then.
  body.on("error", () => {});
  const guarded = Readable.from(chunksOf(body), { objectMode: false });
  return guarded.once("close", () => body.destroy());
}

async function* chunksOf(body: Readable): AsyncGenerator<Buffer> {
  const silence = (): void => void body.destroy(new Error("no byte came in time"));
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const timer = setTimeout(silence, SILENCE_TIMEOUT_MS);
      const { value, done } = await chunks.next().finally(() => clearTimeout(timer));
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    throw toObjectStoreError(error);
  }
}

async function listObjects({ sdk, client, place }: Session): Promise<readonly string[]> {
  const names: string[] = [];
  let token: string | undefined;
  do {
    const query = { Bucket: place.bucket, Prefix: place.prefix, Delimiter: "/", ...(token === undefined ? {} : { ContinuationToken: token }) };
    const page: ListObjectsV2CommandOutput = await told(() => client.send(new sdk.ListObjectsV2Command(query), { requestTimeout: ANSWER_TIMEOUT_MS }));
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) names.push(Key.slice(place.prefix.length));
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
  return names;
}

async function abortUploads({ sdk, client, place }: Session, begunBeforeMs: number): Promise<void> {
  let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
  while (markers !== undefined) {
    const query = { Bucket: place.bucket, Prefix: place.prefix, ...markers };
    const page: ListMultipartUploadsCommandOutput = await told(() =>
      client.send(new sdk.ListMultipartUploadsCommand(query), { requestTimeout: ANSWER_TIMEOUT_MS }),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      const isOurs = Key !== undefined && !Key.slice(place.prefix.length).includes("/");
      if (isOurs && Initiated !== undefined && Initiated.getTime() < begunBeforeMs)
        await told(() => client.send(new sdk.AbortMultipartUploadCommand({ Bucket: place.bucket, Key, UploadId })));
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    const next = {
      ...(NextKeyMarker === undefined ? {} : { KeyMarker: NextKeyMarker }),
      ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
    };
    markers = IsTruncated === true && NextKeyMarker !== undefined ? next : undefined;
  }
}
