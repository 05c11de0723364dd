/**
 * Which processes are alive, by their heartbeats in Redis, what each says of itself, and which one of them has a duty that
 * only one may have. Nothing durable depends on it: while Redis is away nobody is known, and nobody leads.
 */
import { newId } from "../core/ids.js";
import { masterServers, type RedisClient, type RedisConnections } from "./redis-connection.js";

export type ProcessKind = "api" | "worker" | "stream" | "journal";

export interface ProcessEntryInRegistry {
  readonly id: string;
  /** What it said of itself last; ids, numbers and closed words only. */
  readonly state: unknown;
}

export interface Membership {
  leave(): Promise<void>;
}

export interface Leadership extends Membership {
  /** Whether it is ours now, and for a moment longer. */
  readonly isOurs: boolean;
}

export interface ProcessRegistry {
  /** Tells the others of a process until it leaves, and for `DEAD_AFTER_MS` after it died. */
  join(kind: ProcessKind, id: string, describe: () => unknown): Membership;
  /** @throws when Redis is away */
  list(kind: ProcessKind): Promise<readonly ProcessEntryInRegistry[]>;
  /** Ids of those that fell silent within the last hour without having left. @throws when Redis is away */
  listLost(kind: ProcessKind): Promise<readonly string[]>;
  /** @throws when Redis is away, or was until a moment ago, so that those alive may not have told yet */
  isAlive(kind: ProcessKind, id: string): Promise<boolean>;
  /**
   * Which process of the kind has something: another that is alive and had it first, else `id`, for `CLAIM_MS` from now.
   *
   * @throws when Redis is away
   */
  claim(kind: ProcessKind, subject: string, id: string): Promise<string>;
  /** Tries for ever to be the one with a duty. */
  lead(duty: string): Leadership;
  close(): Promise<void>;
}

export interface ProcessRegistryOptions {
  readonly redis: RedisConnections;
  readonly namespace: string;
  readonly onError?: (error: unknown) => void;
}

const HEARTBEAT_MS = 2_000;
/** Silence after which a process is taken for dead. */
export const DEAD_AFTER_MS = 10_000;
const LEAD_MS = 15_000;
/** A claim is to be renewed within this. */
export const CLAIM_MS = 180_000;
/** How long a process that fell silent is remembered. */
const LOST_FOR_MS = 3_600_000;
const SCAN_COUNT = 200;
/** Renewed and given up only by who holds it. */
const RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end";
const RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

/** The key of the owner's heartbeat lies in the slot of the claim. */
const CLAIM = `local owner = redis.call('get', KEYS[1])
if owner and owner ~= ARGV[1] and redis.call('exists', ARGV[3] .. owner) == 1 then return owner end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`;

/** Connects in the background. */
export function createProcessRegistry(options: ProcessRegistryOptions): ProcessRegistry {
  return new RedisProcessRegistry(options);
}

class RedisProcessRegistry implements ProcessRegistry {
  readonly #client: RedisClient;
  readonly #namespace: string;
  readonly #onError: (error: unknown) => void;
  readonly #memberships = new Set<Membership>();
  #readySinceMs = Number.POSITIVE_INFINITY;

  constructor({ redis, namespace, onError }: ProcessRegistryOptions) {
    this.#client = redis.open("registry", "caller");
    this.#namespace = namespace;
    this.#onError = (error) => onError?.(error);
    this.#client.on("ready", () => {
      this.#readySinceMs = performance.now();
    });
  }

  join(kind: ProcessKind, id: string, describe: () => unknown): Membership {
    const key = this.#keyOf(kind, id);
    const known = this.#keyOf("known", kind);
    const stop = this.#repeat(async () => {
      await this.#client.zadd(known, Date.now(), id);
      await this.#client.set(key, JSON.stringify(describe()), "PX", DEAD_AFTER_MS);
    });
    return this.#keep(async () => {
      await stop();
      await this.#client.zrem(known, id).catch(this.#onError);
      await this.#client.del(key).catch(this.#onError);
    });
  }

  async list(kind: ProcessKind): Promise<readonly ProcessEntryInRegistry[]> {
    const keys = await keysLike(this.#client, this.#keyOf(kind, "*"));
    if (keys.length === 0) return [];
    const values = await this.#client.mget(keys);
    const prefix = this.#keyOf(kind, "");
    return keys.flatMap((key, index) => {
      const value = values[index];
      return typeof value === "string" ? [{ id: key.slice(prefix.length), state: JSON.parse(value) as unknown }] : [];
    });
  }

  async listLost(kind: ProcessKind): Promise<readonly string[]> {
    const known = this.#keyOf("known", kind);
    await this.#client.zremrangebyscore(known, "-inf", String(Date.now() - LOST_FOR_MS));
    const ids = await this.#client.zrange(known, "0", "-1");
    if (ids.length === 0) return [];
    const values = await this.#client.mget(ids.map((id) => this.#keyOf(kind, id)));
    return ids.filter((_id, index) => typeof values[index] !== "string");
  }

  async isAlive(kind: ProcessKind, id: string): Promise<boolean> {
    if (performance.now() - this.#readySinceMs < DEAD_AFTER_MS) throw new Error("Redis has not been back for long enough to know who is alive");
    return (await this.#client.exists(this.#keyOf(kind, id))) === 1;
  }

  async claim(kind: ProcessKind, subject: string, id: string): Promise<string> {
    return String(await this.#client.eval(CLAIM, 1, this.#keyOf(`${kind}-claim`, subject), id, CLAIM_MS, this.#keyOf(kind, "")));
  }

  lead(duty: string): Leadership {
    const key = this.#keyOf("lead", duty);
    const token = newId();
    let heldUntilMs = 0;
    // Another takes over when our time is up: we stop before that.
    const isOurs = (): boolean => performance.now() < heldUntilMs - HEARTBEAT_MS;
    const stop = this.#repeat(async () => {
      const askedAtMs = performance.now();
      heldUntilMs = (await this.#hold(key, token, heldUntilMs > 0)) ? askedAtMs + LEAD_MS : 0;
    });
    const membership = this.#keep(async () => {
      await stop();
      heldUntilMs = 0;
      await this.#client.eval(RELEASE, 1, key, token).catch(this.#onError);
    });
    return {
      leave: () => membership.leave(),
      get isOurs() {
        return isOurs();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#memberships].map((membership) => membership.leave()));
  }

  async #hold(key: string, token: string, isOurs: boolean): Promise<boolean> {
    if (isOurs) return (await this.#client.eval(RENEW, 1, key, token, LEAD_MS)) === 1;
    return (await this.#client.set(key, token, "PX", LEAD_MS, "NX")) === "OK";
  }

  /** One hash slot for all, so that a cluster answers from one server. */
  #keyOf(kind: string, id: string): string {
    return `{${this.#namespace}}:${kind}:${id}`;
  }

  #repeat(turn: () => Promise<void>): () => Promise<void> {
    let running: Promise<void> = Promise.resolve();
    const next = (): void => {
      running = running.then(turn).catch(this.#onError);
    };
    next();
    const timer = setInterval(next, HEARTBEAT_MS);
    timer.unref();
    return async () => {
      clearInterval(timer);
      await running;
    };
  }

  #keep(end: () => Promise<void>): Membership {
    const membership = {
      leave: async (): Promise<void> => {
        this.#memberships.delete(membership);
        await end();
      },
    };
    this.#memberships.add(membership);
    return membership;
  }
}

async function keysLike(client: RedisClient, pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for (const server of masterServers(client)) {
    let cursor = "0";
    do {
      const [next, keys] = await server.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== "0");
  }
  return [...found].sort();
}
