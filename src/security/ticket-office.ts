/**
 * Tickets: a browser can't send credentials with a WebSocket, so it fetches a ticket first and shows that instead. One
 * use, half a minute.
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
  issue(actor: Actor): Promise<Ticket>;
  /** @throws AppError `AUTH_CREDENTIALS_INVALID` when it is unknown, used or too old */
  redeem(ticket: string): Promise<Actor>;
}

export const TICKET_LIFETIME_MS = 30_000;
/** Beyond this the oldest go: a flood must not fill the memory. */
const MAX_TICKETS = 10_000;

/** For a process that is alone: tickets live in its memory. */
export function createTicketOffice(clock: Clock): TicketOffice {
  const issued = new Map<string, { readonly actor: Actor; readonly expiresAtMs: number }>();
  const forgetOld = (nowMs: number): void => {
    for (const [ticket, { expiresAtMs }] of issued) {
      if (expiresAtMs > nowMs && issued.size <= MAX_TICKETS) return;
      issued.delete(ticket);
    }
  };
  return {
    async issue(actor) {
      const nowMs = clock.nowMs();
      const ticket = randomBytes(24).toString("base64url");
      const expiresAtMs = nowMs + TICKET_LIFETIME_MS;
      issued.set(ticket, { actor, expiresAtMs });
      forgetOld(nowMs);
      return { ticket, expiresAtMs };
    },
    async redeem(ticket) {
      const found = issued.get(ticket);
      issued.delete(ticket);
      if (found === undefined || found.expiresAtMs <= clock.nowMs()) {
        throw invalidTicket();
      }
      return found.actor;
    },
  };
}

/** Whatever is wrong with it: who guesses learns nothing. */
export function invalidTicket(): AppError {
  return new AppError("AUTH_CREDENTIALS_INVALID", "The ticket is unknown, was used, or is older than 30 seconds; fetch a new one.");
}
