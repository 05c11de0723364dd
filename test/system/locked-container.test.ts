/** The program as its container runs it: nothing to write to but its volumes, no rights, the image's settings and health check. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endProcess, freePort } from "../support/database-program.js";
import { DEPLOY, readAssignments, readDockerfile } from "../support/deployment-files.js";
import { inNamespace } from "../support/own-namespace.js";
import { isMissing } from "../support/requirements.js";
import { CLI } from "../support/run-cli.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const CHECK = join(DEPLOY, "image/health-check.mjs");

/** As the image and the Compose file say: a root that can't be written, two places in memory that can, no capability. */
const SCRIPT = `
  set -e
  mount -t tmpfs tmpfs "$DATA_DIR"
  mount -t tmpfs tmpfs "$TMPDIR"
  mount -o remount,ro,bind /
  if (echo x > "$FORBIDDEN") 2>/dev/null; then echo "the root can be written"; exit 9; fi
  exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$NODE" "$CLI" serve
`;

describe.skipIf(isMissing("unshare"))("in a container that is shut in", () => {
  let directory: TemporaryDirectory;
  let child: ChildProcess;
  let port: number;
  let said = "";
  const checkHealth = (path?: string): number => {
    try {
      execFileSync(process.execPath, [CHECK, ...(path === undefined ? [] : [path])], { env: { ...process.env, PORT: String(port) }, stdio: "ignore" });
      return 0;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
    port = await freePort();
    const places = { DATA_DIR: join(directory.path, "data"), TMPDIR: join(directory.path, "tmp") };
    for (const place of Object.values(places)) mkdirSync(place);
    const image = readAssignments(readDockerfile("image/Dockerfile").find(({ stage, name }) => stage === "service" && name === "ENV")?.text ?? "");
    const env = {
      ...process.env,
      ...image,
      ...places,
      PORT: String(port),
      STREAM_PORT: "0",
      HOST: "127.0.0.1",
      FORBIDDEN: "/openchs-ai-forbidden",
      NODE: process.execPath,
      CLI,
    };
    const [program, ...words] = inNamespace("mount");
    child = spawn(program, [...words, "bash", "-c", SCRIPT], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const output of [child.stdout, child.stderr])
      output?.on("data", (text) => {
        said += String(text);
      });
  });
  afterAll(async () => {
    await endProcess(child, "SIGKILL");
    await directory.remove();
  });

  it("it starts, is healthy by the image's own check, and ends in order", async () => {
    expect(checkHealth()).toBe(1);
    await until("it listens", () => said.includes("listens on") || child.exitCode !== null, 30_000, 50);
    expect(child.exitCode, said).toBe(null);
    expect(checkHealth()).toBe(0);
    expect(checkHealth("/health/live")).toBe(0);
    expect(checkHealth("/health/nothing")).toBe(1);
    child.kill("SIGTERM");
    await until("it has ended", () => child.exitCode !== null, 15_000, 20);
    expect([child.exitCode, checkHealth()]).toEqual([0, 1]);
  });
});
