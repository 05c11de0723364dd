/** What the use cases are built from. */
import type { RecordingDecoder } from "../audio/decoder.js";
import type { CallEventLog } from "../calls/call-event-log.js";
import type { TextMasking } from "../calls/text-masking.js";
import type { Config } from "../config/config-schema.js";
import type { Logger } from "../core/log.js";
import type { EventBus } from "../events/event-bus.js";
import type { InferencePool } from "../inference/pool/inference-pool.js";
import type { Metrics } from "../observability/metrics.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import type { ProcessRegistry } from "../redis/process-registry.js";
import type { ProcessRequests } from "../redis/process-requests.js";
import type { MasterKey } from "../security/master-key.js";
import type { AppDatabase } from "../storage/database.js";
import type { Stores } from "./open-stores.js";
import type { DataLayout } from "./paths.js";
import type { Duties } from "./roles/process-role.js";

export interface UseCaseParts {
  readonly config: Config;
  readonly masterKey: MasterKey;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: AppDatabase;
  readonly stores: Stores;
  readonly queue: QueueBackend;
  readonly bus: EventBus;
  readonly eventLog: CallEventLog;
  readonly masking: TextMasking;
  readonly inference: InferencePool;
  readonly decoder: RecordingDecoder;
  readonly workDirectory: string;
  readonly layout: DataLayout;
  readonly duties: Duties;
  /** Undefined where one process is all there is. */
  readonly registry: ProcessRegistry | undefined;
  readonly requests: ProcessRequests | undefined;
  /** Of this process's life. */
  readonly processId: string;
  /** By which the calls this process takes are told from those of others. */
  readonly streamId: string | undefined;
}
