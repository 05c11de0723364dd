/** Recordings in any format, made by ffmpeg on the spot. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let count = 0;

/**
 * What ffmpeg makes of `input` with `options`, written to a file, not a pipe, so that containers get their real headers.
 * @param input - as on ffmpeg's command line: `["-i", path]`, with options of its own before it.
 * @param extension - tells ffmpeg the container.
 */
export function encodeWithFfmpeg(input: readonly string[], options: readonly string[], extension: string): Buffer {
  const path = join(tmpdir(), `openchs-ai-encoded-${process.pid}-${count++}.${extension}`);
  try {
    execFileSync("ffmpeg", ["-hide_banner", "-loglevel", "error", "-nostdin", "-y", ...input, ...options, path], { stdio: ["ignore", "ignore", "inherit"] });
    return readFileSync(path);
  } finally {
    rmSync(path, { force: true });
  }
}
