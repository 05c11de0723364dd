import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { lockDirectory } from "../../src/storage/directory-lock.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const HOLDER = fileURLToPath(new URL("../support/hold-directory-lock.ts", import.meta.url));

/** Starts a process that tries for the lock. @returns it with what it said. */
async function startHolder(lockPath: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", HOLDER, lockPath], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  });
  const [said] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, said };
}

async function makeLockPath(): Promise<string> {
  const temporary = await makeTemporaryDirectory();
  onTestFinished(temporary.remove);
  return join(temporary.path, "lock");
}

describe("the directory lock", () => {
  it("refuses a second holder in another process, and takes it once the first has let go", async () => {
    const lockPath = await makeLockPath();
    const lock = await lockDirectory(lockPath);
    expect((await startHolder(lockPath)).said).toBe("CONFIG_DATA_DIRECTORY_IN_USE");
    await lock.release();
    expect((await startHolder(lockPath)).said).toBe("locked");
  });

  it("is held by a process until it is killed outright, and free then", async () => {
    const lockPath = await makeLockPath();
    const { child, said } = await startHolder(lockPath);
    expect(said).toBe("locked");
    await expect(lockDirectory(lockPath)).rejects.toMatchObject({ code: "CONFIG_DATA_DIRECTORY_IN_USE" });
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = await lockDirectory(lockPath);
    await lock.release();
  });

  it("refuses a second holder in the same process too", async () => {
    const lockPath = await makeLockPath();
    const lock = await lockDirectory(lockPath);
    await expect(lockDirectory(lockPath)).rejects.toMatchObject({ code: "CONFIG_DATA_DIRECTORY_IN_USE" });
    await lock.release();
    await (await lockDirectory(lockPath)).release();
  });
});
