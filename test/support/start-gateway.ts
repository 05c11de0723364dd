/** A whole service in this process, on a free port, with real storage, queue and models; and its clients. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openAdministration } from "../../src/app/administration.js";
import { type RunningService, type ServiceParts, startService } from "../../src/app/lifecycle.js";
import type { Config } from "../../src/config/config-schema.js";
import { loadConfig } from "../../src/config/load-config.js";
import { silentLogger } from "../../src/core/log.js";
import type { UserRole } from "../../src/security/permissions.js";
import { openDatabase } from "../../src/storage/database.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface TestGateway {
  readonly service: RunningService;
  readonly dataDirectory: string;
  readonly keys: Readonly<Record<UserRole, string>>;
  /** As `role`; no credentials when null. */
  request(role: UserRole | null, path: string, init?: RequestInit): Promise<Response>;
  json<Body>(role: UserRole, path: string, init?: RequestInit): Promise<Body>;
  /** Calls in the database; also when the service has stopped. */
  countCalls(): Promise<number>;
  stop(): Promise<void>;
}

export interface TestGatewayParts extends ServiceParts {
  /** Of a service before this one; left alone at the end. */
  readonly dataDirectory?: string;
  /** Of that service; made anew when absent. */
  readonly keys?: TestGateway["keys"];
}

export async function startGateway(settings: Readonly<Record<string, string>> = {}, parts: TestGatewayParts = {}): Promise<TestGateway> {
  const directory = await makeTemporaryDirectory();
  const dataDirectory = parts.dataDirectory ?? join(directory.path, "data");
  const config = loadConfig({
    argv: { DATA_DIR: dataDirectory, PORT: "0", STREAM_PORT: "0", STREAM_LINGER_MS: "100", SHUTDOWN_DEADLINE_MS: "2000", MODEL_PROCESSES: "1", ...settings },
  });
  const service = await startService(config, silentLogger, parts);
  const keys = parts.keys ?? (await makeKeys(config, service));
  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => {
    stopped ??= service.stop();
    return stopped;
  };
  const request = (role: UserRole | null, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${service.url}${path}`, { ...init, headers: { ...(role === null ? {} : { authorization: `Bearer ${keys[role]}` }), ...init.headers } });
  return {
    service: { ...service, stop: stopOnce },
    dataDirectory,
    keys,
    request,
    json: async <Body>(role: UserRole, path: string, init?: RequestInit) => (await (await request(role, path, init)).json()) as Body,
    async countCalls() {
      const database = openDatabase({ path: join(dataDirectory, "openchs.db") });
      const rows = await database.sql.selectFrom("call").select("call_id").execute();
      await database.close();
      return rows.length;
    },
    async stop() {
      await stopOnce();
      await directory.remove();
    },
  };
}

async function makeKeys(config: Config, service: RunningService): Promise<TestGateway["keys"]> {
  const administration = await openAdministration(config, { create: false });
  const keyOf = async (role: UserRole): Promise<string> => (await administration.createKey(role, "test")).token;
  const keys = {
    agent: await keyOf("agent"),
    supervisor: await keyOf("supervisor"),
    service: await keyOf("service"),
    admin: (await readFile(service.adminKeyPath, "utf8")).trim(),
  };
  await administration.close();
  return keys;
}

/** A form with the recording in `audio`; settings after the file, as curl sends them. */
export function uploadForm(audio: Buffer, fields: Readonly<Record<string, string>> = {}, fileField = "audio"): FormData {
  const form = new FormData();
  form.set(fileField, new Blob([new Uint8Array(audio)]), "recording.wav");
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}
