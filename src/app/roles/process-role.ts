/** Which part of the work a process has: all of it (`serve`), or one role beside other processes. */
import type { Config } from "../../config/config-schema.js";
import { AppError } from "../../core/errors.js";

export const PROCESS_ROLES = ["serve", "api", "worker", "stream"] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];

export interface Duties {
  /** Shares database, Redis and audio store with others. */
  readonly isShared: boolean;
  /** `operations`: health, metrics and what runs; for whoever watches the process. */
  readonly gateway: "whole" | "operations";
  readonly takesCalls: boolean;
  readonly worksOnJobs: boolean;
  readonly hasModels: boolean;
  /** Makes the first key, delivers to webhooks, forgets what has expired. */
  readonly keepsHouse: boolean;
}

/** Of a process that is alone. */
export const ALL_DUTIES: Duties = { isShared: false, gateway: "whole", takesCalls: true, worksOnJobs: true, hasModels: true, keepsHouse: true };

const DUTIES: Readonly<Record<ProcessRole, Duties>> = {
  serve: ALL_DUTIES,
  api: { isShared: true, gateway: "whole", takesCalls: false, worksOnJobs: false, hasModels: false, keepsHouse: true },
  worker: { isShared: true, gateway: "operations", takesCalls: false, worksOnJobs: true, hasModels: true, keepsHouse: false },
  stream: { isShared: true, gateway: "whole", takesCalls: true, worksOnJobs: false, hasModels: true, keepsHouse: false },
};

/** @throws AppError `CONFIG_INVALID` when a setting is missing that the role shares with others, or has no meaning for it */
export function dutiesOf(role: ProcessRole, config: Config): Duties {
  const duties = DUTIES[role];
  const { database, redis, audioStore, security } = config;
  const hasRedis = redis.url !== undefined || redis.clusterNodes.length > 0;
  if (!duties.isShared) {
    if (database.url === undefined && !hasRedis) return duties;
    throw new AppError(
      "CONFIG_INVALID",
      "serve keeps its own SQLite file and queue: unset DATABASE_URL and REDIS_URL, or run the roles api, worker and stream.",
    );
  }
  const missing = [
    ...(database.url === undefined ? ["DATABASE_URL"] : []),
    ...(hasRedis ? [] : ["REDIS_URL"]),
    ...(audioStore.url === undefined ? ["AUDIO_STORE_URL"] : []),
    ...(security.masterKeyFile === undefined ? ["MASTER_KEY_FILE"] : []),
  ];
  if (missing.length > 0) throw new AppError("CONFIG_INVALID", `The role ${role} shares its data with other processes: set ${missing.join(", ")}.`);
  return duties;
}
