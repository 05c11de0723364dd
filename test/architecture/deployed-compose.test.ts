/** The Compose file: every name it uses exists, and every process of ours would start with what it is given. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { describe, expect, it } from "vitest";
import { dutiesOf, type ProcessRole } from "../../src/app/roles/process-role.js";
import type { Config } from "../../src/config/config-schema.js";
import { loadConfig } from "../../src/config/load-config.js";
import { SETTINGS } from "../../src/config/settings.js";
import { fromDeployed, readAssignments, readDeployed, readDockerfile, readListens, readUpstreams, readYaml } from "../support/deployment-files.js";

const FILE = "compose/compose.yaml";

interface Network {
  readonly ipv4_address?: string;
}

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[] | Readonly<Record<string, Network>>;
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly mem_limit?: string;
  readonly stop_grace_period?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean; readonly ipam?: { readonly config: readonly { readonly subnet: string }[] } }>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = readYaml<ComposeFile>(FILE);
const services = Object.entries(compose.services);
const isOurs = ([, { image, profiles }]: readonly [string, Service]): boolean => image.startsWith("openchs-ai:") && profiles === undefined;
const ours = services.filter(isOurs);
const networksOf = ({ networks }: Service): Readonly<Record<string, Network>> =>
  Array.isArray(networks) ? Object.fromEntries((networks as string[]).map((name) => [name, {}])) : (networks as Record<string, Network>);
const mountsOf = ({ volumes = [] }: Service): ReadonlyMap<string, string> =>
  new Map(volumes.map((volume) => volume.split(":")).map(([source = "", target = ""]) => [target, source]));

/** As `.env` is when somebody has filled it in. */
const example = readAssignments(
  readDeployed("compose/.env.example")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line))
    .join(" "),
);
const filledIn = (text: string): string =>
  text.replaceAll(
    /\$\{(\w+)(?::[-?]([^}]*))?\}/g,
    (_, name: string, fallback = "") => (example[name] || (name.endsWith("PASSWORD") ? "s3cret" : fallback)) as string,
  );
const environmentOf = ({ environment = {} }: Service): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filledIn(String(value))]));
const imageEnvironment = readAssignments(readDockerfile("image/Dockerfile").find(({ stage, name }) => stage === "service" && name === "ENV")?.text ?? "");
const configOf = (service: Service): Config => loadConfig({ env: { ...imageEnvironment, ...environmentOf(service) } });

describe("the processes of the Compose file", () => {
  it("are two api, a stream and a worker, of the image that the Dockerfile makes", () => {
    expect(ours.map(([, { command }]) => command?.[0]).sort()).toEqual(["api", "api", "stream", "worker"]);
    const { version } = JSON.parse(readFileSync(fromDeployed(FILE, "../../package.json"), "utf8")) as { version: string };
    expect(new Set(ours.map(([, { image }]) => filledIn(image)))).toEqual(new Set([`openchs-ai:${version}`]));
  });

  it("are given only settings that exist, with values that load, and all that their role needs", () => {
    for (const [name, service] of ours) {
      expect(
        Object.keys(service.environment ?? {}).filter((variable) => !Object.hasOwn(SETTINGS, variable)),
        name,
      ).toEqual([]);
      expect(dutiesOf(service.command?.[0] as ProcessRole, configOf(service)).isShared, name).toBe(true);
    }
  });

  it("share recordings and models, and have a data directory each", () => {
    const data = ours.map(([, service]) => mountsOf(service).get(configOf(service).dataDirectory));
    expect(data).not.toContain(undefined);
    expect(new Set(data).size).toBe(ours.length);
    for (const place of ["recordings", "models"] as const) {
      const shared = ours.map(([, service]) => {
        const config = configOf(service);
        return mountsOf(service).get(place === "models" ? config.inference.modelsDirectory : (config.audioStore.url ?? "").replace("file:", ""));
      });
      expect(new Set(shared), place).toEqual(new Set([place]));
    }
    const made = readDockerfile("image/Dockerfile").find(({ stage, text }) => stage === "service" && text.includes("install -d"))?.text ?? "";
    for (const [, service] of ours) for (const target of mountsOf(service).keys()) expect(made).toContain(` ${target}`);
  });

  it("take the master key from a secret, under a root that nothing can write", () => {
    for (const [name, service] of ours) {
      const secret = /^\/run\/secrets\/(\w+)$/.exec(configOf(service).security.masterKeyFile ?? "")?.[1] ?? "";
      expect(service.secrets, name).toContain(secret);
      expect({ readOnly: service.read_only, dropped: service.cap_drop, tmpfs: service.tmpfs?.[0]?.split(":")[0] }, name).toEqual({
        readOnly: true,
        dropped: ["ALL"],
        tmpfs: "/tmp",
      });
      expect(Number.parseInt(service.stop_grace_period ?? "", 10) * 1000, name).toBeGreaterThan(
        configOf(service).shutdownDeadlineMs + configOf(service).telephony.drainMs,
      );
    }
  });

  it("find PostgreSQL and Redis by their names, with their users and passwords, on a network that leads nowhere", () => {
    const { postgres, redis } = compose.services;
    if (postgres === undefined || redis === undefined) throw new Error("there is no postgres or no redis");
    const { POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD } = environmentOf(postgres);
    const given = redis.command?.map(filledIn) ?? [];
    expect(compose.networks["inside"]?.internal).toBe(true);
    for (const [name, service] of ours) {
      const config = configOf(service);
      expect(config.database.url).toBe(`postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`);
      expect(config.redis.url).toBe(`redis://:${given[given.indexOf("--requirepass") + 1]}@redis:6379/0`);
      for (const each of [service, postgres, redis]) expect(Object.keys(networksOf(each)), name).toContain("inside");
    }
    const connections = ours.reduce((sum, [, service]) => sum + configOf(service).database.poolSize, 0);
    expect(Number(/max_connections=(\d+)/.exec((postgres.command ?? []).join(" "))?.[1])).toBeGreaterThan(connections);
    expect(readDeployed("compose/redis.conf")).toMatch(/^appendonly yes$/m);
    expect(readDeployed("compose/redis.conf")).toMatch(/^maxmemory-policy noeviction$/m);
  });
});

describe("the names in the Compose file", () => {
  it("are all declared: volumes, secrets, networks, and services that are waited for", () => {
    const named = services.flatMap(([name, service]) => {
      const conditions = Array.isArray(service.depends_on)
        ? (service.depends_on as string[]).map((each) => [each, "service_started"] as const)
        : Object.entries((service.depends_on ?? {}) as Record<string, { condition: string }>).map(([each, { condition }]) => [each, condition] as const);
      const volumes = [...mountsOf(service).values()].filter((source) => !source.startsWith("."));
      return [
        ...volumes.filter((volume) => !Object.hasOwn(compose.volumes, volume)).map((volume) => `${name}: volume ${volume}`),
        ...(service.secrets ?? []).filter((secret) => !Object.hasOwn(compose.secrets, secret)).map((secret) => `${name}: secret ${secret}`),
        ...Object.keys(networksOf(service))
          .filter((network) => !Object.hasOwn(compose.networks, network))
          .map((network) => `${name}: network ${network}`),
        ...conditions
          // The image of ours brings its own check.
          .filter(
            ([each, condition]) => condition === "service_healthy" && compose.services[each]?.healthcheck === undefined && !ours.some(([own]) => own === each),
          )
          .map(([each]) => `${name}: ${each} has no health check`),
        ...conditions.filter(([each]) => !Object.hasOwn(compose.services, each)).map(([each]) => `${name}: waits for ${each}`),
      ];
    });
    expect(named).toEqual([]);
    const used = new Set(services.flatMap(([, service]) => [...mountsOf(service).values()]));
    expect(Object.keys(compose.volumes).filter((volume) => !used.has(volume))).toEqual([]);
  });

  it("are files of the repository where they are mounted, but for keys and certificates, which git must not see", () => {
    const files = services.flatMap(([, service]) => [...mountsOf(service).values()]).filter((source) => source.startsWith("."));
    expect(files.length).toBeGreaterThan(8);
    const kept = new Set(["./tls", ...Object.values(compose.secrets).map(({ file }) => file)]);
    expect(files.filter((file) => !kept.has(file) && !existsSync(fromDeployed(FILE, file)))).toEqual([]);
    const ignored = readDeployed("compose/.gitignore").split("\n");
    for (const file of kept) expect(ignored).toContain(`${file.split("/")[1]}/`);
    expect(ignored).toContain(".env");
  });

  it("are mounted where NGINX includes them", () => {
    const targets = [...mountsOf(compose.services["nginx"] ?? ({} as Service)).keys()];
    const files = ["nginx.conf", "upstreams.conf", "http.conf", "stream-upstreams.conf", "stream.conf", "exchanges.conf"];
    for (const file of files) expect(targets).toContain(`/etc/nginx/${file}`);
    const certificates = [...readDeployed("nginx/http.conf").matchAll(/ssl_certificate(?:_key)? (\S+);/g)].map(([, path]) => path ?? "");
    expect(certificates.every((path) => targets.some((target) => isAbsolute(path) && path.startsWith(`${target}/`)))).toBe(true);
  });

  it("of variables are those of .env.example, all of them", () => {
    const used = new Set([...readDeployed(FILE).matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(Object.keys(example).sort());
    expect(statSync(fromDeployed(FILE, ".env.example")).isFile()).toBe(true);
  });
});

describe("the network of the Compose file", () => {
  const { nginx } = compose.services;
  const edge = (service: Service | undefined): string | undefined => (service === undefined ? undefined : networksOf(service)["edge"]?.ipv4_address);

  it("lets only NGINX be reached from outside, on ports that it listens on", () => {
    const open = services.filter(([, { ports = [] }]) => ports.some((port) => !port.startsWith("127.0.0.1:")));
    expect(open.map(([name]) => name)).toEqual(["nginx"]);
    const listens = new Set([...readListens("nginx/http.conf"), ...readListens("nginx/stream.conf")]);
    expect(new Set(nginx?.ports?.map((port) => Number(port.split(":").at(-1))))).toEqual(listens);
  });

  it("gives NGINX's upstreams and NGINX addresses that stay, and the gateways trust that one", () => {
    const upstreams = ["nginx/upstreams.conf", "nginx/stream-upstreams.conf"].flatMap(readUpstreams);
    const subnet = compose.networks["edge"]?.ipam?.config[0]?.subnet.replace(/0\/24$/, "") ?? "none";
    for (const { host, port } of upstreams) {
      const service = compose.services[host];
      expect(edge(service), host).toContain(subnet);
      if (service === undefined) continue;
      const config = configOf(service);
      expect([config.gateway.port, config.telephony.port]).toContain(port);
      expect(config.gateway.trustedProxies).toEqual([edge(nginx)]);
      if (service.command?.[0] === "stream") expect(config.telephony.allowedPeers).toEqual([edge(nginx)]);
    }
    const apis = ours.filter(([, { command }]) => command?.[0] === "api").map(([name]) => name);
    expect(upstreams.filter(({ upstream }) => upstream === "openchs_api").map(({ host }) => host)).toEqual(apis);
    const addresses = services.map(([, service]) => edge(service)).filter((address) => address !== undefined);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it("limits what each may take of the machine's memory", () => {
    expect(services.filter(([, { profiles, mem_limit: limit }]) => profiles === undefined && limit === undefined)).toEqual([]);
  });
});
