/** The file of the master key: as operators, Docker and Kubernetes put it there. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadOrCreateMasterKey } from "../../src/security/master-key.js";
import { podsOf, readCluster } from "../support/deployed-cluster.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

/** The longest name a file may have: nothing with a longer one can be written beside it. */
const LONGEST_NAME = "k".repeat(255);

describe("the file of the master key", () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterEach(() => directory.remove());

  it("is taken from a place where nothing can be written beside it", async () => {
    const path = join(directory.path, LONGEST_NAME);
    await writeFile(path, `${randomBytes(32).toString("base64")}\n`, { mode: 0o400 });
    expect((await loadOrCreateMasterKey(path)).created).toBe(false);
    expect(await readdir(directory.path)).toEqual([LONGEST_NAME]);
  });

  it("is refused when its group may read it, as in a volume of Kubernetes with a group of its own", async () => {
    const path = join(directory.path, "master.key");
    await writeFile(path, `${randomBytes(32).toString("base64")}\n`);
    for (const mode of [0o440, 0o640, 0o644]) {
      await chmod(path, mode);
      await expect(loadOrCreateMasterKey(path)).rejects.toMatchObject({ code: "SECURITY_MASTER_KEY_INVALID" });
    }
  });

  it("is taken once the command of the Kubernetes files has copied it", async () => {
    const [from, to] = [join(directory.path, "secret"), join(directory.path, "copy")];
    await writeFile(from, `${randomBytes(32).toString("base64")}\n`);
    await chmod(from, 0o440);
    const [{ pod } = { pod: undefined }] = podsOf(readCluster("kubernetes/overlays/example").resources);
    const [program = "", ...words] = pod?.initContainers?.[0]?.command ?? [];
    execFileSync(program, [...words.slice(0, -2), from, to]);
    expect((await loadOrCreateMasterKey(to)).created).toBe(false);
  });

  it("is made once by any number of processes that start together", async () => {
    const path = join(directory.path, "master.key");
    const made = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateMasterKey(path)));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ masterKey }) => masterKey.fingerprint)).size).toBe(1);
    expect(await readdir(directory.path)).toEqual(["master.key"]);
  });
});
