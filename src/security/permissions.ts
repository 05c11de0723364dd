/** Who may do what: the whole table. */

export const USER_ROLES = ["agent", "supervisor", "admin", "service"] as const;
export type UserRole = (typeof USER_ROLES)[number];

export const PERMISSIONS = [
  "recording:create",
  "task:read",
  "task:cancel",
  "call:read",
  "call:control",
  "call:delete",
  "call:hold",
  "transcript:read",
  "risk:acknowledge",
  "feedback:create",
  "feedback:read",
  "feedback:export",
  "queue:read",
  "model:read",
  "model:run",
  "health:read",
  "metrics:read",
  "webhook:manage",
  "job:manage",
  "key:manage",
  "audit:verify",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

const EVERYONE: readonly Permission[] = ["task:read", "call:read", "model:read", "health:read"];

const GRANTED: Readonly<Record<UserRole, readonly Permission[]>> = {
  agent: [
    ...EVERYONE,
    "call:control",
    "risk:acknowledge",
    "feedback:create",
    "feedback:read",
    "model:run",
    "recording:create",
    "task:cancel",
    "transcript:read",
  ],
  supervisor: [
    ...EVERYONE,
    "call:control",
    "risk:acknowledge",
    "feedback:create",
    "feedback:read",
    "feedback:export",
    "model:run",
    "recording:create",
    "task:cancel",
    "transcript:read",
    "call:delete",
    "call:hold",
    "queue:read",
  ],
  admin: PERMISSIONS,
  service: [...EVERYONE, "call:control", "model:run", "recording:create", "task:cancel", "queue:read", "metrics:read"],
};

/** True when the role holds the permission. */
export function isGranted(role: UserRole, permission: Permission): boolean {
  return GRANTED[role].includes(permission);
}
