/**
 * Tickets that any of several processes issued and any other takes: behind a load balancer the WebSocket may come to
 * another than the ticket came from. A ticket is sealed, so that nobody who can write to Redis can make one; Redis only
 * remembers which were used.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../core/clock.js";
import { type RedisClient, redisUnavailable } from "../../redis/redis-connection.js";
import type { Actor } from "../../security/authorization.js";
import { USER_ROLES } from "../../security/permissions.js";
import { openBytes, sealBytes } from "../../security/sealing/sealed-bytes.js";
import { invalidTicket, TICKET_LIFETIME_MS, type TicketOffice } from "../../security/ticket-office.js";

export interface RedisTicketOfficeOptions {
  /** Opened for use `caller`: while Redis is away no ticket is taken. */
  readonly client: RedisClient;
  readonly namespace: string;
  /** 32 bytes, the same in every process. */
  readonly key: Buffer;
  readonly clock: Clock;
}

const CONTEXT = "ticket";
const contentSchema = z.object({ actorId: z.string(), role: z.enum(USER_ROLES), expiresAtMs: z.number() });

/** For several processes; each has an office of its own with the same key. */
export function createRedisTicketOffice({ client, namespace, key, clock }: RedisTicketOfficeOptions): TicketOffice {
  return {
    async issue({ actorId, role }) {
      const expiresAtMs = clock.nowMs() + TICKET_LIFETIME_MS;
      const content = Buffer.from(JSON.stringify({ actorId, role, expiresAtMs }), "utf8");
      return { ticket: sealBytes(key, CONTEXT, content).toString("base64url"), expiresAtMs };
    },
    async redeem(ticket): Promise<Actor> {
      const { expiresAtMs, ...actor } = open(key, ticket);
      // Remembered for longer than the clocks of two machines may differ.
      const rememberMs = 2 * TICKET_LIFETIME_MS;
      if (expiresAtMs <= clock.nowMs() || expiresAtMs > clock.nowMs() + rememberMs) throw invalidTicket();
      const name = `${namespace}:ticket:${createHash("sha256").update(ticket).digest("hex")}`;
      const isFirst = await client.set(name, "used", "PX", rememberMs, "NX").catch((error: unknown) => {
        throw redisUnavailable(error);
      });
      if (isFirst !== "OK") throw invalidTicket();
      return actor;
    },
  };
}

function open(key: Buffer, ticket: string): z.infer<typeof contentSchema> {
  const bytes = Buffer.from(ticket, "base64url");
  // One ticket has one spelling, or it could be shown twice.
  if (bytes.toString("base64url") !== ticket) throw invalidTicket();
  try {
    return contentSchema.parse(JSON.parse(openBytes(key, CONTEXT, bytes).toString("utf8")));
  } catch {
    throw invalidTicket();
  }
}
