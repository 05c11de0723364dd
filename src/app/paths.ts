/** Where the package's own files lie, and where a data directory keeps what. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's root: the nearest directory above this file that holds a package.json. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json")) && dirname(directory) !== directory) directory = dirname(directory);
  return directory;
}

export interface PackageAssets {
  /** Lexicons, gazetteers, taxonomies, rubrics. */
  readonly languageData: string;
  readonly voiceActivityModel: string;
}

export function packageAssets(): PackageAssets {
  const root = packageRoot();
  return { languageData: join(root, "data"), voiceActivityModel: join(root, "models", "vad", "silero_vad_v5.onnx") };
}

/** Where the built dashboard lies; undefined when it was not built. */
export function dashboardDirectory(): string | undefined {
  const directory = join(packageRoot(), "dist", "dashboard");
  return existsSync(join(directory, "index.html")) ? directory : undefined;
}

export interface DataLayout {
  readonly database: string;
  readonly lock: string;
  readonly audio: string;
  readonly work: string;
  /** Journals of calls that run. */
  readonly live: string;
  readonly masterKey: string;
  readonly adminKey: string;
}

export function dataLayout(dataDirectory: string, masterKeyFile?: string): DataLayout {
  return {
    database: join(dataDirectory, "openchs.db"),
    lock: join(dataDirectory, "lock.db"),
    audio: join(dataDirectory, "audio"),
    work: join(dataDirectory, "work"),
    live: join(dataDirectory, "live"),
    masterKey: masterKeyFile ?? join(dataDirectory, "master.key"),
    adminKey: join(dataDirectory, "admin.key"),
  };
}
