/** What the health and operations routes ask the running service; `app/` answers. */

import type { EngineDescription } from "../inference/model-engine.js";
import type { HealthCheckResult } from "../observability/health.js";
import type { WorkerView } from "../observability/worker-state.js";

export interface ServiceStatus {
  readonly version: string;
  /** False from the moment the service is told to stop. */
  isAccepting(): boolean;
  /** `essential`: only those without which the service is not ready. */
  checks(scope: "all" | "essential"): Promise<readonly HealthCheckResult[]>;
  uptimeMs(): number;
  engines(): readonly EngineDescription[];
  /** On the disks of the process's own directory and of the recordings, unless these lie in an object store. */
  freeBytes(): Promise<{ readonly data: number; readonly recordings?: number }>;
  /** Of this process; `isNeeded`: its role runs models. */
  modelProcesses(): { readonly count: number; readonly waiting: number; readonly isNeeded: boolean };
  /** Every worker that is known, here or elsewhere. @throws AppError `REDIS_UNAVAILABLE` */
  workers(): Promise<readonly WorkerView[]>;
  resources(): Promise<{
    readonly cpuCores: number;
    readonly memoryTotalBytes: number;
    readonly memoryFreeBytes: number;
    readonly processMemoryBytes: number;
    readonly modelProcessesMemoryBytes: number;
    /** Names of those that are found, used or not. */
    readonly gpus: readonly string[];
    readonly modelDevice: "cpu" | "cuda";
    readonly dataDirectoryFreeBytes: number;
    readonly eventLoopDelayP99Ms: number;
  }>;
}
