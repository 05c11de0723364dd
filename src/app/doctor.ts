/** `doctor`: looks at this machine as the service would find it, and says what to do about what it finds. */

import { randomBytes, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, statfs } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { availableParallelism, totalmem } from "node:os";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { createRecordingDecoder } from "../audio/decoder.js";
import type { Config } from "../config/config-schema.js";
import { AppError, toAppError } from "../core/errors.js";
import { silentLogger } from "../core/log.js";
import { MODEL_TASKS } from "../core/model-task.js";
import { type EngineDescription, languagesText } from "../inference/model-engine.js";
import { openModelStore } from "../inference/store/model-store.js";
import { evictionPolicyFault, readEvictionPolicy } from "../redis/redis-connection.js";
import { loadMasterKey } from "../security/master-key.js";
import { loadTlsOptions } from "../security/tls-options.js";
import { openDatabase } from "../storage/database.js";
import { encodeIdMessage } from "../telephony/audiosocket/message.js";
import { describeTaxonomy, loadTaxonomy } from "./casework/taxonomy.js";
import { chooseDevice, findGpus } from "./compute-device.js";
import { createOneShotPool } from "./one-shot-pool.js";
import { openAudioStore } from "./open-audio-store.js";
import { dataLayout } from "./paths.js";
import { connectRedis } from "./roles/backbone.js";

export interface Finding {
  readonly name: string;
  /** `problem`: the service will not run or not work right. `note`: it works, with something missing. */
  readonly level: "ok" | "note" | "problem";
  readonly detail: string;
}

const DATABASE_NAMES = { sqlite: "SQLite", postgres: "PostgreSQL", mysql: "MariaDB or MySQL" } as const;
const LOW_DISK_BYTES = 1_073_741_824;
const LOOPBACK = ["127.0.0.1", "::1", "localhost"];

/** Every finding about this machine and configuration. Starts no service; makes a missing data directory and
 * brings an old database up to date, as the start would. */
export async function examine(config: Config): Promise<readonly Finding[]> {
  return [
    {
      name: "machine",
      level: "ok",
      detail: `Node ${process.versions.node}, ${availableParallelism()} cores, ${Math.round(totalmem() / 1_073_741_824)} GB memory`,
    },
    await examineDataDirectory(config),
    await examineMasterKey(config),
    await examineDatabase(config),
    await examineAudioStore(config),
    ...(await examineRedis(config)),
    await examinePort(config),
    await examineStreamPort(config),
    await examineTls(config),
    await examineDecoder(config),
    await examineTaxonomy(config),
    ...(await examineModels(config)),
    await examineGpu(config),
    ...(await examineEngines(config)),
  ];
}

async function examineDataDirectory({ dataDirectory }: Config): Promise<Finding> {
  const name = "data directory";
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await access(dataDirectory, constants.W_OK);
    const { bavail, bsize } = await statfs(dataDirectory);
    const free = bavail * bsize;
    const detail = `${dataDirectory}, ${Math.floor(free / 1_048_576)} MB free`;
    return free < LOW_DISK_BYTES ? { name, level: "problem", detail: `${detail}: free at least 1 GB` } : { name, level: "ok", detail };
  } catch {
    return { name, level: "problem", detail: `${dataDirectory} can't be made or written; choose another with --data-dir` };
  }
}

async function examineMasterKey(config: Config): Promise<Finding> {
  const path = dataLayout(config).masterKey;
  const name = "master key";
  try {
    await loadMasterKey(path);
    return { name, level: "ok", detail: `${path}; keep a copy elsewhere` };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { name, level: "note", detail: "none yet; the first start makes it, and you copy it to a safe place" };
    return { name, level: "problem", detail: toAppError(error).safeMessage };
  }
}

async function examineDatabase(config: Config): Promise<Finding> {
  const place = dataLayout(config).database;
  const name = "database";
  if ("path" in place) {
    const exists = await access(place.path).then(
      () => true,
      () => false,
    );
    if (!exists) return { name, level: "note", detail: "none yet; the first start makes it" };
  }
  const database = openDatabase(place);
  try {
    await database.migrate();
    const schema = `${DATABASE_NAMES[database.dialect]}, schema up to date`;
    const hasReplica = await database.verifyReplica();
    if (hasReplica === undefined) return { name, level: "ok", detail: schema };
    if (hasReplica) return { name, level: "ok", detail: `${schema}; the replica answers` };
    return { name, level: "problem", detail: `${schema}; the replica of DATABASE_READ_URL does not answer, and is done without` };
  } catch (error) {
    return { name, level: "problem", detail: toAppError(error).safeMessage };
  } finally {
    await database.close();
  }
}

/** By writing, reading and removing a small recording, as the service would. */
async function examineAudioStore(config: Config): Promise<Finding> {
  const name = "recordings";
  const audioKey = `probe-${randomUUID()}`;
  const place = dataLayout(config).audio;
  const [callKey, plain] = [randomBytes(32), randomBytes(1_000)];
  try {
    const store = await openAudioStore(config, { isShared: true });
    await store.write(audioKey, Readable.from([plain]), callKey);
    const isSame = await buffer(await store.read(audioKey, callKey, { start: 0, end: plain.length }))
      .then((read) => read.equals(plain))
      .finally(() => store.remove(audioKey));
    if (!isSame) return { name, level: "problem", detail: "the store gave back other bytes than were written: don't trust it with recordings" };
    return { name, level: "ok", detail: `can be written, read and removed in ${place ?? "the bucket of AUDIO_STORE_URL"}` };
  } catch (error) {
    if (error instanceof AppError) return { name, level: "problem", detail: error.safeMessage };
    return { name, level: "problem", detail: `${place} can't be made, written or read; check AUDIO_STORE_URL and who owns the directory` };
  }
}

/** Nothing where one process is all there is. */
async function examineRedis(config: Config): Promise<readonly Finding[]> {
  const { url, clusterNodes } = config.redis;
  if (url === undefined && clusterNodes.length === 0) return [];
  const name = "redis";
  try {
    const connections = await connectRedis(config, silentLogger);
    try {
      const fault = evictionPolicyFault(await readEvictionPolicy(connections.open("doctor", "caller")));
      if (fault !== undefined) return [{ name, level: "problem", detail: fault.safeMessage }];
      return [{ name, level: "ok", detail: "answers, and throws nothing away" }];
    } finally {
      connections.close();
    }
  } catch (error) {
    return [{ name, level: "problem", detail: toAppError(error).safeMessage }];
  }
}

async function examinePort({ gateway, tls }: Config): Promise<Finding> {
  const name = `port ${gateway.port}`;
  if (await isPortFree(gateway.host, gateway.port)) return { name, level: "ok", detail: `free on ${gateway.host}` };
  const scheme = tls.certificateFile === undefined ? "http" : "https";
  const isOurs = await fetch(`${scheme}://${gateway.host}:${gateway.port}/health/live`, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => ((await response.json()) as { status?: string }).status === "ok",
    () => false,
  );
  if (isOurs) return { name, level: "ok", detail: "an openchs-ai service answers there" };
  return { name, level: "problem", detail: `taken by another program on ${gateway.host}; stop it, or choose another with --port` };
}

/** Our own service sends AudioSocket silence to whoever says an id; a call without audio leaves nothing. */
async function examineStreamPort({ gateway, tls, telephony }: Config): Promise<Finding> {
  const { port } = telephony;
  const host = telephony.host ?? gateway.host;
  const name = `stream port ${port}`;
  if (await isPortFree(host, port)) return { name, level: "ok", detail: `free on ${host}` };
  const isOurs = await new Promise<boolean>((resolve) => {
    // Whether it is ours or not, a TLS port says so in its own way.
    const isTls = telephony.tls && tls.certificateFile !== undefined;
    const socket = isTls ? connectTls({ host, port, timeout: 2_000, rejectUnauthorized: false }) : connect({ host, port, timeout: 2_000 });
    socket.write(encodeIdMessage(randomUUID()));
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (bytes) => settle(bytes[0] === 0x10));
    socket.once("error", () => settle(false)).once("timeout", () => settle(false));
  });
  if (isOurs) return { name, level: "ok", detail: "an openchs-ai service answers there" };
  return { name, level: "problem", detail: `taken on ${host}; stop what uses it, or choose another with --stream-port` };
}

function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}

async function examineTls({ gateway, tls }: Config): Promise<Finding> {
  const name = "TLS";
  const isLoopback = LOOPBACK.includes(gateway.host);
  if (tls.certificateFile === undefined || tls.keyFile === undefined) {
    return isLoopback
      ? { name, level: "ok", detail: "off; only this machine can connect" }
      : { name, level: "problem", detail: `off, but ${gateway.host} is open to the network: set TLS_CERT_FILE and TLS_KEY_FILE, or put a TLS proxy in front` };
  }
  try {
    await loadTlsOptions({ certificateFile: tls.certificateFile, keyFile: tls.keyFile });
    return { name, level: "ok", detail: "on" };
  } catch (error) {
    return { name, level: "problem", detail: toAppError(error).safeMessage };
  }
}

async function examineDecoder({ audio }: Config): Promise<Finding> {
  const decoder = createRecordingDecoder({ timeoutMs: audio.decodeTimeoutMs, maxDurationMs: audio.maxDurationMs, prefer: audio.decoder });
  const name = "audio decoder";
  if ((await decoder.describe()) === "ffmpeg") return { name, level: "ok", detail: "ffmpeg" };
  return { name, level: "note", detail: "built-in only: no WebM, GSM, ADPCM, and slower; run: apt-get install ffmpeg" };
}

/** Hashes every file: a model that is broken is told here and not by a call. */
async function examineModels({ inference }: Config): Promise<readonly Finding[]> {
  const store = openModelStore(inference.modelsDirectory);
  const models = await store.list();
  return Promise.all(
    models.map(async ({ id, task, engine, dtype }): Promise<Finding> => {
      const { problems } = await store.verify(id);
      const name = `model: ${id}`;
      if (problems.length === 0) return { name, level: "ok", detail: `${task} by ${engine}, ${dtype}` };
      const files = problems.map(({ path, problem }) => `${path} ${problem}`).join(", ");
      return { name, level: "problem", detail: `${files}; import it again: openchs-ai models import DIRECTORY --id ${id} --replace` };
    }),
  );
}

async function examineGpu({ inference }: Config): Promise<Finding> {
  const gpus = findGpus();
  const name = "gpu";
  if (gpus.length === 0) return { name, level: "ok", detail: "none found; installed models run on the processor" };
  const device = await chooseDevice(inference.device, gpus);
  if (device === "cuda") return { name, level: "ok", detail: `${gpus.join(", ")}; installed models run on it` };
  const advice =
    inference.device === "cpu" ? "MODEL_DEVICE says cpu" : "onnxruntime came without CUDA; run: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node";
  return { name, level: "note", detail: `${gpus.join(", ")}, not used: ${advice}` };
}

async function examineTaxonomy({ cases }: Config): Promise<Finding> {
  const name = "taxonomy";
  try {
    return { name, level: "ok", detail: describeTaxonomy(await loadTaxonomy(cases)) };
  } catch (error) {
    return { name, level: "problem", detail: toAppError(error).safeMessage };
  }
}

async function examineEngines({ inference, cases }: Config): Promise<readonly Finding[]> {
  const pool = createOneShotPool({ modelsDirectory: inference.modelsDirectory, taxonomy: cases.taxonomy });
  try {
    await pool.start();
    return MODEL_TASKS.map((task) => describeTask(task, pool.engines()));
  } catch (error) {
    return [{ name: "engines", level: "problem", detail: toAppError(error).safeMessage }];
  } finally {
    await pool.close();
  }
}

function describeTask(task: (typeof MODEL_TASKS)[number], engines: readonly EngineDescription[]): Finding {
  const name = `engine: ${task}`;
  const installed = engines.filter(({ modelTask }) => modelTask === task);
  const [first] = installed;
  if (first === undefined) {
    const advice = task === "speech" ? "; for English on clear audio run: apt-get install pocketsphinx pocketsphinx-en-us" : "; it needs a model";
    return { name, level: "note", detail: `none installed${advice}` };
  }
  const names = installed.map(({ engine, capabilities }) => `${engine} (${languagesText(capabilities)}${capabilities.lowQuality ? ", low quality" : ""})`);
  return { name, level: first.capabilities.lowQuality ? "note" : "ok", detail: names.join(", ") };
}
