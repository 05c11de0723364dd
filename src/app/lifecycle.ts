/** Starts a service in order and stops it in reverse, within a deadline. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Config } from "../config/config-schema.js";
import { AppError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { createGateway } from "../gateway/gateway.js";
import type { WorkerRuntime } from "../jobs/worker-runtime.js";
import { startEventLoopMonitor } from "../observability/event-loop.js";
import { createMetrics } from "../observability/metrics.js";
import { generateApiKey } from "../security/api-key.js";
import { loadOrCreateMasterKey } from "../security/master-key.js";
import { loadTlsOptions, type TlsOptions } from "../security/tls-options.js";
import { lockDirectory } from "../storage/directory-lock.js";
import { buildServices, type Services } from "./build-services.js";
import { dataLayout, packageRoot } from "./paths.js";
import { createServiceStatus } from "./service-status.js";

export interface RunningService {
  /** Where it listens, e.g. `http://127.0.0.1:8125`. */
  readonly url: string;
  readonly masterKeyCreated: boolean;
  readonly masterKeyPath: string;
  readonly adminKeyPath: string;
  /** Stops taking work, lets what runs finish within the configured deadline, and ends. */
  stop(): Promise<void>;
}

/** `serve`: everything in one process tree. @throws AppError `CONFIG_*`, `STORAGE_*`, `SECURITY_*` */
export async function startService(config: Config, logger: Logger): Promise<RunningService> {
  const layout = dataLayout(config.dataDirectory, config.security.masterKeyFile);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const tls = await readTls(config);
  const lock = await lockDirectory(layout.lock);
  const undo: (() => Promise<void>)[] = [() => lock.release()];
  try {
    const { masterKey, created } = await loadOrCreateMasterKey(layout.masterKey);
    const metrics = createMetrics();
    const services = await buildServices({ config, masterKey, logger, metrics });
    undo.unshift(() => services.close(config.shutdownDeadlineMs));
    await ensureAdminKey(services, layout.adminKey);
    let worker: WorkerRuntime | undefined;
    let isAccepting = true;
    const eventLoop = startEventLoopMonitor();
    undo.unshift(async () => eventLoop.stop());
    const status = createServiceStatus({
      services,
      dataDirectory: config.dataDirectory,
      version: await packageVersion(),
      eventLoop,
      worker: () => worker,
      isAccepting: () => isAccepting,
    });
    const { requestsPerSecond, requestBurst, uploadsAtOnce } = config.gateway;
    const gateway = await createGateway({
      access: { authenticator: services.authenticator, audit: services.audit, metrics, requestsPerSecond, requestBurst },
      recordings: {
        intake: services.intake,
        tasks: services.tasks,
        metrics,
        maxBytes: config.audio.maxBytes,
        uploadsAtOnce,
        speechEngine: config.inference.speechEngine,
      },
      operations: { status, queue: services.queue, metrics },
      logger,
      ...(tls === undefined ? {} : { tls }),
    });
    undo.unshift(() => closeGateway(gateway, config.shutdownDeadlineMs));
    const url = await listen(gateway, config, tls !== undefined);
    worker = services.startWorker();
    return {
      url,
      masterKeyCreated: created,
      masterKeyPath: layout.masterKey,
      adminKeyPath: layout.adminKey,
      async stop() {
        isAccepting = false;
        for (const step of undo) await step();
      },
    };
  } catch (error) {
    for (const step of undo) await step().catch(() => {});
    throw error;
  }
}

async function readTls(config: Config): Promise<TlsOptions | undefined> {
  const { certificateFile, keyFile } = config.tls;
  return certificateFile === undefined || keyFile === undefined ? undefined : loadTlsOptions({ certificateFile, keyFile });
}

async function listen(gateway: FastifyInstance, config: Config, isTls: boolean): Promise<string> {
  try {
    await gateway.listen({ host: config.gateway.host, port: config.gateway.port });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new AppError("CONFIG_PORT_IN_USE", `Port ${config.gateway.port} is in use. Stop what uses it, or choose another with --port.`, { cause });
  }
  const [address] = gateway.addresses();
  const port = typeof address === "object" ? address.port : config.gateway.port;
  return `${isTls ? "https" : "http"}://${config.gateway.host}:${port}`;
}

/** Lets requests in flight finish; past the deadline their connections are cut. */
async function closeGateway(gateway: FastifyInstance, deadlineMs: number): Promise<void> {
  const timer = setTimeout(() => gateway.server.closeAllConnections(), deadlineMs);
  await gateway.close();
  clearTimeout(timer);
}

/** The first start makes the first key, so that nobody has to know a default one. */
async function ensureAdminKey({ apiKeys }: Services, path: string): Promise<void> {
  if ((await apiKeys.listKeys()).length > 0) return;
  const { keyId, token, secretHash } = generateApiKey();
  // The file first: a stored key nobody was told would lock the operator out.
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  await apiKeys.insertKey({ keyId, secretHash, role: "admin", label: "first admin key", createdAtMs: Date.now(), revokedAtMs: null });
}

export async function packageVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(packageRoot(), "package.json"), "utf8")) as { version: string };
  return manifest.version;
}
