/**
 * Connections to Redis: named, over TLS when the address says so, to one server or to a cluster, all with one retry
 * policy. The only file that imports the client. What is said of a connection never holds its address, which may carry
 * a password.
 */
import { readFile } from "node:fs/promises";
import type { Cluster, ClusterOptions, Redis, RedisOptions } from "ioredis";
import { AppError } from "../core/errors.js";

export type RedisClient = Redis | Cluster;

export interface RedisAddress {
  /** `redis://` or `rediss://` (TLS), with user, password and database number if there are any. */
  readonly url?: string;
  /** Some nodes of a cluster, in the same form; user and password are the first one's. */
  readonly clusterNodes?: readonly string[];
  /** PEM of the authority that signed the servers' certificates, when the system does not know it. */
  readonly caFile?: string;
}

/**
 * What a connection is for. `caller` and `announcer` fail at once while Redis is away, for whoever asked has something
 * better to do, and a `caller` does not wait long for an answer either, a `counter` hardly at all; `worker` and `subscriber`
 * wait until it is back.
 */
export type RedisUse = "caller" | "counter" | "announcer" | "worker" | "subscriber";

export interface RedisConnections {
  /** Connects in the background; a client that can't connect keeps trying until it is closed. */
  open(name: string, use: RedisUse): RedisClient;
  /** Ends every connection at once, also those that were made from one of these. */
  close(): void;
}

export interface RedisConnectionsOptions {
  readonly address: RedisAddress;
  /** Told of every failure to connect; always an `AppError` with code `REDIS_UNAVAILABLE`. */
  readonly onError?: (error: AppError) => void;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that takes a command and never answers is away as well. */
const CALLER_TIMEOUT_MS = 5_000;
/** Every request waits for it. */
const COUNTER_TIMEOUT_MS = 250;
const KEEP_ALIVE_MS = 10_000;

/**
 * Loads the client and reads the certificate; connects nothing yet.
 *
 * @throws AppError `CONFIG_INVALID`
 */
export async function createRedisConnections({ address, onError }: RedisConnectionsOptions): Promise<RedisConnections> {
  const nodes = (address.clusterNodes ?? []).map(parseAddress);
  const [first] = nodes.length > 0 ? nodes : [parseAddress(address.url ?? "")];
  if (first === undefined) throw invalidAddress();
  const ca = address.caFile === undefined ? undefined : await readCertificate(address.caFile);
  const { Redis, Cluster } = await import("ioredis");
  const open = new Set<RedisClient>();

  /** BullMQ makes connections of its own from ours, which have to end with them. */
  const keep = <T extends RedisClient>(client: T): T => {
    open.add(client);
    client.on("error", (error: unknown) => onError?.(redisUnavailable(error)));
    client.on("end", () => open.delete(client));
    const duplicate = client.duplicate.bind(client) as (...given: unknown[]) => T;
    Object.assign(client, { duplicate: (...given: unknown[]) => keep(duplicate(...given)) });
    return client;
  };
  return {
    open(name, use) {
      const options = commonOptions(first, { ca, use, name });
      if (nodes.length === 0) return keep(new Redis({ ...options, host: first.host, port: first.port, db: first.database, ...offline(use) }));
      return keep(
        new Cluster(
          nodes.map(({ host, port }) => ({ host, port })),
          clusterOptions(options, use, first.isTls),
        ),
      );
    },
    close() {
      for (const client of open) {
        client.disconnect();
        // BullMQ would connect again what it finds disconnected.
        Object.assign(client, { connect: () => Promise.reject(new Error("Connection is closed.")) });
      }
    },
  };
}

interface ParsedAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

function parseAddress(text: string): ParsedAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalidAddress();
  }
  const database = url.pathname.length > 1 ? Number(url.pathname.slice(1)) : 0;
  if ((url.protocol !== "redis:" && url.protocol !== "rediss:") || url.hostname === "" || !Number.isInteger(database)) throw invalidAddress();
  const decoded = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value));
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? 6379 : Number(url.port),
    isTls: url.protocol === "rediss:",
    database,
    username: decoded(url.username),
    password: decoded(url.password),
  };
}

function invalidAddress(): AppError {
  return new AppError("CONFIG_INVALID", "The address of Redis must look like redis://host:6379 or rediss://user:password@host:6379/0.");
}

async function readCertificate(caFile: string): Promise<string> {
  try {
    return await readFile(caFile, "utf8");
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", "The file with the certificate of Redis's authority can't be read.", { cause });
  }
}

function commonOptions(address: ParsedAddress, { ca, use, name }: { readonly ca: string | undefined; readonly use: RedisUse; readonly name: string }) {
  return {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.isTls ? { tls: { ...(ca === undefined ? {} : { ca }) } } : {}),
    ...(use === "caller" ? { commandTimeout: CALLER_TIMEOUT_MS } : use === "counter" ? { commandTimeout: COUNTER_TIMEOUT_MS } : {}),
    maxRetriesPerRequest: isPatient(use) ? null : 1,
    connectionName: `openchs-ai:${name}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
  } satisfies RedisOptions;
}

const isPatient = (use: RedisUse): boolean => use === "worker" || use === "subscriber";

const retryDelayMs = (times: number): number => Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(times, 10));

const offline = (use: RedisUse) => ({ retryStrategy: retryDelayMs, enableOfflineQueue: isPatient(use) });

function clusterOptions(redisOptions: ReturnType<typeof commonOptions>, use: RedisUse, isTls: boolean) {
  return {
    redisOptions,
    clusterRetryStrategy: retryDelayMs,
    enableOfflineQueue: isPatient(use),
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    // A certificate names hosts: their addresses would not match it.
    ...(isTls ? { dnsLookup: (host: string, callback: (error: null, address: string) => void) => callback(null, host) } : {}),
  } satisfies ClusterOptions;
}

/** Redis can't be reached, or could not do what it was asked. */
export function redisUnavailable(cause: unknown): AppError {
  return new AppError("REDIS_UNAVAILABLE", "Redis can't be reached or does not answer; jobs wait in the database until it does.", { retryable: true, cause });
}

/**
 * Asks every server what it does when its memory is full. Anything but `noeviction` drops what others wait for.
 *
 * @returns the first policy that is not `noeviction`, or `noeviction`.
 * @throws AppError `REDIS_UNAVAILABLE`
 */
export async function readEvictionPolicy(client: RedisClient): Promise<string> {
  try {
    // INFO, not CONFIG GET: hosted Redis often forbids the latter.
    const policies = await Promise.all(
      masterServers(client).map(async (server) => /^maxmemory_policy:(\S+)/m.exec(await server.info("memory"))?.[1] ?? "unknown"),
    );
    return policies.find((policy) => policy !== "noeviction") ?? "noeviction";
  } catch (error) {
    throw redisUnavailable(error);
  }
}

/** Every server that holds keys of its own. */
export function masterServers(client: RedisClient): readonly Redis[] {
  return client.isCluster ? (client as Cluster).nodes("master") : [client as Redis];
}

/** The complaint about a policy other than `noeviction`, or nothing. */
export function evictionPolicyFault(policy: string): AppError | undefined {
  if (policy === "noeviction") return undefined;
  return new AppError("REDIS_EVICTION_POLICY", "Redis throws keys away when its memory is full; set its maxmemory-policy to noeviction.");
}
