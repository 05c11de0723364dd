/** A real object store for tests: OpenStack Swift with its S3 interface, which checks every signature. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { endProcess } from "./database-program.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export const BUCKET = "recordings";
export const S3_ACCESS = { accessKeyId: "test:tester", secretAccessKey: "testing" } as const;
/** Known, and allowed nothing. */
export const S3_STRANGER = { accessKeyId: "test:reader", secretAccessKey: "reading" } as const;

export interface S3Server {
  readonly port: number;
  readonly endpoint: string;
  /** Past our own code: what lies there. */
  readonly inside: S3Inside;
  stop(): Promise<void>;
}

export interface S3Inside {
  read(key: string): Promise<Buffer>;
  write(key: string, bytes: Buffer): Promise<void>;
  keys(prefix: string): Promise<readonly string[]>;
  /** Uploads in parts that were not finished. */
  uploads(prefix: string): Promise<number>;
  /** Begins one. */
  beginUpload(key: string): Promise<void>;
}

/** Answers already, and has the bucket. */
export async function startS3(): Promise<S3Server> {
  const directory = await makeTemporaryDirectory();
  const program = fileURLToPath(new URL("./swift-server.py", import.meta.url));
  const child = spawn("/usr/bin/python3", [program, directory.path], { stdio: ["pipe", "pipe", "inherit"] });
  const stop = async (): Promise<void> => {
    await endProcess(child, "SIGKILL");
    await directory.remove();
  };
  const ended = once(child, "exit").then(() => {
    throw new Error("Swift did not start");
  });
  try {
    const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
    ended.catch(() => {});
    const port = Number(line.toString("utf8"));
    const endpoint = `http://127.0.0.1:${port}`;
    const client = s3Client(endpoint);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    return { port, endpoint, inside: lookInside(client), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function s3Client(endpoint: string): S3Client {
  const checksums: Pick<S3ClientConfig, "requestChecksumCalculation" | "responseChecksumValidation"> = {
    ...{ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" },
  };
  return new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: S3_ACCESS, ...checksums });
}

function lookInside(client: S3Client): S3Inside {
  return {
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async write(key, bytes) {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes }));
    },
    async keys(prefix) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }));
      return Contents.map(({ Key = "" }) => Key);
    },
    async uploads(prefix) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix: prefix }));
      return Uploads.length;
    },
    async beginUpload(key) {
      await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key }));
    },
  };
}
