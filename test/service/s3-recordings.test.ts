/** A service whose recordings lie in an object store: taken in, analysed, played by range, backed up, deleted. */
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeBackup } from "../../src/app/backup/make-backup.js";
import { restoreBackup } from "../../src/app/backup/restore-backup.js";
import { examine } from "../../src/app/doctor.js";
import { loadConfig } from "../../src/config/load-config.js";
import { ask, codeOf } from "../support/http-client.js";
import { quietClip } from "../support/quiet-clip.js";
import { analysed, upload } from "../support/recording-client.js";
import { isMissing } from "../support/requirements.js";
import { startGateway } from "../support/start-gateway.js";
import { BUCKET, S3_ACCESS, type S3Server, startS3 } from "../support/start-s3.js";
import { startTcpRelay, type TcpRelay } from "../support/tcp-relay.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";

describe.skipIf(isMissing("swift", "swift-account", "swift-container", "swift-object"))("recordings in an object store", () => {
  let server: S3Server;
  let relay: TcpRelay;
  let temporary: TemporaryDirectory;
  let secretFile: string;
  beforeAll(async () => {
    server = await startS3();
    relay = await startTcpRelay(server.port);
    temporary = await makeTemporaryDirectory();
    secretFile = join(temporary.path, "secret");
    await writeFile(secretFile, `${S3_ACCESS.secretAccessKey}\n`, { mode: 0o600 });
  });
  afterAll(async () => {
    await relay?.close();
    await server?.stop();
    await temporary?.remove();
  });

  const settings = (prefix: string) => ({
    ...{ AUDIO_STORE_URL: `s3://${BUCKET}/${prefix}`, S3_ENDPOINT: `http://127.0.0.1:${relay.port}` },
    ...{ S3_ACCESS_KEY_ID: S3_ACCESS.accessKeyId, S3_SECRET_ACCESS_KEY_FILE: secretFile },
  });
  const start = async (prefix: string, parts: Parameters<typeof startGateway>[1] = {}) => {
    const gateway = await startGateway(settings(prefix), parts);
    onTestFinished(() => gateway.stop());
    return gateway;
  };

  it("are taken in, analysed, played in part, and gone when the call is deleted", async () => {
    const gateway = await start("whole-life");
    const clip = quietClip("in a bucket");
    const { accepted } = await analysed(gateway, clip);
    const [key = "", ...others] = await server.inside.keys("whole-life/");
    expect([key.endsWith(".oca"), others]).toEqual([true, []]);
    expect((await server.inside.read(key)).includes(clip.subarray(0, 16))).toBe(false);
    expect(readdirSync(gateway.dataDirectory)).not.toContain("audio");
    const path = `/api/v1/calls/${accepted.call_id}`;
    const middle = await ask(gateway, `${path}/audio?format=original`, { headers: { range: "bytes=100-299" } });
    expect([middle.status, middle.headers["content-range"]]).toEqual([206, `bytes 100-299/${clip.length}`]);
    expect(middle.body.equals(clip.subarray(100, 300))).toBe(true);
    expect((await ask(gateway, `${path}/audio?format=original`)).body.equals(clip)).toBe(true);
    expect((await ask(gateway, path, { role: "admin", method: "DELETE" })).status).toBe(200);
    expect([await server.inside.keys("whole-life/"), await server.inside.uploads("whole-life/")]).toEqual([[], 0]);
  });

  it("of a stranger under the same prefix are not taken for left over", async () => {
    await server.inside.write("shared/stranger.oca", Buffer.from("theirs"));
    await start("shared");
    expect(await server.inside.keys("shared/")).toEqual(["shared/stranger.oca"]);
  });

  it("go from a bucket into a backup, from there into a directory, and from there into another bucket", async () => {
    const gateway = await start("first");
    const clip = quietClip("moves house");
    const { accepted } = await analysed(gateway, clip);
    const path = `/api/v1/calls/${accepted.call_id}/audio?format=original`;
    const move = async (from: Parameters<typeof loadConfig>[0], to: Parameters<typeof loadConfig>[0], name: string): Promise<void> => {
      const directory = join(temporary.path, name);
      const passphrase = "correct horse battery staple";
      expect(await makeBackup(loadConfig(from), { directory, passphrase })).toMatchObject({ recordings: 1, missing: 0 });
      expect(await restoreBackup(loadConfig(to), { directory, passphrase })).toMatchObject({ recordings: 1 });
    };
    const [onDisk, inBucket] = [join(temporary.path, "on-disk"), join(temporary.path, "in-bucket")];
    await move({ argv: { DATA_DIR: gateway.dataDirectory, ...settings("first") } }, { argv: { DATA_DIR: onDisk } }, "backup-1");
    expect(readdirSync(join(onDisk, "audio"))).toHaveLength(1);
    await move({ argv: { DATA_DIR: onDisk } }, { argv: { DATA_DIR: inBucket, ...settings("second") } }, "backup-2");
    const again = await start("second", { dataDirectory: inBucket, keys: gateway.keys });
    expect((await ask(again, path)).body.equals(clip)).toBe(true);
  });

  it("are refused while the store is away, and taken when it is back", async () => {
    relay.cutAfter(0);
    onTestFinished(() => relay.mend());
    const gateway = await start("away");
    const refused = await upload(gateway, quietClip("too early"));
    expect([refused.status, codeOf({ body: Buffer.from(await refused.text()) })]).toEqual([503, "STORAGE_UNAVAILABLE"]);
    relay.mend();
    await analysed(gateway, quietClip("in time"));
    expect(await server.inside.keys("away/")).toHaveLength(1);
  });

  it("don't start a service whose secret is wrong", async () => {
    await writeFile(join(temporary.path, "wrong"), "wrong", { mode: 0o600 });
    const wrong = { ...settings("never"), S3_SECRET_ACCESS_KEY_FILE: join(temporary.path, "wrong") };
    await expect(startGateway(wrong)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    const lost = { ...settings("never"), S3_SECRET_ACCESS_KEY_FILE: join(temporary.path, "no such file") };
    await expect(startGateway(lost)).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("are tried by doctor", async () => {
    const findingOf = async (more: Readonly<Record<string, string>>) => {
      const argv = { DATA_DIR: join(temporary.path, "examined"), PORT: "0", STREAM_PORT: "0", ...more };
      return (await examine(loadConfig({ argv }))).find(({ name }) => name === "recordings");
    };
    expect(await findingOf(settings("probed"))).toMatchObject({ level: "ok" });
    expect(await server.inside.keys("probed/")).toEqual([]);
    const faulty = { ...settings("probed"), AUDIO_STORE_URL: "s3://no-such-bucket/probed" };
    expect(await findingOf(faulty)).toMatchObject({ level: "problem", detail: expect.stringContaining("does not exist") as string });
    expect(await findingOf({})).toMatchObject({ level: "ok" });
  });
});
