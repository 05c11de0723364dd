/**
 * Authorization carried by the type: a use case takes `Authorized<P>`, and only `authorize` can make one, so a use
 * case that forgot to ask does not compile.
 */
import { AppError } from "../core/errors.js";
import { isGranted, type Permission, type UserRole } from "./permissions.js";

/** Who asks: the owner of an API key or token, or the operator at the machine's command line. */
export interface Actor {
  /** Key id, token subject, or `operator`; an id of ours, never a person's name. */
  readonly actorId: string;
  readonly role: UserRole;
}

declare const authorizedMark: unique symbol;
/** Proof that `actor` holds permission `P`. */
export interface Authorized<P extends Permission> {
  readonly actor: Actor;
  readonly permission: P;
  readonly [authorizedMark]: true;
}

/** @throws AppError `AUTH_PERMISSION_DENIED` */
export function authorize<P extends Permission>(actor: Actor, permission: P): Authorized<P> {
  if (!isGranted(actor.role, permission)) {
    throw new AppError("AUTH_PERMISSION_DENIED", `The role ${actor.role} does not hold the permission ${permission}.`, {
      details: { permission },
    });
  }
  return { actor, permission } as Authorized<P>;
}

/** The person at the command line of this machine, who can read the master key anyway. */
export const OPERATOR: Actor = { actorId: "operator", role: "admin" };

/** The service itself, with its synthetic call. */
export const SERVICE: Actor = { actorId: "service", role: "service" };

/** The telephone exchange, which brings live calls and may read nothing. */
export const EXCHANGE: Actor = { actorId: "exchange", role: "service" };
