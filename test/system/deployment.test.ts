/** The files of `deploy/` in the real programs: NGINX before a helpline of several processes, Prometheus watching them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request as openPlain } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { legMessages, message } from "../support/audiosocket-client.js";
import { readCluster } from "../support/deployed-cluster.js";
import { readPanelQueries } from "../support/deployed-queries.js";
import { DEPLOY } from "../support/deployment-files.js";
import { newStreamId } from "../support/live-gateway.js";
import { isMissing } from "../support/requirements.js";
import { runCli } from "../support/run-cli.js";
import { type Helpline, type RoleProcess, startHelpline } from "../support/run-roles.js";
import { shortClip } from "../support/sample-audio.js";
import { makeServerCertificates, type ServerCertificates } from "../support/server-certificates.js";
import { type NginxServer, startNginx } from "../support/start-nginx.js";
import { type PrometheusServer, startPrometheus } from "../support/start-prometheus.js";
import { startRedis } from "../support/start-redis.js";
import { legOf } from "../support/telephone-leg.js";
import { createTlsClient, openTlsLeg, type TlsClient } from "../support/tls-client.js";
import { until } from "../support/until.js";
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.js";

const LARGE_BYTES = 110_000_000;
const PIECE = Buffer.alloc(1_000_000);
/** Longer than the ten seconds after which the lag of a call is measured. */
const SPOKEN_MS = 12_000;

const addressOf = ({ url }: RoleProcess): string => url.replace("http://", "");

async function formOf(audio: Uint8Array, fields: Readonly<Record<string, string>>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set("audio", new Blob([new Uint8Array(audio)]), "call.wav");
  const encoded = new Response(form);
  return { body: Buffer.from(await encoded.arrayBuffer()), type: encoded.headers.get("content-type") ?? "" };
}

describe.skipIf(isMissing("pocketsphinx", "redis-server", "postgres", "openssl", "nginx", "nginx-stream", "prometheus", "promtool"))(
  "a deployed helpline",
  () => {
    let helpline: Helpline;
    let apis: readonly RoleProcess[];
    let stream: RoleProcess;
    let worker: RoleProcess;
    let certificates: ServerCertificates;
    let nginx: NginxServer;
    let prometheus: PrometheusServer;
    let receiver: WebhookReceiver;
    let client: TlsClient;
    let speaking: Promise<unknown> = Promise.resolve();
    const callId = newStreamId("1");

    beforeAll(async () => {
      [helpline, certificates, receiver] = await Promise.all([
        startHelpline({ TRUSTED_PROXIES: "127.0.0.1", STREAM_ALLOWED_PEERS: "127.0.0.1", SYNTHETIC_CALL_SECONDS: "10" }),
        makeServerCertificates("IP:127.0.0.1"),
        startReceiver(),
      ]);
      const [one, other, ...rest] = await Promise.all([helpline.start("api"), helpline.start("api"), helpline.start("stream"), helpline.start("worker")]);
      [apis, stream, worker] = [[one, other], rest[0], rest[1]];
      const upstreams = { "api-1:8125": addressOf(one), "api-2:8125": addressOf(other), "stream:8125": addressOf(stream) };
      nginx = await startNginx({ certificates, upstreams: { ...upstreams, "stream:8301": `127.0.0.1:${stream.streamPort}` } });
      client = createTlsClient({ port: nginx.ports.https, caFile: certificates.caFile, key: await helpline.adminKey() });
      const { stdout: key } = await runCli(["keys", "create", "--role", "service", "--label", "prometheus"], {
        env: { ...helpline.env, DATA_DIR: join(dirname(certificates.caFile), "operator") },
      });
      const targets = { api: apis.map(addressOf), stream: [addressOf(stream)], worker: [addressOf(worker)] };
      prometheus = await startPrometheus({ key: key.trim(), targets });
    });
    afterAll(async () => {
      await speaking;
      // Whatever of it did start.
      await Promise.all([nginx, prometheus].map((server) => (server as NginxServer | undefined)?.stop()));
      await Promise.all([receiver.close(), certificates.remove(), helpline.close()]);
    });

    const post = (path: string, body: object = {}) =>
      client.ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: [Buffer.from(JSON.stringify(body))] });
    const upload = async (): Promise<string> => {
      const { body, type } = await formOf(shortClip("child-violence-home", 3), { language: "en" });
      const answer = await client.ask("/audio/process", { method: "POST", headers: { "content-type": type, "content-length": body.length }, body: [body] });
      expect(answer.status).toBe(202);
      return (JSON.parse(answer.body) as { task_id: string }).task_id;
    };

    it("takes both legs of a call from the exchange, one in TLS, one plain, in one stream", async () => {
      await post("/api/v1/webhooks", { url: `${receiver.url}/helpline`, secret: "a secret of the helpline" });
      const legs = [await openTlsLeg(nginx.ports.exchangeTls, certificates.caFile), connect(nginx.ports.exchange, "127.0.0.1")];
      const pieces = [callId, `${callId.slice(0, -1)}2`].map((id, channel) =>
        legMessages(id, legOf("child-violence-home", channel as 0 | 1, 3_000, 3_000 + SPOKEN_MS)),
      );
      const record = () => client.json<{ legs?: readonly { channel: string }[] }>(`/api/v1/calls/${callId}`);
      const known = (count: number) => until(`${count} legs are known`, async () => ((await record()).legs ?? []).length === count, 20_000, 100);
      const speak = async (leg: Socket, parts: readonly Buffer[]): Promise<void> => {
        leg.on("data", () => {}).on("error", () => {});
        for (const [sent, part] of parts.entries()) {
          leg.write(part);
          // Of a kind that no exchange sends yet, now and then.
          if (sent % 100 === 99) leg.write(message(0x77, Buffer.alloc(2)));
          await wait(20);
        }
        leg.end();
      };
      // The leg that comes first names the call.
      const first = speak(legs[0] as Socket, pieces[0] ?? []);
      await known(1);
      speaking = Promise.all([first, speak(legs[1] as Socket, pieces[1] ?? [])]);
      await known(2);
      expect((await record()).legs?.map(({ channel }) => channel).sort()).toEqual(["agent", "caller"]);
    });

    it("answers over TLS from both api, and sends who comes without to it", async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => client.ask("/api/v1/calls?limit=1")));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(answers[0]?.headers["strict-transport-security"]).toContain("max-age=");
      const log = await nginx.log();
      for (const api of apis) expect(log).toContain(addressOf(api));
      expect(log).not.toContain("limit=1");
      // What the Compose file's health check asks NGINX itself.
      expect((await fetch(`http://127.0.0.1:${nginx.ports.http}/nginx-alive`)).status).toBe(200);
      const plain = await new Promise<{ status: number | undefined; location: string | undefined }>((resolve, reject) =>
        openPlain({ port: nginx.ports.http, host: "127.0.0.1", path: "/docs", headers: { host: "helpline.example" } }, (answer) => {
          answer.resume();
          resolve({ status: answer.statusCode, location: answer.headers.location });
        })
          .once("error", reject)
          .end(),
      );
      expect(plain).toEqual({ status: 308, location: "https://helpline.example/docs" });
      expect((await client.ask("/metrics")).status).toBe(404);
    });

    it("opens WebSockets with tickets, whichever api issued them", async () => {
      for (let round = 0; round < 6; round++) {
        const { ticket } = await client.json<{ ticket: string }>("/api/v1/tickets", { method: "POST" });
        const socket = await client.openSocket(`/api/v1/live?ticket=${ticket}`);
        socket.close();
        expect((await nginx.log()).includes(ticket)).toBe(false);
      }
    });

    it("passes server-sent events on as they come, and not when all are there", async () => {
      const answer = await client.open(`/audio/task/${await upload()}/events`);
      const pieces: string[] = [];
      for await (const piece of answer) pieces.push(String(piece));
      const text = pieces.join("");
      expect(text).toContain("analysis.completed");
      const at = (what: string): number => pieces.findIndex((piece) => piece.includes(what));
      expect(at("event: ")).toBeGreaterThan(-1);
      expect(at("event: ")).toBeLessThan(at("analysis.completed"));
      expect(pieces.length).toBeGreaterThan(3);
    });

    it("passes a recording of more than 100 MB on, and writes none of it down on the way", async () => {
      const { body, type } = await formOf(Buffer.from("SOUND"), { language: "en" });
      const at = body.indexOf("SOUND");
      // Silence with the header of a WAV file of this length.
      const header = Buffer.from(shortClip("silent-prank", 1).subarray(0, 44));
      header.writeUInt32LE(LARGE_BYTES + 36, 4);
      header.writeUInt32LE(LARGE_BYTES, 40);
      const tail = body.subarray(at + "SOUND".length);
      async function* pieces() {
        yield Buffer.concat([body.subarray(0, at), header]);
        for (let sent = 0; sent < LARGE_BYTES; sent += PIECE.length) yield PIECE;
        yield tail;
      }
      const headers = { "content-type": type, "content-length": at + header.length + LARGE_BYTES + tail.length };
      const answer = await client.ask("/audio/process", { method: "POST", headers, body: pieces() });
      expect(answer.status).toBe(202);
      const { task_id: taskId } = JSON.parse(answer.body) as { task_id: string };
      expect((await client.ask(`/audio/task/${taskId}`, { method: "DELETE" })).status).toBeLessThan(300);
      expect(await nginx.log()).not.toContain("buffered to a temporary file");
      expect((await post("/translate", { text: "x".repeat(6_000_000) })).status).toBe(413);
    });

    it("is watched by Prometheus: every process is reached, every rule and every panel has something to say", async () => {
      await until("all are scraped", async () => (await prometheus.query('up{job="openchs-ai"} == 1')).length === 4, 20_000, 200);
      expect(execFileSync("promtool", ["check", "config", join(prometheus.directory, "prometheus.yml")], { encoding: "utf8", stdio: "pipe" })).toContain(
        "SUCCESS",
      );
      const pending = new Map(readPanelQueries().map((query) => [query.expr, query.panel]));
      expect(pending.size).toBeGreaterThan(30);
      const modelProcesses = readFileSync(`/proc/${worker.child.pid}/task/${worker.child.pid}/children`, "utf8").trim().split(" ");
      process.kill(Number(modelProcesses[0]), "SIGKILL");
      const following = await client.open(`/api/v1/calls/${callId}/live`);
      following.resume();
      await speaking;
      // Rates need a second happening of what happened once.
      const happen = async (): Promise<void> => {
        await client.ask("/models", { headers: { authorization: "Bearer nobody" } });
        await client.ask(`/api/v1/calls/${callId}/transcript`);
        const leg = connect(nginx.ports.exchange, "127.0.0.1");
        leg.on("data", () => {}).on("error", () => {});
        leg.end(Buffer.concat([...legMessages(newStreamId("1"), legOf("silent-prank", 0, 0, 100)), message(0x00, Buffer.alloc(0))]));
        await upload();
      };
      await until(
        `these panels have shown something: ${[...pending.values()].join("; ")}`,
        async () => {
          await happen();
          for (const expr of [...pending.keys()]) {
            const shown = await prometheus.query(`max_over_time((${expr})[2m:1s]) > 0`);
            if (shown.some(({ value }) => Number.isFinite(value))) pending.delete(expr);
          }
          return pending.size === 0;
        },
        20_000,
        500,
      ).catch((error: unknown) => {
        throw new Error(`these panels have shown nothing: ${[...pending.values()].join("; ")}`, { cause: error });
      });
      for (const { spec } of readCluster("kubernetes/overlays/example").resources.filter(({ kind }) => kind === "ScaledObject"))
        for (const { metadata } of spec.triggers) {
          const answer = await prometheus.query(metadata.query);
          expect(
            answer.map(({ value }) => Number.isFinite(value)),
            metadata.query,
          ).toEqual([true]);
        }
      const { data } = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as { data: { groups: { rules: { name: string; health: string }[] }[] } };
      const rules = data.groups.flatMap((group) => group.rules);
      expect(rules.length).toBeGreaterThan(15);
      expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
      following.destroy();
    });
  },
);

describe.skipIf(isMissing("openssl", "nginx", "nginx-stream"))("NGINX before several streams", () => {
  it("gives each stream its share of one exchange's legs, and the other all of them once one is gone", async () => {
    const arrivals: number[] = [];
    const accepted: Socket[] = [];
    const certificates = await makeServerCertificates("IP:127.0.0.1");
    const sinks = await Promise.all(
      [0, 1].map(
        (index) =>
          new Promise<Server>((resolve) => {
            const sink = createServer((socket) => {
              accepted.push(socket.on("error", () => {}));
              socket.once("data", () => arrivals.push(index));
            });
            sink.listen(0, "127.0.0.1", () => resolve(sink));
          }),
      ),
    );
    const [one, other] = sinks.map((sink) => `127.0.0.1:${(sink.address() as { port: number }).port}`);
    const upstreams = { "api-1:8125": "127.0.0.1:1", "api-2:8125": "127.0.0.1:2", "stream:8125": "127.0.0.1:1", "stream:8301": `${one}; server ${other}` };
    const nginx = await startNginx({ certificates, upstreams });
    const sockets: Socket[] = [];
    const sendLegs = async (count: number): Promise<number[]> => {
      const before = arrivals.length;
      for (let leg = 0; leg < count; leg++) {
        const socket = connect({ port: nginx.ports.exchange, host: "127.0.0.1" });
        socket.on("error", () => {}).write("leg");
        sockets.push(socket);
      }
      await until("all legs have arrived", () => arrivals.length === before + count);
      return arrivals.slice(before);
    };
    const shares = await sendLegs(24);
    // NGINX's worker processes may both see a tie, and send a leg to the same stream.
    for (const index of [0, 1]) expect(shares.filter((arrived) => arrived === index).length).toBeGreaterThanOrEqual(8);
    sinks[0]?.close();
    expect(await sendLegs(8)).toEqual(Array.from({ length: 8 }, () => 1));
    for (const socket of [...sockets, ...accepted]) socket.destroy();
    await nginx.stop();
    sinks[1]?.close();
    await certificates.remove();
  });
});

describe.skipIf(isMissing("redis-server"))("the Redis of the Compose file", () => {
  it("keeps every second of the queue on its disk and throws nothing away", async () => {
    const redis = await startRedis({ file: join(DEPLOY, "compose/redis.conf") });
    const settingOf = async (name: string): Promise<string | undefined> => (await redis.cli("config", "get", name)).split("\n")[1];
    expect(await Promise.all(["appendonly", "appendfsync", "maxmemory-policy", "maxmemory"].map(settingOf))).toEqual([
      "yes",
      "everysec",
      "noeviction",
      String(384 * 1_048_576),
    ]);
    await redis.remove();
  });
});

describe.skipIf(isMissing("promtool"))("promtool", () => {
  const promtool = (...words: readonly string[]): string => execFileSync("promtool", words, { encoding: "utf8", stdio: "pipe" });

  it("sees every alert fire in its case, alone, and none when all is well", () => {
    expect(promtool("check", "rules", join(DEPLOY, "prometheus/rules/openchs-ai.yml"))).toContain("SUCCESS");
    expect(promtool("test", "rules", join(DEPLOY, "prometheus/tests/openchs-ai.yml"))).toContain("SUCCESS");
  });
});
