/** What the health and operations routes ask the running service; `app/` answers. */

import type { EngineDescription } from "../inference/model-engine.js";
import type { HealthCheckResult } from "../observability/health.js";

export interface ServiceStatus {
  readonly version: string;
  /** False from the moment the service is told to stop. */
  isAccepting(): boolean;
  /** `essential`: only those without which the service is not ready. */
  checks(scope: "all" | "essential"): Promise<readonly HealthCheckResult[]>;
  uptimeMs(): number;
  engines(): readonly EngineDescription[];
  workers(): {
    readonly modelProcesses: number;
    readonly modelRequestsWaiting: number;
    readonly jobConsumers: number;
    readonly jobConcurrency: number;
    readonly queues: readonly string[];
  };
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
