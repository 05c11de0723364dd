/** What a machine may lack: a suite that needs it is skipped, visibly, and with CI=true a skip is a failure. */
import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Programs of servers lie where a user's search path does not lead. */
const SERVER_DIRECTORIES = ["/usr/sbin", "/usr/lib/postgresql/15/bin"];

function hasProgram(name: string): boolean {
  if (isAbsolute(name)) return existsSync(name);
  return [...(process.env["PATH"] ?? "").split(delimiter), ...SERVER_DIRECTORIES].some((directory) => existsSync(join(directory, name)));
}

/** Programs of the system that tests may need. */
const PROGRAMS = {
  ...({ pocketsphinx: "pocketsphinx_batch", ffmpeg: "ffmpeg", openssl: "openssl", chromium: "chromium" } as const),
  ...({ "redis-server": "redis-server", postgres: "postgres", mariadb: "mariadbd" } as const),
  ...({ nginx: "nginx", "nginx-stream": "/usr/lib/nginx/modules/ngx_stream_module.so", nft: "nft", iproute2: "ip", unshare: "unshare" } as const),
  ...({ prometheus: "prometheus", promtool: "promtool" } as const),
  ...({ swift: "swift-proxy-server", "swift-account": "swift-account-server" } as const),
  ...({ "swift-container": "swift-container-server", "swift-object": "swift-object-server" } as const),
} as const;

/** True when one of these is not installed. */
export function isMissing(...needed: readonly (keyof typeof PROGRAMS)[]): boolean {
  return needed.some((name) => !hasProgram(PROGRAMS[name]));
}
