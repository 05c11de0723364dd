/**
 * Turns command line, environment and file into one frozen, validated `Config`. Pure: called once, in `cli/`. Every
 * fault is reported, by variable and rule, never by value: a value may be a secret.
 */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { AppError } from "../core/errors.js";
import { type Config, configSchema } from "./config-schema.js";
import { SETTINGS } from "./settings.js";

type TextSettings = Readonly<Record<string, string | undefined>>;

export interface ConfigSources {
  /** From the command line, by variable name; wins. */
  readonly argv?: TextSettings;
  readonly env?: TextSettings;
  /** A parsed JSON file: only known variables may stand in it. */
  readonly file?: Readonly<Record<string, unknown>>;
}

/** @throws AppError `CONFIG_INVALID`, naming every variable that breaks its rule */
export function loadConfig({ argv = {}, env = {}, file = {} }: ConfigSources): Config {
  const faults = Object.keys(file)
    .filter((variable) => !Object.hasOwn(SETTINGS, variable))
    .map((variable) => `${variable} in the configuration file is not a setting`);
  const nested: Record<string, unknown> = {};
  for (const [variable, setting] of Object.entries(SETTINGS)) {
    const fromFile = file[variable];
    const text = argv[variable] ?? emptyToUndefined(env[variable]) ?? (fromFile === undefined ? undefined : String(fromFile)) ?? setting.defaultText;
    if (text !== undefined) setAt(nested, setting.path, LISTS.has(setting.path) ? splitList(text) : text);
  }
  nested["dataDirectory"] = resolve(String(nested["dataDirectory"] ?? defaultDataDirectory()));
  const inference = nested["inference"] as Record<string, unknown>;
  inference["modelsDirectory"] = resolve(String(inference["modelsDirectory"] ?? join(String(nested["dataDirectory"]), "models")));
  for (const section of ["tls", "security", "audioStore"]) nested[section] ??= {};
  const parsed = configSchema.safeParse(nested);
  if (!parsed.success) faults.push(...parsed.error.issues.map(({ path }) => describeFault(path)));
  if (parsed.data !== undefined && (parsed.data.tls.certificateFile === undefined) !== (parsed.data.tls.keyFile === undefined)) {
    faults.push("TLS_CERT_FILE and TLS_KEY_FILE must be given together");
  }
  if (parsed.data !== undefined) faults.push(...objectStoreFaults(parsed.data));
  if (faults.length > 0 || parsed.data === undefined) {
    throw new AppError("CONFIG_INVALID", `Settings are wrong: ${[...new Set(faults)].join("; ")}.`, { details: { faults } });
  }
  return deepFreeze(parsed.data);
}

/** What an object store needs besides its URL. */
function objectStoreFaults({ audioStore, s3 }: Config): readonly string[] {
  if (audioStore.url?.startsWith("s3:") !== true) return [];
  const secrets = [s3.secretAccessKey, s3.secretAccessKeyFile].filter((secret) => secret !== undefined).length;
  return [
    ...(s3.accessKeyId === undefined ? ["S3_ACCESS_KEY_ID must be given when AUDIO_STORE_URL is s3:"] : []),
    ...(secrets === 1 ? [] : ["one of S3_SECRET_ACCESS_KEY and S3_SECRET_ACCESS_KEY_FILE must be given when AUDIO_STORE_URL is s3:"]),
  ];
}

/** A user without a home keeps the data where the program was started. */
function defaultDataDirectory(): string {
  try {
    return join(homedir(), ".local", "share", "openchs-ai");
  } catch {
    return "openchs-data";
  }
}

const emptyToUndefined = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
/** Settings that are lists, written with commas. */
const LISTS: ReadonlySet<string> = new Set([
  ...["language.defaults", "telephony.allowedPeers", "remote.chatTasks", "inference.preload", "redis.clusterNodes", "queue.cudaStages", "queue.jobsPerMinute"],
  "gateway.trustedProxies",
]);

const splitList = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function describeFault(path: readonly PropertyKey[]): string {
  const place = path.filter((part) => typeof part === "string").join(".");
  const found = Object.entries(SETTINGS).find(([, setting]) => setting.path === place);
  return found === undefined ? `${place} is wrong` : `${found[0]} must be ${found[1].rule}`;
}

function setAt(target: Record<string, unknown>, path: string, value: unknown): void {
  const [section, key] = path.split(".");
  if (section === undefined) return;
  if (key === undefined) {
    target[section] = value;
    return;
  }
  const nested = (target[section] ?? {}) as Record<string, unknown>;
  nested[key] = value;
  target[section] = nested;
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
