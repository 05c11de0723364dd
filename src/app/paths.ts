/** Where the package's own files lie, and where a data directory keeps what. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Config } from "../config/config-schema.js";

/** The package's root: the nearest directory above this file that holds a package.json. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json")) && dirname(directory) !== directory) directory = dirname(directory);
  return directory;
}

export interface PackageAssets {
  /** Lexicons, gazetteers, taxonomies, rubrics, guidance. */
  readonly languageData: string;
  readonly voiceActivityModel: string;
  /** The recording of synthetic calls. */
  readonly syntheticCall: string;
}

export function packageAssets(): PackageAssets {
  const root = packageRoot();
  const languageData = join(root, "data");
  return {
    languageData,
    voiceActivityModel: join(root, "models", "vad", "silero_vad_v5.onnx"),
    syntheticCall: join(languageData, "synthetic-call", "call.wav"),
  };
}

/** Where the built dashboard lies; undefined when it was not built. */
export function dashboardDirectory(): string | undefined {
  const directory = join(packageRoot(), "dist", "dashboard");
  return existsSync(join(directory, "index.html")) ? directory : undefined;
}

export interface DataLayout {
  readonly database: { readonly path: string } | { readonly url: string; readonly readUrl?: string };
  readonly lock: string;
  /** Undefined when an object store has the recordings. */
  readonly audio: string | undefined;
  readonly work: string;
  /** Journals of calls that run. */
  readonly live: string;
  readonly masterKey: string;
  readonly adminKey: string;
}

/** What is shared with other processes lies where `AUDIO_STORE_URL` and `LIVE_JOURNAL_DIR` say. */
export function dataLayout({ dataDirectory, database, audioStore, security }: Config): DataLayout {
  const isObjectStore = audioStore.url?.startsWith("s3:") === true;
  const shared = isObjectStore || audioStore.url === undefined ? dataDirectory : pathOf(audioStore.url);
  return {
    database:
      database.url === undefined
        ? { path: join(dataDirectory, "openchs.db") }
        : { url: database.url, ...(database.readUrl === undefined ? {} : { readUrl: database.readUrl }) },
    lock: join(dataDirectory, "lock.db"),
    audio: isObjectStore ? undefined : join(shared, "audio"),
    work: join(dataDirectory, "work"),
    live: audioStore.journalDirectory ?? join(shared, "live"),
    masterKey: security.masterKeyFile ?? join(dataDirectory, "master.key"),
    adminKey: join(dataDirectory, "admin.key"),
  };
}

function pathOf(fileUrl: string): string {
  return fileUrl.startsWith("file://") ? fileURLToPath(fileUrl) : fileUrl.slice("file:".length);
}
