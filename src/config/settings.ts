/** Every setting of the product: its variable, its rule, its default, and what it is for; docs/config.md follows from it. */
import { MODEL_SETTINGS } from "./model-settings.js";
import type { SettingDefinition } from "./setting-definition.js";

/** By variable; the order is that of docs/config.md. */
export const SETTINGS: Readonly<Record<string, SettingDefinition>> = {
  DATA_DIR: {
    path: "dataDirectory",
    rule: "a directory path",
    purpose: "Where everything is kept: database, recordings, master key, admin key. Default: `~/.local/share/openchs-ai`.",
  },
  LOG_LEVEL: { path: "logLevel", defaultText: "info", rule: "debug, info, warn, error or silent", purpose: "Least severe log line that is written." },
  HOST: {
    path: "gateway.host",
    defaultText: "127.0.0.1",
    rule: "an address",
    purpose: "Address the service listens on. Anything but loopback should have TLS.",
  },
  PORT: { path: "gateway.port", defaultText: "8125", rule: "0 to 65535", purpose: "Port of the HTTP gateway; 0 takes a free one." },
  TRUSTED_PROXIES: {
    path: "gateway.trustedProxies",
    defaultText: "",
    rule: "addresses or networks such as 10.0.0.0/8, separated by commas",
    purpose: "Proxies in front of the gateway whose X-Forwarded-For is believed. Limits of those without credentials count by that address.",
  },
  REQUESTS_PER_SECOND: {
    path: "gateway.requestsPerSecond",
    defaultText: "100",
    rule: "1 to 100000",
    purpose: "Requests a key may make each second, in the long run; at all `api` together.",
  },
  REQUEST_BURST: { path: "gateway.requestBurst", defaultText: "500", rule: "1 to 1000000", purpose: "Requests a key may make at once after a quiet while." },
  UPLOADS_AT_ONCE: { path: "gateway.uploadsAtOnce", defaultText: "64", rule: "1 to 10000", purpose: "Uploads received at the same time." },
  UPLOAD_IDLE_TIMEOUT_MS: {
    path: "gateway.uploadIdleTimeoutMs",
    defaultText: "60000",
    rule: "100 to 3600000",
    purpose: "An upload in which nothing arrives for this long is ended and its place given to another.",
  },
  BATCH_MAX_FILES: { path: "gateway.maxBatchFiles", defaultText: "500", rule: "1 to 10000", purpose: "Recordings in one batch." },
  EVENT_HEARTBEAT_MS: {
    path: "events.heartbeatMs",
    defaultText: "20000",
    rule: "100 to 600000",
    purpose: "Silence on an event stream after which a heartbeat is sent.",
  },
  EVENT_SLOW_READER_MS: {
    path: "events.slowReaderMs",
    defaultText: "60000",
    rule: "1000 to 3600000",
    purpose: "A client of an event stream that takes nothing for this long is dropped; it may go on with Last-Event-ID.",
  },
  EVENT_STREAMS_AT_ONCE: { path: "events.streamsAtOnce", defaultText: "1000", rule: "1 to 100000", purpose: "Event streams open at the same time." },
  STREAM_PORT: {
    path: "telephony.port",
    defaultText: "8301",
    rule: "0 to 65535",
    purpose: "Port for the telephone exchange (AudioSocket); 0 takes a free one.",
  },
  STREAM_MAX_CONNECTIONS: {
    path: "telephony.maxConnections",
    defaultText: "1000",
    rule: "1 to 100000",
    purpose: "Connections of the exchange at the same time.",
  },
  STREAM_IDLE_TIMEOUT_MS: {
    path: "telephony.idleTimeoutMs",
    defaultText: "300000",
    rule: "1000 to 3600000",
    purpose: "A connection of the exchange that sends nothing for this long is closed. A phone on hold may send nothing.",
  },
  STREAM_LINGER_MS: {
    path: "telephony.lingerMs",
    defaultText: "3000",
    rule: "0 to 60000",
    purpose: "How long a call with no leg left waits for one before it has ended.",
  },
  STREAM_PEER_HOST: {
    path: "telephony.peerHost",
    rule: "an address",
    purpose:
      "Where other streams reach the telephony port of this one, to pass on the second leg of a call that is here. Default: the address it listens on, or the machine's first one.",
  },
  STREAM_DRAIN_MS: {
    path: "telephony.drainMs",
    defaultText: "0",
    rule: "0 to 86400000",
    purpose:
      "How long calls may go on when the process is told to stop: no new one is taken, and those that have not ended by then are ended and stored. Let the supervisor wait for longer.",
  },
  STREAM_HOST: { path: "telephony.host", rule: "an address", purpose: "Address the telephony port listens on. Default: that of HOST." },
  STREAM_ALLOWED_PEERS: {
    path: "telephony.allowedPeers",
    defaultText: "",
    rule: "addresses or networks such as 10.0.0.0/8, separated by commas",
    purpose: "Who may connect to the telephony port. Empty: everybody who can reach it.",
  },
  STREAM_MAX_PACE: {
    path: "telephony.maxPace",
    defaultText: "32",
    rule: "1 to 1000",
    purpose: "Times real time at which a stream may come in the long run; faster ones are closed.",
  },
  STREAM_PROTOCOL: {
    path: "telephony.protocol",
    defaultText: "auto",
    rule: "auto, audiosocket, id_line or raw",
    purpose: "`auto` tells AudioSocket and the id line apart by their first bytes; `raw` is bare samples with no id.",
  },
  STREAM_RAW_ENCODING: {
    path: "telephony.rawEncoding",
    defaultText: "slin",
    rule: "slin, alaw or ulaw",
    purpose: "Encoding of bare samples, and of those after an id line.",
  },
  STREAM_RAW_RATE_HZ: { path: "telephony.rawSampleRateHz", defaultText: "16000", rule: "8000 to 192000", purpose: "Sample rate of bare samples." },
  STREAM_KIND_10_MAY_BE_16K: {
    path: "telephony.kind10MayBe16k",
    defaultText: "false",
    rule: "true or false",
    purpose: "For exchanges before Asterisk 20.17, 22.7 and 23.1, which send 16 kHz under AudioSocket kind 0x10: 20 ms of 640 bytes are then 16 kHz.",
  },
  STREAM_TLS: {
    path: "telephony.tls",
    defaultText: "true",
    rule: "true or false",
    purpose: "Whether TLS, once it is on, covers the telephony port as well. Asterisk's AudioSocket can't do TLS.",
  },
  PROCESSING_MODE: {
    path: "live.mode",
    defaultText: "both",
    rule: "realtime, post_call, both or adaptive (or the older names streaming, dual, realtime_only, postcall_only, hybrid)",
    purpose:
      "Live calls: text while they run (`realtime`), their whole recording heard afterwards (`post_call`), or both; `adaptive` hears the recording unless the call was short, calm and heard whole.",
  },
  LIVE_CONTINUE_WITHIN_MS: {
    path: "live.continueWithinMs",
    defaultText: "30000",
    rule: "0 to 600000",
    purpose: "A call whose id comes back this soon after its end goes on, with a gap; later it is a new call.",
  },
  LIVE_JOURNAL_WRITE_MS: {
    path: "live.journalWriteMs",
    defaultText: "250",
    rule: "10 to 10000",
    purpose: "Received audio is written to disk this often: what a killed process may lose of a call.",
  },
  LIVE_JOURNAL_SYNC_MS: {
    path: "live.journalSyncMs",
    defaultText: "1000",
    rule: "100 to 60000",
    purpose: "Written audio is synced to the disk this often: what a power cut may lose of a call.",
  },
  LIVE_RECOGNIZERS: { path: "live.recognizers", defaultText: "0", rule: "0 to 64", purpose: "Live windows recognized at once; 0 means one per model process." },
  LIVE_PAUSE_DIGIT: {
    path: "live.pauseDigit",
    rule: "one of 0-9 * # A-D",
    purpose: "Telephone key with which the counsellor pauses a call: nothing is stored or analysed. Unset: none.",
  },
  LIVE_RESUME_DIGIT: { path: "live.resumeDigit", rule: "one of 0-9 * # A-D", purpose: "Telephone key with which the counsellor resumes it. Unset: none." },
  TLS_CERT_FILE: { path: "tls.certificateFile", rule: "a PEM file", purpose: "Certificate chain; together with TLS_KEY_FILE it turns TLS on." },
  TLS_KEY_FILE: { path: "tls.keyFile", rule: "a PEM file", purpose: "Private key of the certificate." },
  MASTER_KEY_FILE: {
    path: "security.masterKeyFile",
    rule: "a file path",
    purpose: "The master key. Default: `master.key` in the data directory, made on first start.",
  },
  JWT_SECRET_FILE: {
    path: "jwt.secretFile",
    rule: "a file path",
    purpose: "Secret (32 characters or more) of tokens signed with HS256. This or a key set lets people in with the helpline's own sign-on, beside API keys.",
  },
  JWT_JWKS_FILE: {
    path: "jwt.jwksFile",
    rule: "a file path",
    purpose: "Key set (JWKS) of tokens signed with EdDSA or RS256; read again when a key is not in it.",
  },
  JWT_JWKS_URL: { path: "jwt.jwksUrl", rule: "an https URL (http on this machine)", purpose: "The same from the sign-on's own address; cached." },
  JWT_ISSUER: { path: "jwt.issuer", rule: "a text", purpose: "Who must have issued a token. Needed with a key set." },
  JWT_AUDIENCE: { path: "jwt.audience", rule: "a text", purpose: "Whom a token must be for. Needed with a key set." },
  JWT_ROLE_CLAIM: {
    path: "jwt.roleClaim",
    defaultText: "role",
    rule: "the name of a claim",
    purpose: "Claim with the role (agent, supervisor, admin, service), alone or in a list; dots go into objects, e.g. `realm_access.roles`.",
  },
  AUDIO_MAX_BYTES: { path: "audio.maxBytes", defaultText: "536870912", rule: "1 to 17179869184", purpose: "Largest recording accepted, in bytes (512 MB)." },
  AUDIO_MAX_DURATION_MS: { path: "audio.maxDurationMs", defaultText: "14400000", rule: "1000 to 86400000", purpose: "Longest recording analysed (4 hours)." },
  AUDIO_DECODE_TIMEOUT_MS: {
    path: "audio.decodeTimeoutMs",
    defaultText: "300000",
    rule: "1000 to 3600000",
    purpose: "How long decoding one recording may take.",
  },
  AUDIO_DECODER: {
    path: "audio.decoder",
    defaultText: "auto",
    rule: "auto or fallback",
    purpose: "`auto` uses ffmpeg when it is installed; `fallback` never does.",
  },
  DEFAULT_LANGUAGES: {
    path: "language.defaults",
    defaultText: "sw,en",
    rule: "language tags, separated by commas",
    purpose: "Languages a call may be in when none is given.",
  },
  TRANSLATION_TARGET: { path: "language.translationTarget", defaultText: "en", rule: "a language tag", purpose: "Language translations are made into." },
  ...MODEL_SETTINGS,
  TEXT_SEARCH: {
    path: "search.isOn",
    defaultText: "true",
    rule: "true or false",
    purpose:
      "Whether what was said can be searched. For that a masked copy of every transcript is kept, sealed, and a keyed digest of each of its words; `false` removes them.",
  },
  SYNTHETIC_CALL_SECONDS: {
    path: "syntheticCalls.everySeconds",
    defaultText: "300",
    rule: "0 to 86400",
    purpose:
      "How often the service calls itself: a recording of invented people goes the way of every other and is deleted. What came of it is a metric and a health check; 0 makes none.",
  },
  RETENTION_CALL_DAYS: {
    path: "retention.callDays",
    defaultText: "0",
    rule: "0 to 36500",
    purpose: "Days after it began at which a call goes with everything of it; 0 keeps it. Calls on legal hold stay.",
  },
  RETENTION_TEXT_DAYS: {
    path: "retention.textDays",
    defaultText: "0",
    rule: "0 to 36500",
    purpose: "Days after which what was said goes: transcript, analyses, events, feedback. The record and the recordings stay.",
  },
  RETENTION_AUDIO_DAYS: {
    path: "retention.audioDays",
    defaultText: "0",
    rule: "0 to 36500",
    purpose: "Days after which a call's recordings go; the rest stays.",
  },
  MODEL_ANSWER_TTL_MS: {
    path: "inference.answerTtlMs",
    defaultText: "86400000",
    rule: "60000 to 2592000000",
    purpose: "How long questions to model endpoints and their answers are kept (a day); calls are not touched by it.",
  },
  WORKER_CONCURRENCY: { path: "queue.concurrency", defaultText: "0", rule: "0 to 64", purpose: "Recordings in work at once; 0 means one per core." },
  JOB_LEASE_MS: { path: "queue.leaseMs", defaultText: "30000", rule: "500 to 600000", purpose: "Silence after which a job's worker is taken for dead." },
  JOB_POLL_INTERVAL_MS: {
    path: "queue.pollIntervalMs",
    defaultText: "1000",
    rule: "50 to 60000",
    purpose: "How often to look for jobs that other processes queued.",
  },
  JOB_MAX_ATTEMPTS: { path: "queue.maxAttempts", defaultText: "3", rule: "1 to 20", purpose: "Tries before a failing job is set aside." },
  JOB_FIRST_RETRY_DELAY_MS: {
    path: "queue.firstRetryDelayMs",
    defaultText: "1000",
    rule: "10 to 600000",
    purpose: "Delay before the second try; it doubles from there, to five minutes at most.",
  },
  JOBS_PER_MINUTE: {
    path: "queue.jobsPerMinute",
    defaultText: "",
    rule: "of recordings, recordings-cuda, models, each with = and a number from 1, with commas",
    purpose: "Jobs of a queue that all workers together start in a minute, for a model server with a quota: `recordings=30`. The same in every role.",
  },
  CUDA_STAGES: {
    path: "queue.cudaStages",
    defaultText: "",
    rule: "of transcript, translation, entities, classification, risk, summary, answers, quality, with commas",
    purpose:
      "Stages of a recording that only workers with a GPU run (`worker --device cuda`); the others leave them to those, and take the rest. The same in every role. Empty: each worker runs all.",
  },
  DATABASE_URL: {
    path: "database.url",
    rule: "a postgres://, mysql:// or mariadb:// URL",
    purpose: "Database of the roles api, worker and stream, which share it; `serve` keeps its own SQLite file.",
  },
  DATABASE_READ_URL: {
    path: "database.readUrl",
    rule: "a postgres:// URL",
    purpose: "A replica of that database, kept by PostgreSQL's streaming replication: lists, searches and statistics are read from it once it has caught up.",
  },
  DATABASE_POOL_SIZE: { path: "database.poolSize", defaultText: "10", rule: "1 to 200", purpose: "Connections to that database a process may hold." },
  REDIS_URL: {
    path: "redis.url",
    rule: "a redis:// or rediss:// URL",
    purpose: "Redis of the roles api, worker and stream: queue, events between processes, who is alive. It must not evict keys (noeviction).",
  },
  REDIS_CLUSTER_NODES: {
    path: "redis.clusterNodes",
    defaultText: "",
    rule: "redis:// or rediss:// URLs, with commas",
    purpose: "Some nodes of a Redis Cluster, in place of REDIS_URL.",
  },
  CACHE_REDIS_URL: {
    path: "redis.cacheUrl",
    rule: "a redis:// or rediss:// URL",
    purpose:
      "Another Redis for what may be forgotten: the counts of requests, and results that can be made again. It may evict keys. Default: the one of REDIS_URL.",
  },
  REDIS_CA_FILE: {
    path: "redis.caFile",
    rule: "a file path",
    purpose: "PEM of the authority that signed Redis's certificate, when the system does not know it.",
  },
  REDIS_NAMESPACE: {
    path: "redis.namespace",
    defaultText: "openchs",
    rule: "1 to 32 letters, digits and hyphens",
    purpose: "First part of every key in Redis: two helplines on one Redis take two names.",
  },
  AUDIO_STORE_URL: {
    path: "audioStore.url",
    rule: "a file: URL, or s3://BUCKET/PREFIX",
    purpose:
      "Where recordings lie: a directory (for the roles api, worker and stream a shared mount), or a bucket of an object store that speaks S3. Default: under DATA_DIR.",
  },
  S3_ENDPOINT: {
    path: "s3.endpoint",
    rule: "an http or https URL without user, password or path",
    purpose: "The object store of AUDIO_STORE_URL, when it is not Amazon's: `https://minio.example:9000`.",
  },
  S3_REGION: { path: "s3.region", defaultText: "us-east-1", rule: "the name of a region", purpose: "Region of the bucket; many stores take any." },
  S3_FORCE_PATH_STYLE: {
    path: "s3.isPathStyle",
    rule: "true or false",
    purpose: "The bucket stands in the path and not in the host's name. Default: true with S3_ENDPOINT, else false.",
  },
  S3_ACCESS_KEY_ID: { path: "s3.accessKeyId", rule: "the id of an access key", purpose: "Who we are to the object store. Needed with s3://." },
  S3_SECRET_ACCESS_KEY: {
    path: "s3.secretAccessKey",
    rule: "the secret of that access key",
    purpose: "Its secret. Better in a file, which other programs of this user's don't see in our environment.",
  },
  S3_SECRET_ACCESS_KEY_FILE: { path: "s3.secretAccessKeyFile", rule: "a file path", purpose: "The same in a file, in the place of S3_SECRET_ACCESS_KEY." },
  LIVE_JOURNAL_DIR: {
    path: "audioStore.journalDirectory",
    rule: "a directory path",
    purpose:
      "Journals of live calls, written ahead of everything else. Streams that are to finish each other's calls share it (a mount). Default: `live` beside the recordings; with s3:// under DATA_DIR.",
  },
  SHUTDOWN_DEADLINE_MS: {
    path: "shutdownDeadlineMs",
    defaultText: "30000",
    rule: "0 to 600000",
    purpose: "How long running work may finish when the service is told to stop.",
  },
};
