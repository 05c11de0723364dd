/** Answers the gateway's questions about the running service. */
import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import type { ServiceStatus } from "../gateway/service-status.js";
import { languagesText } from "../inference/model-engine.js";
import type { EventLoopMonitor } from "../observability/event-loop.js";
import { type HealthCheck, runHealthChecks } from "../observability/health.js";
import type { Services } from "./build-services.js";
import { findGpus } from "./compute-device.js";
import type { Duties } from "./roles/process-role.js";
import type { RunningWorker } from "./roles/running-worker.js";

/** Under this the next recordings may not fit. */
const LOW_DISK_BYTES = 1_073_741_824;

export interface ServiceStatusOptions {
  readonly services: Services;
  readonly duties: Duties;
  readonly dataDirectory: string;
  /** Undefined: an object store has the recordings, and does not tell how much room it has. */
  readonly recordingsDirectory: string | undefined;
  /** Of what is done now and then. */
  readonly houseChecks: readonly HealthCheck[];
  /** What models run on here. */
  readonly modelDevice: "cpu" | "cuda";
  readonly version: string;
  readonly eventLoop: EventLoopMonitor;
  readonly worker: () => RunningWorker | undefined;
  readonly isAccepting: () => boolean;
}

export function createServiceStatus(options: ServiceStatusOptions): ServiceStatus {
  const { services, dataDirectory } = options;
  const startedAtMs = performance.now();
  const checks = [...storageChecks(services, dataDirectory), ...(options.duties.hasModels ? modelChecks(services) : []), ...options.houseChecks];
  const gpus = findGpus();
  return {
    version: options.version,
    isAccepting: options.isAccepting,
    checks: (scope) => runHealthChecks(checks.filter(({ isEssential }) => scope === "all" || isEssential)),
    uptimeMs: () => performance.now() - startedAtMs,
    engines: () => services.inference.engines(),
    // A disk that can't be asked has no room for anything; and whoever watches must still be told the rest.
    freeBytes: async () => ({
      data: await freeBytes(dataDirectory).catch(() => 0),
      ...(options.recordingsDirectory === undefined ? {} : { recordings: await freeBytes(options.recordingsDirectory).catch(() => 0) }),
    }),
    modelProcesses: () => ({ count: services.inference.processCount, waiting: services.inference.waitingCount, isNeeded: options.duties.hasModels }),
    workers: () => services.listWorkers(options.worker()),
    resources: async () => ({
      cpuCores: availableParallelism(),
      memoryTotalBytes: totalmem(),
      memoryFreeBytes: freemem(),
      processMemoryBytes: process.memoryUsage.rss(),
      modelProcessesMemoryBytes: await memoryOf(services.inference.processIds),
      gpus: [...gpus],
      modelDevice: options.modelDevice,
      dataDirectoryFreeBytes: await freeBytes(dataDirectory),
      eventLoopDelayP99Ms: options.eventLoop.takeP99Ms(),
    }),
  };
}

function storageChecks({ database }: Services, dataDirectory: string): readonly HealthCheck[] {
  return [
    {
      name: "database",
      isEssential: true,
      run: async () => {
        await database.sql.selectFrom("audit_head").select("seq").execute();
        return { status: "ok", detail: `${database.dialect} answers` };
      },
    },
    {
      name: "disk",
      isEssential: false,
      run: async () => {
        const free = await freeBytes(dataDirectory);
        const detail = `${Math.floor(free / 1_048_576)} MB free in the data directory`;
        return { status: free < LOW_DISK_BYTES ? "failed" : "ok", detail };
      },
    },
  ];
}

function modelChecks({ inference, decoder }: Services): readonly HealthCheck[] {
  return [
    {
      name: "model_processes",
      isEssential: true,
      run: async () =>
        inference.processCount > 0
          ? { status: "ok", detail: `${inference.processCount} running` }
          : { status: "failed", detail: "none is running; they are being restarted" },
    },
    {
      name: "decoder",
      isEssential: false,
      run: async () =>
        (await decoder.describe()) === "ffmpeg"
          ? { status: "ok", detail: "ffmpeg" }
          : { status: "failed", detail: "without ffmpeg WebM, GSM and ADPCM can't be read; run: apt-get install ffmpeg" },
    },
    {
      name: "speech_engine",
      isEssential: false,
      run: async () => {
        const engine = inference.engines().find(({ modelTask }) => modelTask === "speech");
        return engine === undefined
          ? { status: "failed", detail: "none is installed; for English run: apt-get install pocketsphinx pocketsphinx-en-us" }
          : { status: "ok", detail: `${engine.engine} (${languagesText(engine.capabilities)})` };
      },
    },
  ];
}

/** What they hold of the machine's memory; 0 where the system does not tell. */
async function memoryOf(processIds: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    processIds.map(async (id) => {
      const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
      return Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
