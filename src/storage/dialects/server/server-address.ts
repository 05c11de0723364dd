/** Where a database server is, from a URL. What a URL says is never repeated in an error: it holds a password. */
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { AppError } from "../../../core/errors.js";

/** As libpq means them: `require` encrypts and trusts any certificate, `verify-ca` its issuer, `verify-full` also its name. */
type TlsMode = "disable" | "require" | "verify-ca" | "verify-full";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Unix socket in place of host and port: a folder for PostgreSQL, a file for MariaDB. */
  readonly socket: string | undefined;
  readonly tlsMode: TlsMode;
  /** File of the authorities that may have signed the server's certificate. */
  readonly caFile: string | undefined;
}

const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  ...{ disable: "disable", require: "require", "verify-ca": "verify-ca", "verify-full": "verify-full" },
  ...{ DISABLED: "disable", REQUIRED: "require", VERIFY_CA: "verify-ca", VERIFY_IDENTITY: "verify-full" },
};
const MODE_NAMES = ["sslmode", "ssl-mode"];
const CA_NAMES = ["sslrootcert", "ssl-ca"];
const SOCKET_NAMES = ["host", "socket"];

/** @throws AppError `CONFIG_INVALID`, without the URL */
export function parseServerAddress(url: string, defaultPort: number): ServerAddress {
  const parsed = parse(url);
  const query = parsed.searchParams;
  const unknown = [...query.keys()].find((name) => ![...MODE_NAMES, ...CA_NAMES, ...SOCKET_NAMES].includes(name));
  // A misspelt sslmode would be a connection in clear.
  if (unknown !== undefined) throw invalid("it has a parameter that is not known: only sslmode, ssl-ca and socket are");
  const firstOf = (names: readonly string[]): string | undefined => names.map((name) => query.get(name)).find((value) => value !== null) ?? undefined;
  const caFile = firstOf(CA_NAMES);
  const tlsMode = TLS_MODES[firstOf(MODE_NAMES) ?? (caFile === undefined ? "disable" : "verify-full")];
  if (tlsMode === undefined) throw invalid("its sslmode must be disable, require, verify-ca or verify-full");
  const database = decode(parsed.pathname.slice(1));
  if (database === "") throw invalid("it names no database: postgres://USER:PASSWORD@HOST:PORT/DATABASE");
  return {
    ...{ host: parsed.hostname.replace(/^\[|\]$/g, "") || "localhost", port: parsed.port === "" ? defaultPort : Number(parsed.port), database },
    ...{ user: decode(parsed.username), password: decode(parsed.password), socket: firstOf(SOCKET_NAMES), tlsMode, caFile },
  };
}

/** Undefined: in clear. @throws AppError `CONFIG_INVALID` when the file of authorities can't be read */
export async function tlsOptions({ host, tlsMode, caFile }: ServerAddress): Promise<ConnectionOptions | undefined> {
  if (tlsMode === "disable") return undefined;
  const ca = caFile === undefined ? {} : { ca: await readAuthorities(caFile) };
  const name = isIP(host) === 0 ? { servername: host } : {};
  if (tlsMode === "require" && caFile === undefined) return { ...name, rejectUnauthorized: false };
  return { ...ca, ...name, rejectUnauthorized: true, ...(tlsMode === "verify-full" ? {} : { checkServerIdentity: () => undefined }) };
}

async function readAuthorities(caFile: string): Promise<string> {
  try {
    return await readFile(caFile, "utf8");
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", "The database URL names a file of certificate authorities (ssl-ca) that can't be read.", { cause });
  }
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    // No cause: Node's error repeats its input.
    throw invalid("it is no URL; characters like @ / : # in a password are written as %40 %2F %3A %23");
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid("a % in it is not followed by two digits; a % itself is written as %25");
  }
}

function invalid(reason: string): AppError {
  return new AppError("CONFIG_INVALID", `The database URL can't be used: ${reason}.`);
}
