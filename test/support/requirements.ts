/** What a machine may lack: a suite that needs it is skipped, visibly, and with CI=true a skip is a failure. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => existsSync(join(directory, name)));
}

/** Programs of the system that tests may need. */
const PROGRAMS = { pocketsphinx: "pocketsphinx_batch", ffmpeg: "ffmpeg", openssl: "openssl", chromium: "chromium" } as const;

/** True when one of these is not installed. */
export function isMissing(...needed: readonly (keyof typeof PROGRAMS)[]): boolean {
  return needed.some((name) => !hasProgram(PROGRAMS[name]));
}
