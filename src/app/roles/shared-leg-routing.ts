/**
 * Where several processes take calls, the legs of one come together: who takes the first claims the call in Redis, and others
 * pass the next on to it.
 */
import type { StreamState } from "../../calls/following/remote-live-calls.js";
import { CLAIM_MS, type ProcessRegistry } from "../../redis/process-registry.js";
import type { LegRouting, StreamPeer } from "../../telephony/leg-routing.js";

export interface SharedLegRoutingParts {
  readonly registry: Pick<ProcessRegistry, "claim" | "list">;
  /** Of this process, among those that take calls. */
  readonly streamId: string;
  readonly pairingKeyOf: (streamId: string) => string;
}

export interface SharedLegRouting extends LegRouting {
  close(): void;
}

const ASK_TIMEOUT_MS = 1_000;
const RENEW_EVERY_MS = CLAIM_MS / 3;
const LOOK_EVERY_MS = 2_000;

/** Renews its claims while their legs last; an owner that dies loses them with its heartbeat. */
export function createSharedLegRouting({ registry, streamId: ownId, pairingKeyOf }: SharedLegRoutingParts): SharedLegRouting {
  const legs = new Map<string, number>();
  const timer = setInterval(() => {
    for (const key of legs.keys()) registry.claim("stream", key, ownId).catch(() => {});
  }, RENEW_EVERY_MS);
  timer.unref();
  let peers: ReadonlyMap<string, StreamPeer> = new Map();
  const look = async (): Promise<void> => {
    const states = (await registry.list("stream")).map(({ id, state }) => [id, (state as StreamState).address] as const);
    peers = new Map(states.flatMap(([id, address]) => (address === undefined || id === ownId ? [] : [[id, address] as const])));
  };
  // While Redis is away those that were known last are.
  const looking = setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS);
  looking.unref();
  const hold = (key: string): (() => void) => {
    legs.set(key, (legs.get(key) ?? 0) + 1);
    return () => {
      const left = (legs.get(key) ?? 0) - 1;
      if (left > 0) legs.set(key, left);
      else legs.delete(key);
    };
  };
  const findPeer = async (key: string): Promise<StreamPeer | undefined> => {
    const owner = await registry.claim("stream", key, ownId);
    if (owner === ownId) return undefined;
    // One that has just started.
    if (!peers.has(owner)) await look();
    return peers.get(owner);
  };
  return {
    async route(streamId) {
      const key = pairingKeyOf(streamId);
      // Redis away: a leg must not wait for it.
      const peer = await Promise.race([findPeer(key), noAnswer()]).catch(() => undefined);
      return { peer, release: peer === undefined ? hold(key) : () => {} };
    },
    isPeer: (address) => [...peers.values()].some(({ host }) => host === address),
    close() {
      clearInterval(timer);
      clearInterval(looking);
    },
  };
}

function noAnswer(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ASK_TIMEOUT_MS).unref();
  });
}
