/** The worker of this process, told to the others where there are several; and all workers as one process sees them. */
import type { Clock } from "../../core/clock.js";
import type { InferencePool } from "../../inference/pool/inference-pool.js";
import type { WorkerRuntime } from "../../jobs/worker-runtime.js";
import { startSelfTest } from "../../jobs/worker-self-test.js";
import { type SelfTestResult, statusOf, type WorkerState, type WorkerView } from "../../observability/worker-state.js";
import type { ProcessRegistry } from "../../redis/process-registry.js";
import { redisUnavailable } from "../../redis/redis-connection.js";

export interface RunningWorker {
  state(): WorkerState;
  stop(deadlineMs: number): Promise<void>;
}

export interface RunningWorkerParts {
  readonly runtime: WorkerRuntime;
  readonly inference: InferencePool;
  readonly device: "cpu" | "cuda";
  readonly clock: Clock;
  /** Undefined where one process is all there is. */
  readonly registry: ProcessRegistry | undefined;
  readonly processId: string;
  readonly onSelfTest: (result: SelfTestResult) => void;
}

/** Tests itself from now on, and joins the registry. */
export function runWorker({ runtime, inference, device, clock, registry, processId, onSelfTest }: RunningWorkerParts): RunningWorker {
  const startedAtMs = clock.nowMs();
  let isDraining = false;
  const selfTest = startSelfTest({ inference, clock, onResult: onSelfTest });
  const state = (): WorkerState => ({
    ...{ queues: runtime.queues, concurrency: runtime.concurrency, isDraining, device, startedAtMs, selfTest: selfTest.last },
    ...{ modelProcesses: inference.processCount, modelRequestsWaiting: inference.waitingCount, engines: enginesInUse(inference) },
  });
  const membership = registry?.join("worker", processId, state);
  return {
    state,
    async stop(deadlineMs) {
      isDraining = true;
      selfTest.stop();
      await runtime.stop(deadlineMs);
      await membership?.leave();
    },
  };
}

/** The first of each task: the one that `auto` takes. */
function enginesInUse(inference: InferencePool): WorkerState["engines"] {
  const first = new Map<string, WorkerState["engines"][number]>();
  for (const { modelTask: task, engine } of inference.engines()) if (!first.has(task)) first.set(task, { task, engine });
  return [...first.values()];
}

/** Of a service that is alone. */
const ONLY_WORKER = "embedded";

/**
 * @param local - the worker of this process; undefined before it has started
 * @throws AppError `REDIS_UNAVAILABLE`
 */
export async function listWorkers(registry: ProcessRegistry | undefined, local: RunningWorker | undefined): Promise<readonly WorkerView[]> {
  if (registry === undefined) {
    const state = local?.state() ?? null;
    return [{ name: ONLY_WORKER, status: state === null ? "stopped" : statusOf(state), state }];
  }
  try {
    const alive = await registry.list("worker");
    const lost = await registry.listLost("worker");
    return [
      ...alive.map(({ id, state }) => ({ name: id, status: statusOf(state as WorkerState), state: state as WorkerState })),
      ...lost.map((id) => ({ name: id, status: "lost" as const, state: null })),
    ];
  } catch (error) {
    throw redisUnavailable(error);
  }
}
