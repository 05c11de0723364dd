/** Certificates of two authorities, for servers that encrypt: one signed the server's, the other nothing. */
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryDirectory } from "./temporary-directory.js";

export interface ServerCertificates {
  /** `server.crt` and `server.key`, for 127.0.0.1. */
  readonly files: Readonly<Record<string, string>>;
  /** File of the authority that signed it. */
  readonly caFile: string;
  readonly strangeCaFile: string;
  remove(): Promise<void>;
}

/** @param address - what the server's certificate names. */
export async function makeServerCertificates(address: string): Promise<ServerCertificates> {
  const directory = await makeTemporaryDirectory();
  const at = (name: string): string => join(directory.path, name);
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"], cwd: directory.path });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  for (const name of ["ca", "strange"]) openssl("req", "-x509", ...key, "-keyout", `${name}.key`, "-out", `${name}.crt`, "-days", "2", "-subj", `/CN=${name}`);
  openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=database", "-addext", `subjectAltName=${address}`);
  openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-out",
    "server.crt",
    "-days",
    "2",
    "-copy_extensions",
    "copy",
  );
  const files = { "server.crt": await readFile(at("server.crt"), "utf8"), "server.key": await readFile(at("server.key"), "utf8") };
  return { files, caFile: at("ca.crt"), strangeCaFile: at("strange.crt"), remove: directory.remove };
}
