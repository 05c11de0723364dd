/** What docs/operations.md says of keys, locks, signals, audit, jobs and doctor. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { legMessages } from "../support/audiosocket-client.js";
import { isMissing } from "../support/requirements.js";
import { runCli, serve, spawnCli } from "../support/run-cli.js";
import { samplePath, shortClip } from "../support/sample-audio.js";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

describe.skipIf(isMissing("pocketsphinx", "ffmpeg", "openssl"))("operating the service", () => {
  let directory: TemporaryDirectory;

  beforeAll(async () => {
    directory = await makeTemporaryDirectory();
  });
  afterAll(() => directory.remove());

  it("makes master key and admin key on first start, for its user alone, and says so loudly", async () => {
    const data = join(directory.path, "first");
    await using service = await serve(data);
    expect(service.stderr()).toContain("Copy it to a safe place NOW");
    for (const name of ["master.key", "admin.key", "openchs.db"]) expect(statSync(join(data, name)).mode & 0o077).toBe(0);
    expect(readFileSync(join(data, "admin.key"), "utf8")).toMatch(/^oca_[0-9a-f]{16}_\S+\n$/);
    expect((await service.request("/health/ready")).status).toBe(200);
    expect((await fetch(`${service.url}/audio/tasks/active`)).status).toBe(401);
  });

  it("refuses a second service on the same data directory, and a port in use", async () => {
    const data = join(directory.path, "locked");
    await using _first = await serve(data);
    const second = await runCli(["serve", "--port", "0", "--stream-port", "0", "--data-dir", data]);
    expect(second.exitCode).toBe(2);
    expect(second.stderr).toContain("CONFIG_DATA_DIRECTORY_IN_USE");

    const taken = createServer();
    const port = await new Promise<number>((resolve) => taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port)));
    const blocked = await runCli(["serve", "--stream-port", "0", "--port", String(port), "--data-dir", join(directory.path, "blocked")]);
    taken.close();
    expect(blocked.exitCode).toBe(2);
    expect(blocked.stderr).toContain("CONFIG_PORT_IN_USE");
  });

  it("finishes running work on SIGTERM and ends with 0", async () => {
    const data = join(directory.path, "drained");
    const service = await serve(data);
    const taskId = await service.upload(new Blob([new Uint8Array(shortClip("child-labour", 5))]), { language: "en" });
    await until("the job runs", async () => (await service.json<{ status: string }>(`/audio/task/${taskId}`)).status === "processing", 15_000, 50);
    expect(await service.end("SIGTERM")).toBe(0);
    await using again = await serve(data);
    const { status } = await again.json<{ status: string }>(`/audio/task/${taskId}`);
    expect(status).toBe("completed");
  });

  it("creates, lists and revokes keys beside a running service, and the audit log stays whole", async () => {
    const data = join(directory.path, "keys");
    await using service = await serve(data);
    const created = await runCli(["keys", "create", "--role", "agent", "--label", "desk 4", "--data-dir", data]);
    const token = created.stdout.trim();
    const asAgent = (path: string): Promise<Response> => service.request(path, { headers: { authorization: `Bearer ${token}` } });
    expect((await asAgent("/audio/tasks/active")).status).toBe(200);
    expect((await asAgent("/metrics")).status).toBe(403);
    const [, keyId = ""] = token.split("_");
    expect((await runCli(["keys", "list", "--data-dir", data])).stdout).toContain(`${keyId}  agent      active`);
    expect((await runCli(["keys", "revoke", keyId, "--data-dir", data])).exitCode).toBe(0);
    expect((await asAgent("/audio/tasks/active")).status).toBe(401);
    expect((await runCli(["keys", "revoke", keyId, "--data-dir", data])).stderr).toContain("SECURITY_KEY_NOT_FOUND");
    const verified = await runCli(["audit", "verify", "--data-dir", data]);
    expect(verified.stdout).toContain("whole");
    expect(verified.exitCode).toBe(0);
  });

  it("sets a recording it cannot read aside, where jobs can list, retry and discard it", async () => {
    const data = join(directory.path, "dead");
    await using service = await serve(data);
    const taskId = await service.upload(new Blob(["fLaC and then nothing a decoder could use, however long it looks at it"]));
    await until("the task has failed", async () => (await service.json<{ status: string }>(`/audio/task/${taskId}`)).status === "failed", 15_000, 50);
    const task = await service.json<{ error: { code: string } }>(`/audio/task/${taskId}`);
    expect(task.error.code).toBe("AUDIO_CORRUPT");
    const listed = await runCli(["jobs", "list", "--failed", "--data-dir", data]);
    expect(listed.stdout).toContain(taskId);
    expect(listed.stdout).toContain("AUDIO_CORRUPT");
    expect((await runCli(["jobs", "retry", taskId, "--data-dir", data])).exitCode).toBe(0);
    await until("it has failed again", async () => (await runCli(["jobs", "list", "--failed", "--data-dir", data])).stdout.includes(taskId));
    expect((await runCli(["jobs", "discard", taskId, "--data-dir", data])).exitCode).toBe(0);
    expect((await service.request(`/audio/task/${taskId}`)).status).toBe(404);
  });

  it("will not start without the master key its data was made with, and makes no new one", async () => {
    const data = join(directory.path, "key-lost");
    const service = await serve(data);
    await service.end("SIGTERM");
    const key = readFileSync(join(data, "master.key"));
    rmSync(join(data, "master.key"));
    const without = await runCli(["serve", "--port", "0", "--stream-port", "0", "--data-dir", data]);
    expect(without.exitCode).toBe(2);
    expect(without.stderr).toContain("SECURITY_MASTER_KEY_INVALID");
    expect(existsSync(join(data, "master.key"))).toBe(false);
    writeFileSync(join(data, "master.key"), `${Buffer.alloc(32, 7).toString("base64")}\n`, { mode: 0o600 });
    expect((await runCli(["audit", "verify", "--data-dir", data])).stderr).toContain("SECURITY_MASTER_KEY_INVALID");
    writeFileSync(join(data, "master.key"), key, { mode: 0o600 });
    await using again = await serve(data);
    expect((await again.request("/models")).status).toBe(200);
  });

  it("serves over TLS with certificate files, and refuses a key that is not the certificate's", async () => {
    const [cert, key, other] = ["cert.pem", "key.pem", "other.pem"].map((name) => join(directory.path, name)) as [string, string, string];
    const openssl = (out: string, certificate: string): void => {
      execFileSync(
        "openssl",
        [
          "req",
          "-x509",
          "-newkey",
          "ec",
          "-pkeyopt",
          "ec_paramgen_curve:P-256",
          "-nodes",
          "-days",
          "2",
          "-subj",
          "/CN=localhost",
          "-keyout",
          out,
          "-out",
          certificate,
        ],
        { stdio: "ignore" },
      );
    };
    openssl(other, join(directory.path, "other-cert.pem"));
    openssl(key, cert);
    const wrong = await runCli(["serve", "--port", "0", "--stream-port", "0", "--data-dir", join(directory.path, "tls-wrong")], {
      env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: other },
    });
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain("SECURITY_TLS_INVALID");
    await using service = await serve(join(directory.path, "tls"), { env: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key } });
    expect(service.url).toMatch(/^https:/);
    const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
      get(`${service.url}/docs`, { ca: readFileSync(cert), servername: "localhost", checkServerIdentity: () => undefined }, (response) => {
        response.resume();
        resolve({ ...response.headers, status: response.statusCode });
      }).once("error", reject);
    });
    expect(headers["status"]).toBe(200);
    expect(headers["strict-transport-security"]).toContain("max-age");
    const exchange = connectTls({
      port: service.streamPort,
      host: "127.0.0.1",
      ca: readFileSync(cert),
      servername: "localhost",
      checkServerIdentity: () => undefined,
    });
    exchange.write(legMessages("6619d336-b468-40e0-945e-09e4d1d60000", new Int16Array(0))[0] ?? "");
    const silence = await new Promise<Buffer>((resolve, reject) => exchange.once("data", resolve).once("error", reject));
    exchange.destroy();
    expect(silence).toHaveLength(323);
  });

  it("removes what it decoded when process is interrupted", async () => {
    const temporary = join(directory.path, "temporary");
    mkdirSync(temporary);
    const child = spawnCli(["process", samplePath("early-marriage", "call-8k-alaw.wav"), "--language", "en"], { env: { TMPDIR: temporary } });
    const isWorking = () => readdirSync(temporary, { recursive: true }).some((path) => /^openchs-process-[^/]+\/work\/./.test(String(path)));
    await until("it works on the recording", isWorking, 15_000, 20);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    expect(await ended).not.toBe(0);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("touches nothing in a work folder that is not its own, and tells an operator what the system refused", async () => {
    const data = join(directory.path, "home");
    mkdirSync(join(data, "work", "thesis"), { recursive: true });
    writeFileSync(join(data, "work", "thesis", "chapter"), "mine");
    const service = await serve(data);
    await service.end("SIGTERM");
    expect(readFileSync(join(data, "work", "thesis", "chapter"), "utf8")).toBe("mine");
    const notDirectory = await runCli(["serve", "--port", "0", "--stream-port", "0", "--data-dir", join(data, "work", "thesis", "chapter")]);
    const noAddress = await runCli(["serve", "--port", "0", "--stream-port", "0", "--host", "203.0.113.9", "--data-dir", join(directory.path, "elsewhere")]);
    for (const { exitCode, stderr } of [notDirectory, noAddress]) {
      expect(exitCode).toBe(2);
      expect(stderr).toContain("CONFIG_INVALID");
    }
  });

  it("tells the truth in doctor", async () => {
    const well = await runCli(["doctor", "--port", "0", "--stream-port", "0", "--data-dir", join(directory.path, "doctor")]);
    expect(well.exitCode).toBe(0);
    expect(well.stdout).toMatch(/ok +audio decoder +ffmpeg/);
    expect(well.stdout).toMatch(/engine: speech +pocketsphinx \(en, low quality\)/);
    expect(well.stdout).toMatch(/note +engine: translation +none installed/);
    const open = await runCli(["doctor", "--port", "0", "--stream-port", "0", "--host", "0.0.0.0", "--data-dir", join(directory.path, "doctor")]);
    expect(open.exitCode).toBe(1);
    expect(open.stdout).toMatch(/PROBLEM +TLS/);
    const key = join(directory.path, "loose");
    mkdirSync(key);
    writeFileSync(join(key, "master.key"), "c2hvcnQ=\n", { mode: 0o644 });
    expect((await runCli(["doctor", "--port", "0", "--stream-port", "0", "--data-dir", key])).stdout).toMatch(/PROBLEM +master key/);
  });

  it("reports every wrong setting at once and never its value", async () => {
    const { exitCode, stderr } = await runCli(["serve", "--data-dir", directory.path], { env: { PORT: "99999secret", JOB_LEASE_MS: "hunter2" } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("PORT must be");
    expect(stderr).toContain("JOB_LEASE_MS must be");
    expect(stderr).not.toMatch(/99999secret|hunter2/);
  });
});
