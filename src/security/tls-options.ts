/** TLS from certificate files, for every listener of ours. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { AppError } from "../core/errors.js";

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface TlsOptions {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: "TLSv1.2";
}

/** @throws AppError `SECURITY_TLS_INVALID` when a file is missing or the two do not fit together. */
export async function loadTlsOptions(files: TlsFiles): Promise<TlsOptions> {
  try {
    const [cert, key] = await Promise.all([readFile(files.certificateFile), readFile(files.keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key, minVersion: "TLSv1.2" };
  } catch (cause) {
    throw new AppError(
      "SECURITY_TLS_INVALID",
      "The TLS certificate and key can't be used: check that TLS_CERT_FILE and TLS_KEY_FILE exist, are PEM, and belong together.",
      {
        cause,
      },
    );
  }
}
