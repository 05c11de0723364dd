/**
 * Who gets in: every route states its permission or does not register; then rate, credentials and permission are
 * checked in this order, before a body is read. Authentication fails closed; the rate limit is counted by each process
 * alone where it can't be counted together.
 */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { AppError } from "../../core/errors.js";
import type { Metrics } from "../../observability/metrics.js";
import type { AuditSink } from "../../security/audit-record.js";
import { type Authenticator, bearerToken, isCredentialShaped } from "../../security/authentication.js";
import { type Actor, type Authorized, authorize } from "../../security/authorization.js";
import type { Permission } from "../../security/permissions.js";
import type { TicketOffice } from "../../security/ticket-office.js";
import type { RequestLimits } from "../limits/request-limits.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Required on every route. */
    permission?: Permission | "public";
    /** A one-time ticket in the query stands for credentials: for browsers' WebSockets. */
    allowsTicket?: boolean;
    /** Basic credentials with an API key as password: for exchanges that know nothing else. */
    allowsBasic?: boolean;
    /** Of a route that takes multipart/form-data: what the API page tells of it. */
    form?: FormDescription;
  }
  interface FastifyRequest {
    actor: Actor | null;
  }
}

export interface FormDescription {
  readonly fields: z.ZodObject;
  readonly fileField: string;
  readonly isMany?: boolean;
}

export interface AccessOptions {
  readonly authenticator: Authenticator;
  readonly audit: AuditSink;
  readonly metrics: Metrics;
  readonly limits: RequestLimits;
  readonly tickets: TicketOffice;
}

/**
 * Refuses to register a route that does not say who may call it. Routes a plugin adds under one of `publicPrefixes`
 * (the API page and its files) are public.
 */
export function requireStatedPermissions(app: FastifyInstance, publicPrefixes: readonly string[]): void {
  app.addHook("onRoute", (route) => {
    if (publicPrefixes.includes(route.prefix)) route.config = { ...route.config, permission: "public" };
    if (route.config?.permission === undefined) throw new Error(`route ${String(route.method)} ${route.url} states no permission`);
  });
}

/** Guards the routes of this scope. */
export function guardRoutes(app: FastifyInstance, options: AccessOptions): void {
  const { audit, metrics, limits } = options;
  app.decorateRequest("actor", null);
  app.addHook("onRequest", async (request) => {
    const { permission } = request.routeOptions.config;
    if (!request.routeOptions.url?.startsWith("/health")) await consume(limits, callerOf(request), metrics);
    if (permission === "public") return;
    request.actor = await authenticate(request, options).catch(async (error: unknown) => {
      metrics.rateLimited.inc({ reason: "credentials" });
      // Guesses count by address: each made-up key would otherwise have an allowance of its own.
      await consume(limits, `guess ${request.ip}`, metrics);
      throw error;
    });
    try {
      if (permission !== undefined) authorize(request.actor, permission);
    } catch (error) {
      metrics.rateLimited.inc({ reason: "permission" });
      const { actorId, role } = request.actor;
      const target = `${request.method} ${request.routeOptions.url ?? "unknown"}`.slice(0, 128);
      await audit.append({ atMs: Date.now(), actorId, role, action: "access.denied", target, outcome: "denied" });
      throw error;
    }
  });
}

async function authenticate({ headers, query, routeOptions }: FastifyRequest, { authenticator, tickets }: AccessOptions): Promise<Actor> {
  const { ticket } = query as { readonly ticket?: unknown };
  if (routeOptions.config.allowsTicket === true && headers.authorization === undefined && typeof ticket === "string") return tickets.redeem(ticket);
  const { authorization } = headers;
  return authenticator.authenticate(routeOptions.config.allowsBasic === true ? (bearerOfBasic(authorization) ?? authorization) : authorization);
}

/** The same key in the other form. */
function bearerOfBasic(header: string | undefined): string | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  return `Bearer ${pair.slice(pair.indexOf(":") + 1)}`;
}

/** The proof a use case asks for. */
export function authorizedRequest<P extends Permission>(request: FastifyRequest, permission: P): Authorized<P> {
  if (request.actor === null) throw new AppError("AUTH_CREDENTIALS_MISSING", "This needs credentials.");
  return authorize(request.actor, permission);
}

/**
 * By a hash of the key or token: one's flood is not another's, however the header is spelled, and the limiter never holds
 * a secret. What is neither counts by its address.
 */
function callerOf({ headers: { authorization }, ip }: FastifyRequest): string {
  const token = bearerToken(authorization);
  return token !== undefined && isCredentialShaped(token) ? createHash("sha256").update(token).digest("base64") : ip;
}

async function consume(limits: RequestLimits, caller: string, metrics: Metrics): Promise<void> {
  try {
    await limits.consume(caller);
  } catch (error) {
    if (error instanceof AppError && error.code === "GATEWAY_RATE_LIMITED") metrics.rateLimited.inc({ reason: "rate" });
    throw error;
  }
}
