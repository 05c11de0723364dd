/** What settings may be, and the type `Config` that follows from it; `settings.ts` has their variables. */
import { isIP } from "node:net";
import { z } from "zod";
import { ANALYSIS_STAGES } from "../core/analysis-result.js";
import { PROCESSING_MODES, toProcessingMode } from "../core/call.js";
import { isLanguageTag } from "../core/language.js";
import { CHAT_TASKS, MODEL_TASKS } from "../core/model-task.js";

/** Digits only: a blank is a fault and not the number 0. */
const integer = (min: number, max: number) => z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(min).max(max));
const digit = z
  .string()
  .regex(/^[0-9A-D*#]$/)
  .optional();
const optionalPath = z.string().min(1).optional();

/** As the hub's own tools read it. */
const hubFlag = z.enum(["0", "1", "false", "true"]).transform((word) => word === "1" || word === "true");
const flag = z.enum(["true", "false"]).transform((word) => word === "true");

/** An address, or a network such as `10.0.0.0/8`. */
function isNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = isIP(address) === 6 ? 128 : 32;
  return isIP(address) > 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
}

function isDatabaseUrl(url: string): boolean {
  return /^(?:postgres|postgresql|mysql|mariadb):\/\//.test(url) && URL.canParse(url);
}

/** Keys that came over an open line could be anybody's. */
function isSafeUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname));
}

/** A prefix ends where a recording's name begins, so nothing in it may be read in two ways. */
function isAudioStoreUrl(url: string): boolean {
  return /^file:\/{0,2}\/./u.test(url) || /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+)*\/?$/u.test(url);
}

/** Credentials in it would go into logs of proxies; a path would be taken for a bucket. */
function isBareUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(url);
  return ["http:", "https:"].includes(protocol) && `${username}${password}${search}${hash}` === "" && pathname === "/";
}

export const configSchema = z.object({
  dataDirectory: z.string().min(1),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]),
  gateway: z.object({
    host: z.string().min(1),
    port: integer(0, 65_535),
    trustedProxies: z.array(z.string().refine(isNetwork)),
    requestsPerSecond: integer(1, 100_000),
    requestBurst: integer(1, 1_000_000),
    uploadsAtOnce: integer(1, 10_000),
    uploadIdleTimeoutMs: integer(100, 3_600_000),
    maxBatchFiles: integer(1, 10_000),
  }),
  events: z.object({
    heartbeatMs: integer(100, 600_000),
    slowReaderMs: integer(1_000, 3_600_000),
    streamsAtOnce: integer(1, 100_000),
  }),
  telephony: z.object({
    port: integer(0, 65_535),
    maxConnections: integer(1, 100_000),
    idleTimeoutMs: integer(1_000, 3_600_000),
    lingerMs: integer(0, 60_000),
    drainMs: integer(0, 86_400_000),
    host: z.string().min(1).optional(),
    peerHost: z.string().min(1).optional(),
    allowedPeers: z.array(z.string().refine(isNetwork)),
    maxPace: integer(1, 1_000),
    protocol: z.enum(["auto", "audiosocket", "id_line", "raw"]),
    rawEncoding: z.enum(["slin", "alaw", "ulaw"]),
    rawSampleRateHz: integer(8_000, 192_000),
    kind10MayBe16k: flag,
    tls: flag,
  }),
  live: z.object({
    mode: z.string().transform(toProcessingMode).pipe(z.enum(PROCESSING_MODES)),
    continueWithinMs: integer(0, 600_000),
    journalWriteMs: integer(10, 10_000),
    journalSyncMs: integer(100, 60_000),
    recognizers: integer(0, 64),
    pauseDigit: digit,
    resumeDigit: digit,
  }),
  database: z.object({ url: z.string().refine(isDatabaseUrl).optional(), readUrl: z.string().refine(isDatabaseUrl).optional(), poolSize: integer(1, 200) }),
  redis: z.object({
    url: z.url({ protocol: /^rediss?$/ }).optional(),
    cacheUrl: z.url({ protocol: /^rediss?$/ }).optional(),
    clusterNodes: z.array(z.url({ protocol: /^rediss?$/ })),
    caFile: optionalPath,
    namespace: z.string().regex(/^[a-z0-9-]{1,32}$/),
  }),
  audioStore: z.object({ url: z.string().refine(isAudioStoreUrl).optional(), journalDirectory: optionalPath }),
  s3: z.object({
    endpoint: z.string().refine(isBareUrl).optional(),
    region: z.string().regex(/^[a-zA-Z0-9-]{1,64}$/),
    isPathStyle: flag.optional(),
    accessKeyId: z.string().min(1).optional(),
    secretAccessKey: z.string().min(1).optional(),
    secretAccessKeyFile: optionalPath,
  }),
  search: z.object({ isOn: flag }),
  syntheticCalls: z.object({ everySeconds: integer(0, 86_400) }),
  retention: z.object({ callDays: integer(0, 36_500), textDays: integer(0, 36_500), audioDays: integer(0, 36_500) }),
  tls: z.object({ certificateFile: optionalPath, keyFile: optionalPath }),
  security: z.object({ masterKeyFile: optionalPath }),
  jwt: z.object({
    secretFile: optionalPath,
    jwksFile: optionalPath,
    jwksUrl: z.string().refine(isSafeUrl).optional(),
    issuer: z.string().min(1).optional(),
    audience: z.string().min(1).optional(),
    roleClaim: z.string().min(1),
  }),
  audio: z.object({
    maxBytes: integer(1, 17_179_869_184),
    maxDurationMs: integer(1_000, 86_400_000),
    decodeTimeoutMs: integer(1_000, 3_600_000),
    decoder: z.enum(["auto", "fallback"]),
  }),
  language: z.object({
    defaults: z.array(z.string().refine(isLanguageTag)).min(1),
    translationTarget: z.string().refine(isLanguageTag),
  }),
  cases: z.object({ taxonomy: z.string().regex(/^(?:openchs|kenya|tanzania)$|[/\\]|\.json$/u), formFile: optionalPath }),
  inference: z.object({
    processes: integer(0, 64),
    speechEngine: z.string().min(1),
    maxWaiting: integer(1, 100_000),
    answerTtlMs: integer(60_000, 2_592_000_000),
    modelsDirectory: z.string().min(1),
    device: z.enum(["auto", "cpu", "cuda"]),
    memoryMb: integer(0, 10_000_000),
    idleMs: integer(0, 604_800_000),
    preload: z.array(z.enum(MODEL_TASKS)),
    whisperWindowMargin: integer(0, 1_500),
    whisperPreviousText: flag,
    glossaryFile: optionalPath,
  }),
  remote: z.object({
    speechUrl: z.url({ protocol: /^https?$/ }).optional(),
    speechModel: z.string().min(1),
    apiKeyFile: optionalPath,
    timeoutMs: integer(100, 600_000),
    chatUrl: z.url({ protocol: /^https?$/ }).optional(),
    chatModel: z.string().min(1),
    chatTasks: z.array(z.enum(CHAT_TASKS)).min(1),
    chatTimeoutMs: integer(100, 38_000),
    chatMaxCharacters: integer(500, 10_000_000),
  }),
  hub: z.object({ endpoint: z.url({ protocol: /^https?$/ }), token: z.string().min(1).optional(), isOffline: hubFlag }),
  queue: z.object({
    concurrency: integer(0, 64),
    leaseMs: integer(500, 600_000),
    pollIntervalMs: integer(50, 60_000),
    maxAttempts: integer(1, 20),
    firstRetryDelayMs: integer(10, 600_000),
    cudaStages: z.array(z.enum(ANALYSIS_STAGES).exclude(["decode", "voice_activity"])),
    jobsPerMinute: z.array(z.string().regex(/^(?:recordings|recordings-cuda|models)=[1-9]\d{0,5}$/)),
  }),
  shutdownDeadlineMs: integer(0, 600_000),
});

export type Config = Readonly<z.infer<typeof configSchema>>;
