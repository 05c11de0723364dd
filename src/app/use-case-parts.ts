/** What the use cases are built from. */
import type { RecordingDecoder } from "../audio/decoder.js";
import type { CallEventLog } from "../calls/call-event-log.js";
import type { Config } from "../config/config-schema.js";
import type { Logger } from "../core/log.js";
import type { EventBus } from "../events/event-bus.js";
import type { InferencePool } from "../inference/pool/inference-pool.js";
import type { Metrics } from "../observability/metrics.js";
import type { QueueBackend } from "../queue/queue-backend.js";
import type { MasterKey } from "../security/master-key.js";
import type { AppDatabase } from "../storage/database.js";
import type { Stores } from "./open-stores.js";

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
  readonly inference: InferencePool;
  readonly decoder: RecordingDecoder;
  readonly workDirectory: string;
}
