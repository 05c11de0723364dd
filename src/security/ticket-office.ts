/**
 * Tickets: a browser can't send credentials with a WebSocket, so it fetches a ticket first and shows that instead. One
 * use, half a minute, kept in memory.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../core/clock.js";
import { AppError } from "../core/errors.js";
import type { Actor } from "./authorization.js";

export interface Ticket {
  readonly ticket: string;
  readonly expiresAtMs: number;
}

export interface TicketOffice {
  issue(actor: Actor): Ticket;
  /** @throws AppError `AUTH_CREDENTIALS_INVALID` when it is unknown, used or too old */
  redeem(ticket: string): Actor;
}

const LIFETIME_MS = 30_000;
/** Beyond this the oldest go: a flood must not fill the memory. */
const MAX_TICKETS = 10_000;

/** Tickets live in this process: one issued here is shown here. */
export function createTicketOffice(clock: Clock): TicketOffice {
  const issued = new Map<string, { readonly actor: Actor; readonly expiresAtMs: number }>();
  const forgetOld = (nowMs: number): void => {
    for (const [ticket, { expiresAtMs }] of issued) {
      if (expiresAtMs > nowMs && issued.size <= MAX_TICKETS) return;
      issued.delete(ticket);
    }
  };
  return {
    issue(actor) {
      const nowMs = clock.nowMs();
      const ticket = randomBytes(24).toString("base64url");
      const expiresAtMs = nowMs + LIFETIME_MS;
      issued.set(ticket, { actor, expiresAtMs });
      forgetOld(nowMs);
      return { ticket, expiresAtMs };
    },
    redeem(ticket) {
      const found = issued.get(ticket);
      issued.delete(ticket);
      if (found === undefined || found.expiresAtMs <= clock.nowMs()) {
        throw new AppError("AUTH_CREDENTIALS_INVALID", "The ticket is unknown, was used, or is older than 30 seconds; fetch a new one.");
      }
      return found.actor;
    },
  };
}
