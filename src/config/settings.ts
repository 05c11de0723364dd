/** Every setting of the product: its variable, its rule, its default, and what it is for; docs/config.md follows from it. */
import { CHAT_TASKS, MODEL_TASKS } from "../core/model-task.js";

/** A setting as the outside sees it. */
export interface SettingDefinition {
  /** Place in `Config`. */
  readonly path: string;
  /** As it would be written outside; absent: unset. */
  readonly defaultText?: string;
  /** The rule in words, for messages and the page. */
  readonly rule: string;
  readonly purpose: string;
}

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
  REQUESTS_PER_SECOND: {
    path: "gateway.requestsPerSecond",
    defaultText: "100",
    rule: "1 to 100000",
    purpose: "Requests a key may make each second, in the long run.",
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
  MODELS_DIR: {
    path: "inference.modelsDirectory",
    rule: "a directory path",
    purpose: "Where installed models lie; `openchs-ai models` puts them there. Default: `models` under DATA_DIR.",
  },
  MODEL_PROCESSES: { path: "inference.processes", defaultText: "0", rule: "0 to 64", purpose: "Model processes; 0 means one per core." },
  MODEL_DEVICE: {
    path: "inference.device",
    defaultText: "auto",
    rule: "auto, cpu or cuda",
    purpose:
      "What installed models run on: `auto` takes an NVIDIA GPU when onnxruntime was installed with CUDA. A GPU that fails leaves the work to the processor.",
  },
  MODEL_MEMORY_MB: {
    path: "inference.memoryMb",
    defaultText: "0",
    rule: "0 to 10000000",
    purpose:
      "Memory that installed models may take in one model process; one that has no room leaves the work to the next engine. 0: as much as the machine has.",
  },
  MODEL_IDLE_MS: {
    path: "inference.idleMs",
    defaultText: "1800000",
    rule: "0 to 604800000",
    purpose: "An installed model without work for so long is let go until it is needed again. 0: it stays.",
  },
  MODEL_PRELOAD: {
    path: "inference.preload",
    defaultText: "speech",
    rule: `of ${MODEL_TASKS.join(", ")}, separated by commas`,
    purpose: "Tasks whose model is loaded when the service starts, so that the first call does not wait for it.",
  },
  MODEL_MAX_WAITING: {
    path: "inference.maxWaiting",
    defaultText: "1000",
    rule: "1 to 100000",
    purpose: "Model requests that may wait before more are refused.",
  },
  REMOTE_SPEECH_URL: {
    path: "remote.speechUrl",
    rule: "a URL",
    purpose:
      "A server with OpenAI's /audio/transcriptions on the helpline's own network, such as `http://10.0.0.5:8000/v1`: it hears calls before any installed engine does. Their sound goes there. Unset: none.",
  },
  REMOTE_SPEECH_MODEL: { path: "remote.speechModel", defaultText: "whisper-1", rule: "a name", purpose: "The model that server is asked for." },
  REMOTE_CHAT_URL: {
    path: "remote.chatUrl",
    rule: "a URL",
    purpose:
      "A server with OpenAI's /chat/completions and JSON schemas on the helpline's own network (vLLM, llama.cpp, Ollama): it reads calls that have ended before any installed engine does. Their text goes there. Unset: none.",
  },
  REMOTE_CHAT_MODEL: { path: "remote.chatModel", defaultText: "default", rule: "a name", purpose: "The model that server is asked for." },
  REMOTE_CHAT_TASKS: {
    path: "remote.chatTasks",
    defaultText: "translation,classification,summary,quality,question_answering",
    rule: `of ${CHAT_TASKS.join(", ")}, separated by commas`,
    purpose: "What that server does.",
  },
  REMOTE_CHAT_TIMEOUT_MS: {
    path: "remote.chatTimeoutMs",
    defaultText: "35000",
    rule: "100 to 38000",
    purpose: "How long one of its answers may take; three are tried within the two minutes that a part of an analysis may take.",
  },
  REMOTE_CHAT_MAX_CHARACTERS: {
    path: "remote.chatMaxCharacters",
    defaultText: "24000",
    rule: "500 to 10000000",
    purpose: "Longer calls are left to the next engine: as many as the server's context holds, at about four characters a token.",
  },
  REMOTE_API_KEY_FILE: { path: "remote.apiKeyFile", rule: "a file path", purpose: "Key for these servers, if they want one." },
  REMOTE_TIMEOUT_MS: {
    path: "remote.timeoutMs",
    defaultText: "20000",
    rule: "100 to 600000",
    purpose: "How long one of its answers may take; three are tried.",
  },
  HF_ENDPOINT: {
    path: "hub.endpoint",
    defaultText: "https://huggingface.co",
    rule: "a URL",
    purpose: "The hub, or a mirror of it, that `openchs-ai models pull` asks. Nothing else ever does.",
  },
  HF_TOKEN: { path: "hub.token", rule: "a token of the hub", purpose: "For models that are gated or private. Goes to the hub only." },
  HF_HUB_OFFLINE: { path: "hub.isOffline", defaultText: "0", rule: "0 or 1", purpose: "1: `models pull` refuses to use the network." },
  WHISPER_WINDOW_MARGIN: {
    path: "inference.whisperWindowMargin",
    defaultText: "128",
    rule: "0 to 1500",
    purpose:
      "Silence after the speech of a live Whisper window, in steps of 20 ms: less is faster, too little repeats words; 1500 makes every window 30 s. Recordings always get 30 s.",
  },
  WHISPER_PREVIOUS_TEXT: {
    path: "inference.whisperPreviousText",
    defaultText: "true",
    rule: "true or false",
    purpose: "Utterances of a recording are heard with what was said before them, unless that was doubtful. Live windows never are.",
  },
  GLOSSARY_FILE: {
    path: "inference.glossaryFile",
    rule: "a file path",
    purpose: "Words that Whisper shall expect, one a line, the most important first: places, organisations, names of your own. About 30 have room.",
  },
  SPEECH_ENGINE: {
    path: "inference.speechEngine",
    defaultText: "auto",
    rule: "auto or an installed engine",
    purpose: "Which speech engine to use; `auto` takes the best installed.",
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
  SHUTDOWN_DEADLINE_MS: {
    path: "shutdownDeadlineMs",
    defaultText: "30000",
    rule: "0 to 600000",
    purpose: "How long running work may finish when the service is told to stop.",
  },
};
