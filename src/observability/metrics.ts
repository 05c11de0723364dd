/**
 * Every metric of the product, declared in one place behind one module; prom-client is imported nowhere else.
 * Labels come from closed sets; none holds an id, a number or free text. `docs/metrics.md` lists them all.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WORK_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];

export type Metrics = ReturnType<typeof createMetrics>;

/** Creates a fresh registry with all metrics; two services in one process (tests) do not share counts. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    ...gatewayMetrics(registers),
    ...queueMetrics(registers),
    ...telephonyMetrics(registers),
    ...analysisMetrics(registers),
    ...foundationMetrics(registers),
    render: (): Promise<string> => registry.metrics(),
    contentType: registry.contentType,
    names: async (): Promise<readonly { name: string; help: string; type: string }[]> =>
      (await registry.getMetricsAsJSON()).map((metric) => ({ name: metric.name, help: metric.help, type: String(metric.type) })),
  };
}

function gatewayMetrics(registers: Registry[]) {
  return {
    requestSeconds: new Histogram({
      name: "helpline_gateway_request_seconds",
      help: "Time to answer an HTTP request, by route template, method and status class.",
      labelNames: ["route", "method", "status"] as const,
      buckets: REQUEST_SECONDS,
      registers,
    }),
    rateLimited: new Counter({
      name: "helpline_gateway_refused_requests_total",
      help: "Requests refused before work, by reason (rate, uploads, streams, credentials, permission).",
      labelNames: ["reason"] as const,
      registers,
    }),
    eventStreams: new Gauge({
      name: "helpline_gateway_event_streams",
      help: "Open event streams: server-sent events and WebSockets.",
      registers,
    }),
    uploadBytes: new Counter({
      name: "helpline_gateway_upload_bytes_total",
      help: "Bytes of audio received by upload.",
      registers,
    }),
  };
}

function queueMetrics(registers: Registry[]) {
  return {
    jobsFinished: new Counter({
      name: "helpline_queue_jobs_finished_total",
      help: "Deliveries of jobs, by queue and outcome (completed, retried, handed_on, failed, cancelled, stalled).",
      labelNames: ["queue", "outcome"] as const,
      registers,
    }),
    jobs: new Gauge({
      name: "helpline_queue_jobs",
      help: "Jobs in the queue now, by queue and status.",
      labelNames: ["queue", "status"] as const,
      registers,
    }),
    jobSeconds: new Histogram({
      name: "helpline_queue_job_seconds",
      help: "Time a handler took for one delivery, by job name.",
      labelNames: ["job_name"] as const,
      buckets: WORK_SECONDS,
      registers,
    }),
  };
}

function analysisMetrics(registers: Registry[]) {
  return {
    stageSeconds: new Histogram({
      name: "helpline_analysis_stage_seconds",
      help: "Time one analysis stage took, by stage and status.",
      labelNames: ["stage", "status"] as const,
      buckets: WORK_SECONDS,
      registers,
    }),
    audioSeconds: new Counter({
      name: "helpline_analysis_audio_seconds_total",
      help: "Seconds of received audio by fate (speech, silence, paused, failed), summed over channels.",
      labelNames: ["fate"] as const,
      registers,
    }),
    modelRequests: new Counter({
      name: "helpline_inference_requests_total",
      help: "Requests to the model pool, by model task and outcome (ok or an error code).",
      labelNames: ["model_task", "outcome"] as const,
      registers,
    }),
    cacheLookups: new Counter({
      name: "helpline_cache_lookups_total",
      help: "Results asked of the cache, by outcome (hit, miss, failed: it could not be asked).",
      labelNames: ["outcome"] as const,
      registers,
    }),
    workers: new Gauge({
      name: "helpline_workers",
      help: "Workers that this process knows of, by status (running, draining, stuck, lost, stopped).",
      labelNames: ["status"] as const,
      registers,
    }),
    workerSelfTests: new Counter({
      name: "helpline_worker_self_tests_total",
      help: "Self-tests of this process's worker, by outcome (passed, failed).",
      labelNames: ["outcome"] as const,
      registers,
    }),
    syntheticCallSeconds: new Histogram({
      name: "helpline_synthetic_call_seconds",
      help: "Synthetic calls of this process from their first byte to their analysis, by outcome (passed, failed, late).",
      labelNames: ["outcome"] as const,
      buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 900],
      registers,
    }),
    modelProcesses: new Gauge({
      name: "helpline_inference_processes",
      help: "Model processes running now.",
      registers,
    }),
    modelProcessRestarts: new Counter({
      name: "helpline_inference_process_restarts_total",
      help: "Model processes replaced after a crash, a hang or a missed deadline.",
      registers,
    }),
  };
}

function foundationMetrics(registers: Registry[]) {
  return {
    auditRecords: new Counter({
      name: "helpline_security_audit_records_total",
      help: "Audit records appended, by outcome (allowed, denied).",
      labelNames: ["outcome"] as const,
      registers,
    }),
    databaseSeconds: new Histogram({
      name: "helpline_storage_statement_seconds",
      help: "Time from asking the database worker to its answer, by kind (query, batch, replica).",
      labelNames: ["kind"] as const,
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
      registers,
    }),
    freeBytes: new Gauge({
      name: "helpline_storage_free_bytes",
      help: "Free on the disk, by place (data: the process's own directory; recordings: that of AUDIO_STORE_URL, unless it is s3:).",
      labelNames: ["place"] as const,
      registers,
    }),
  };
}

function telephonyMetrics(registers: Registry[]) {
  return {
    telephonyConnections: new Gauge({ name: "helpline_telephony_connections", help: "Connections of the exchange open now.", registers }),
    telephonyClosed: new Counter({
      name: "helpline_telephony_connections_closed_total",
      help: "Connections of the exchange that ended, by reason (hangup, passed_on, protocol, idle, silent_start, flood, peer, full, error, stopping).",
      labelNames: ["reason"] as const,
      registers,
    }),
    telephonyAudioSeconds: new Counter({
      name: "helpline_telephony_audio_seconds_total",
      help: "Seconds of audio received from the exchange, summed over legs.",
      registers,
    }),
    telephonySkipped: new Counter({
      name: "helpline_telephony_skipped_messages_total",
      help: "Well-formed messages of the exchange that were skipped, by protocol.",
      labelNames: ["protocol"] as const,
      registers,
    }),
    deliveries: new Counter({
      name: "helpline_calls_deliveries_total",
      help: "Events sent to webhooks, by outcome (delivered, failed, dead).",
      labelNames: ["outcome"] as const,
      registers,
    }),
    liveCalls: new Gauge({ name: "helpline_calls_live", help: "Calls in progress.", registers }),
    liveLagSeconds: new Histogram({
      name: "helpline_calls_live_lag_seconds",
      help: "How long the oldest finished speech of a live call waits for its text, measured every ten seconds a call.",
      buckets: REQUEST_SECONDS,
      registers,
    }),
    recognitionSeconds: new Histogram({
      name: "helpline_calls_live_recognition_seconds",
      help: "Recognition of live speech, by kind (final, interim) and part (waiting, working).",
      labelNames: ["kind", "part"] as const,
      buckets: REQUEST_SECONDS,
      registers,
    }),
  };
}
