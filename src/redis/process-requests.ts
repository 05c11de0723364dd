/** One process asks another something and gets its answer, or none in time; ids and closed words only. */
import type { RedisConnections } from "./redis-connection.js";

export interface ProcessRequests {
  /** Undefined when nobody with this id answered in time. @throws when Redis is away */
  ask(targetId: string, request: unknown): Promise<unknown>;
  /** What this process answers; undefined: nothing is sent back. */
  answerWith(answer: (request: unknown) => Promise<unknown>): void;
}

export interface ProcessRequestsOptions {
  readonly redis: RedisConnections;
  readonly namespace: string;
  readonly ownId: string;
  readonly onError: (error: unknown) => void;
}

const ANSWER_TIMEOUT_MS = 5_000;

interface Message {
  readonly id: string;
  readonly from?: string;
  readonly body: unknown;
}

/** Listens from now on. */
export function createProcessRequests({ redis, namespace, ownId, onError }: ProcessRequestsOptions): ProcessRequests {
  const channelOf = (id: string): string => `{${namespace}}:to:${id}`;
  const sender = redis.open("requests", "announcer");
  const listener = redis.open("requests-listener", "subscriber");
  const waiting = new Map<string, (body: unknown) => void>();
  let answer: ((request: unknown) => Promise<unknown>) | undefined;
  let count = 0;
  const send = async (to: string, message: Message): Promise<void> => void (await sender.publish(channelOf(to), JSON.stringify(message)));

  listener.on("message", (_channel: string, text: string) => {
    const { id, from, body } = JSON.parse(text) as Message;
    if (from === undefined) return waiting.get(id)?.(body);
    answer?.(body)
      .then((given) => (given === undefined ? undefined : send(from, { id, body: given })))
      .catch(onError);
  });
  listener.subscribe(channelOf(ownId)).catch(onError);
  return {
    answerWith(given) {
      answer = given;
    },
    async ask(targetId, body) {
      const id = `${ownId}/${count++}`;
      try {
        const answered = new Promise<unknown>((resolve) => {
          waiting.set(id, resolve);
          setTimeout(() => resolve(undefined), ANSWER_TIMEOUT_MS).unref();
        });
        await send(targetId, { id, from: ownId, body });
        return await answered;
      } finally {
        waiting.delete(id);
      }
    },
  };
}
