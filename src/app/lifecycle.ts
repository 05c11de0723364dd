/** Starts a service in order and stops it in reverse, within a deadline. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { LiveCalls } from "../calls/live/live-calls.js";
import type { Config } from "../config/config-schema.js";
import { AppError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { ProcessEntry } from "../core/module-entry.js";
import { createGateway } from "../gateway/gateway.js";
import type { ServiceStatus } from "../gateway/service-status.js";
import { defaultQueues } from "../jobs/stage-placement.js";
import { startEventLoopMonitor } from "../observability/event-loop.js";
import { createMetrics, type Metrics } from "../observability/metrics.js";
import type { QueueName } from "../queue/queue-backend.js";
import { generateApiKey } from "../security/api-key.js";
import { OPERATOR } from "../security/authorization.js";
import { loadTlsOptions, type TlsOptions } from "../security/tls-options.js";
import { lockDirectory } from "../storage/directory-lock.js";
import { createMediaRoutes } from "../telephony/media/media-routes.js";
import { createTelephonyServer, type TelephonyServer } from "../telephony/telephony-server.js";
import { buildServices, type Services } from "./build-services.js";
import { chooseDevice } from "./compute-device.js";
import { NO_HOUSEKEEPING, startHousekeeping } from "./housekeeping/housekeeping.js";
import { openMasterKey } from "./open-master-key.js";
import { dashboardDirectory, dataLayout, packageRoot } from "./paths.js";
import { type Duties, dutiesOf, type ProcessRole } from "./roles/process-role.js";
import type { RunningWorker } from "./roles/running-worker.js";
import { createServiceStatus } from "./service-status.js";
import { refuseUnknownSpeechEngine } from "./speech-engine-choice.js";

export interface RunningService {
  /** Where it listens, e.g. `http://127.0.0.1:8125`. */
  readonly url: string;
  /** Where the telephone exchange connects, e.g. `127.0.0.1:8301`; undefined where no calls are taken. */
  readonly streamAddress?: string;
  readonly masterKeyCreated: boolean;
  readonly masterKeyPath: string;
  readonly adminKeyPath: string;
  /** Stops taking work, lets what runs finish within the configured deadline, and ends. */
  stop(): Promise<void>;
}

/** What a process is told besides its settings; a test puts something in the place of the real thing. */
export interface ServiceParts {
  /** The model process. */
  readonly inferenceEntry?: ProcessEntry;
  /** All of the work when absent. */
  readonly role?: ProcessRole;
  /** That a worker serves; all that have work when absent. */
  readonly queues?: readonly QueueName[];
}

/** Starts a process with its part of the work. @throws AppError `CONFIG_*`, `STORAGE_*`, `SECURITY_*` */
export async function startService(config: Config, logger: Logger, { inferenceEntry, role = "serve", queues }: ServiceParts = {}): Promise<RunningService> {
  const duties = dutiesOf(role, config);
  const layout = dataLayout(config);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const tls = await readTls(config);
  const lock = await lockDirectory(layout.lock);
  const undo: (() => Promise<void>)[] = [() => lock.release()];
  try {
    const { masterKey, created } = await openMasterKey(layout);
    const metrics = createMetrics();
    const services = await buildServices({ config, masterKey, logger, metrics, duties, ...(inferenceEntry === undefined ? {} : { inferenceEntry }) });
    undo.unshift(() => services.close(config.shutdownDeadlineMs));
    if (duties.hasModels) {
      refuseUnknownSpeechEngine(services.inference, config.inference.speechEngine);
      services.inference.preload({ modelTasks: config.inference.preload, speechEngine: config.inference.speechEngine });
    }
    if (duties.keepsHouse) await ensureAdminKey(services, layout.adminKey, logger);
    const modelDevice = await chooseDevice(config.inference.device);
    let worker: RunningWorker | undefined;
    let isAccepting = true;
    const eventLoop = startEventLoopMonitor();
    undo.unshift(async () => eventLoop.stop());
    const house = duties.keepsHouse ? startHousekeeping(services, { config, metrics, logger }) : NO_HOUSEKEEPING;
    undo.unshift(() => house.stop());
    const status = createServiceStatus({
      ...{ services, duties, dataDirectory: config.dataDirectory, recordingsDirectory: layout.audio, houseChecks: house.checks },
      ...{ modelDevice, version: await packageVersion(), eventLoop, worker: () => worker, isAccepting: () => isAccepting },
    });
    const gateway = await createServiceGateway(config, { services, duties, metrics, status, logger, tls });
    undo.unshift(() => closeGateway(gateway, config.shutdownDeadlineMs));
    const telephony = createServiceTelephony(config, { services, metrics, tls });
    undo.unshift(() => closeTelephony(telephony, services.liveCalls));
    const streamAddress = duties.takesCalls ? await takeCalls(config, { services, telephony, logger }) : undefined;
    const url = await listen(gateway, config, tls !== undefined);
    if (duties.keepsHouse) {
      await services.delivery.start();
      if (config.search.isOn) services.textIndexing.start();
      else await services.textIndexing.removeAll();
    }
    if (duties.worksOnJobs) worker = services.watchWorker(services.startWorker(queues ?? queuesOf(role, config, modelDevice)), modelDevice);
    return {
      url,
      ...(streamAddress === undefined ? {} : { streamAddress }),
      masterKeyCreated: created,
      masterKeyPath: layout.masterKey,
      adminKeyPath: layout.adminKey,
      async stop() {
        isAccepting = false;
        if (duties.takesCalls) await drainCalls(config.telephony.drainMs, { telephony, liveCalls: services.liveCalls, logger });
        // Together: while uploads finish, no new job is taken, and both have the one deadline.
        const [closeLines, closeDoors, ...rest] = undo;
        await Promise.all([closeLines?.(), closeDoors?.(), worker?.stop(config.shutdownDeadlineMs)]);
        for (const step of rest) await step();
      },
    };
  } catch (error) {
    for (const step of undo) await step().catch(() => {});
    throw error;
  }
}

/** Those of a process that does everything are all, and it runs every stage. */
function queuesOf(role: ProcessRole, { queue, inference }: Config, found: "cpu" | "cuda"): readonly QueueName[] | undefined {
  return role === "worker" ? defaultQueues(queue.cudaStages, { setting: inference.device, found }) : undefined;
}

/** @returns where. Calls that a crash cut off are stored before any is taken. */
async function takeCalls(config: Config, { services, telephony, logger }: { services: Services; telephony: TelephonyServer; logger: Logger }): Promise<string> {
  const recovered = await services.liveCalls.recover();
  if (recovered > 0) logger.info("Stored live calls that were cut off when the service died", { count: recovered });
  const host = config.telephony.host ?? config.gateway.host;
  const port = await telephony.listen(host, config.telephony.port);
  services.tellStreamAddress({ host: config.telephony.peerHost ?? reachableHost(host), port });
  return `${host}:${port}`;
}

/** Of a host that stands for all addresses of this machine, its first that others reach. */
function reachableHost(host: string): string {
  if (host !== "0.0.0.0" && host !== "::") return host;
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return addresses.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

function createServiceTelephony(config: Config, { services, metrics, tls }: Pick<GatewayParts, "services" | "metrics" | "tls">): TelephonyServer {
  const { maxConnections, idleTimeoutMs, allowedPeers, maxPace, protocol, rawEncoding, rawSampleRateHz, kind10MayBe16k } = config.telephony;
  return createTelephonyServer({
    ...{ liveCalls: services.liveCalls, metrics, maxConnections, idleTimeoutMs, allowedPeers, maxPace },
    listener: { protocol, rawEncoding, rawSampleRateHz, mayBe16kUnder8kKind: kind10MayBe16k },
    ...(services.legRouting === undefined ? {} : { routing: services.legRouting }),
    ...(tls === undefined || !config.telephony.tls ? {} : { tls }),
  });
}

interface GatewayParts {
  readonly services: Services;
  readonly duties: Duties;
  readonly metrics: Metrics;
  readonly status: ServiceStatus;
  readonly logger: Logger;
  readonly tls: TlsOptions | undefined;
}

function createServiceGateway(config: Config, { services, duties, metrics, status, logger, tls }: GatewayParts): Promise<FastifyInstance> {
  const { uploadsAtOnce, uploadIdleTimeoutMs, maxBatchFiles, trustedProxies } = config.gateway;
  const {
    authenticator,
    audit,
    intake,
    batches,
    tasks,
    eventLog,
    history,
    search,
    callAudio,
    feedback,
    modelTasks,
    queue,
    liveCalls,
    feed,
    risks,
    progressive,
    reanalysis,
    webhooks,
    tickets,
    limits,
  } = services;
  const dashboard = dashboardDirectory();
  return createGateway({
    access: { authenticator, audit, metrics, limits, tickets },
    uploads: { uploadsAtOnce, uploadIdleTimeoutMs },
    events: config.events,
    recordings: { intake, batches, tasks, eventLog, maxBytes: config.audio.maxBytes, maxBatchFiles, speechEngine: config.inference.speechEngine },
    calls: { history, callAudio, feedback, search },
    live: { liveCalls, feed, risks, progressive, reanalysis, defaultMode: config.live.mode },
    webhooks: { webhooks },
    models: {
      ...{ modelTasks, maxBytes: config.audio.maxBytes, speechEngine: config.inference.speechEngine },
      translationTarget: config.language.translationTarget,
    },
    operations: { status, queue, metrics },
    ...{ logger, trustedProxies },
    ...(duties.takesCalls
      ? {
          media: createMediaRoutes({
            ...{ liveCalls, metrics, idleTimeoutMs: config.telephony.idleTimeoutMs, maxPace: config.telephony.maxPace },
            isAccepting: () => status.isAccepting(),
          }),
        }
      : {}),
    scope: duties.gateway,
    ...(dashboard === undefined ? {} : { dashboardDirectory: dashboard }),
    ...(tls === undefined ? {} : { tls }),
  });
}

async function readTls(config: Config): Promise<TlsOptions | undefined> {
  const { certificateFile, keyFile } = config.tls;
  return certificateFile === undefined || keyFile === undefined ? undefined : loadTlsOptions({ certificateFile, keyFile });
}

async function listen(gateway: FastifyInstance, config: Config, isTls: boolean): Promise<string> {
  try {
    await gateway.listen({ host: config.gateway.host, port: config.gateway.port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EACCES")
      throw new AppError("CONFIG_INVALID", `This user may not listen on port ${config.gateway.port}; choose one from 1024 up with --port.`, { cause });
    if (code !== "EADDRINUSE") throw cause;
    throw new AppError("CONFIG_PORT_IN_USE", `Port ${config.gateway.port} is in use. Stop what uses it, or choose another with --port.`, { cause });
  }
  const [address] = gateway.addresses();
  const port = typeof address === "object" ? address.port : config.gateway.port;
  return `${isTls ? "https" : "http"}://${config.gateway.host}:${port}`;
}

/** Live calls end here and are stored; their analysis waits in the queue. */
const DRAIN_LOOK_MS = 100;

/** Lets the calls that run come to their end. */
async function drainCalls(drainMs: number, { telephony, liveCalls, logger }: DrainParts): Promise<void> {
  telephony.refuseNew();
  const endMs = performance.now() + drainMs;
  const running = (): number => liveCalls.runningCallIds().length + telephony.passedOnCount();
  const count = running();
  if (drainMs === 0 || count === 0) return;
  logger.info("Calls that run may come to their end; no new one is taken", { count });
  while (running() > 0 && performance.now() < endMs) await delay(DRAIN_LOOK_MS);
}

interface DrainParts {
  readonly telephony: TelephonyServer;
  readonly liveCalls: LiveCalls;
  readonly logger: Logger;
}

async function closeTelephony(telephony: TelephonyServer, liveCalls: LiveCalls): Promise<void> {
  await telephony.close();
  await liveCalls.close();
}

/** Lets requests in flight finish; past the deadline their connections are cut. */
async function closeGateway(gateway: FastifyInstance, deadlineMs: number): Promise<void> {
  const timer = setTimeout(() => gateway.server.closeAllConnections(), deadlineMs);
  // A connection whose request ends while we wait becomes idle and would be kept.
  const sweep = setInterval(() => gateway.server.closeIdleConnections(), 200);
  await gateway.close();
  clearTimeout(timer);
  clearInterval(sweep);
}

/** The first start makes the first key, so that nobody has to know a default one. */
async function ensureAdminKey({ apiKeys, audit }: Services, path: string, logger: Logger): Promise<void> {
  if ((await apiKeys.listKeys()).length > 0) return;
  const { keyId, token, secretHash } = generateApiKey();
  // The file first: a stored key nobody was told would lock the operator out.
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  if (!(await apiKeys.insertFirstKey({ keyId, secretHash, role: "admin", label: "first admin key", createdAtMs: Date.now(), revokedAtMs: null }))) {
    await rm(path, { force: true });
    return;
  }
  const { actorId, role } = OPERATOR;
  await audit.append({ atMs: Date.now(), actorId, role, action: "key.created", target: keyId, outcome: "allowed" });
  logger.info("The first admin key was made; it is in admin.key in this process's data directory");
}

export async function packageVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
