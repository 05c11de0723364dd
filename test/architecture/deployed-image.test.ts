/** The image and NGINX's files name what is there: files, commands, ports, settings, routes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.js";
import { SETTINGS } from "../../src/config/settings.js";
import {
  DEPLOY,
  type Instruction,
  readAssignments,
  readDeployed,
  readDockerfile,
  readIncludes,
  readListens,
  readUpstreams,
  withoutComments,
} from "../support/deployment-files.js";
import { ROOT } from "../support/source-tree.js";

const DOCKERFILE = "image/Dockerfile";
const instructions = readDockerfile(DOCKERFILE);
/** Stages that containers are made of. */
const RUN_STAGES = ["service", "cuda"];
const PORTS = { gateway: Number(SETTINGS["PORT"]?.defaultText), exchange: Number(SETTINGS["STREAM_PORT"]?.defaultText) };
const of = (stage: string, name: string): readonly string[] =>
  instructions.filter((each) => each.stage === stage && each.name === name).map(({ text }) => text);
const only = (stage: string, name: string): string => {
  const found = of(stage, name);
  if (found.length !== 1) throw new Error(`${stage} has ${found.length} ${name}`);
  return found[0] ?? "";
};

interface Copy {
  readonly stage: string;
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

function copyOf({ stage, text }: Instruction): Copy {
  const words = text.split(/\s+/);
  const from = words[0]?.startsWith("--from=") === true ? words.shift()?.slice("--from=".length) : undefined;
  return { stage, from, sources: words.slice(0, -1), target: words.at(-1) ?? "" };
}
const copies = instructions.filter(({ name }) => name === "COPY").map(copyOf);

describe("the image", () => {
  it("is built on the Node that the package asks for, without development's packages", () => {
    const floor = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { engines: { node: string } }).engines.node;
    const major = /^>=(\d+)/.exec(floor)?.[1];
    expect(instructions.filter(({ name, base }) => name === "FROM" && base.startsWith("node:")).map(({ base }) => base)).toEqual(
      Array.from({ length: 2 }, () => `node:${major}-bookworm-slim`),
    );
    expect(of("packages", "RUN")).toEqual([expect.stringContaining("npm ci --omit=dev")]);
    expect(instructions.filter(({ name }) => name === "FROM").at(-1)?.stage).toBe("service");
  });

  it("copies only what is in the repository, is let through to the builder, or was made by an earlier stage", () => {
    const ignored = readDeployed("image/Dockerfile.dockerignore").split("\n");
    const stages = instructions.filter(({ name }) => name === "FROM").map(({ stage }) => stage);
    const fromContext = copies.filter(({ from }) => from === undefined).flatMap(({ sources }) => sources);
    expect(fromContext.length).toBeGreaterThan(8);
    expect(fromContext.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(ignored).toContain("*");
    expect(fromContext.filter((source) => !ignored.includes(`!${source}`))).toEqual([]);
    const unknown = copies.filter(({ from, stage }) => from !== undefined && !(stages.indexOf(from) >= 0 && stages.indexOf(from) < stages.indexOf(stage)));
    expect(unknown).toEqual([]);
  });

  it("holds everything of the package that the program reads", () => {
    const shipped = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { files: string[] }).files.filter((name) => name !== "docs");
    for (const stage of RUN_STAGES) {
      const targets = copies.filter((copy) => copy.stage === stage).map(({ target }) => target);
      for (const name of [...shipped, "node_modules"]) expect(targets, stage).toContain(name);
      expect(copies.some((copy) => copy.stage === stage && copy.sources.includes("package.json"))).toBe(true);
    }
  });

  it("runs as a user without rights, checks its health without curl, and starts a command that exists", () => {
    const program = (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { bin: Record<string, string> }).bin["openchs-ai"];
    for (const stage of RUN_STAGES) {
      const [uid, gid] = only(stage, "USER").split(":").map(Number);
      expect(Math.min(uid ?? 0, gid ?? 0)).toBeGreaterThan(999);
      const entry = JSON.parse(only(stage, "ENTRYPOINT")) as string[];
      expect(entry.at(-1)).toBe(join(only(stage, "WORKDIR"), program ?? ""));
      expect(of(stage, "RUN").join()).toMatch(/apt-get install .* tini/);
      const check = JSON.parse(/CMD (\[.*\])$/.exec(only(stage, "HEALTHCHECK"))?.[1] ?? "[]") as string[];
      expect(check[0]).toBe("node");
      expect(existsSync(join(ROOT, (check[1] ?? "").replace("/app/", "")))).toBe(true);
      expect(copies.some((copy) => copy.stage === stage && join("/app", copy.target) === check[1])).toBe(true);
    }
  });

  it("sets settings that exist to values that load, writes to its volume alone, and exposes its ports", () => {
    for (const stage of RUN_STAGES) {
      const { NODE_ENV, ...environment } = readAssignments(only(stage, "ENV"));
      expect(NODE_ENV).toBe("production");
      expect(Object.keys(environment).filter((name) => !Object.hasOwn(SETTINGS, name))).toEqual([]);
      const config = loadConfig({ env: environment });
      expect(config.gateway).toMatchObject({ host: "0.0.0.0", port: PORTS.gateway });
      expect(config.telephony.port).toBe(PORTS.exchange);
      expect(only(stage, "VOLUME")).toBe(config.dataDirectory);
      const [uid] = only(stage, "USER").split(":");
      expect(of(stage, "RUN").join()).toContain(`install -d -o ${uid} -g ${uid} -m 0700 ${config.dataDirectory}`);
    }
    expect(only("service", "EXPOSE").split(" ").map(Number)).toEqual([PORTS.gateway, PORTS.exchange]);
  });
});

describe("the files of NGINX", () => {
  const http = withoutComments(readDeployed("nginx/http.conf"));
  const locationOf = (path: string): string => {
    const patterns = [...http.matchAll(/location ~ (\S+) \{/g)].map(([, pattern]) => pattern ?? "");
    return patterns.find((pattern) => new RegExp(pattern).test(path)) ?? "/";
  };
  const paths = (JSON.parse(readFileSync(join(ROOT, "docs/openapi.json"), "utf8")) as { paths: Record<string, Record<string, object>> }).paths;

  it("include only files that are there, and pass only to upstreams that are declared", () => {
    const included = ["nginx/nginx.conf", "nginx/http.conf", "nginx/stream.conf"].flatMap(readIncludes).filter((path) => !path.startsWith("/"));
    expect(included.length).toBeGreaterThan(4);
    expect(included.filter((path) => !existsSync(join(DEPLOY, "nginx", path)))).toEqual([]);
    const declared = new Set(["nginx/upstreams.conf", "nginx/stream-upstreams.conf"].flatMap(readUpstreams).map(({ upstream }) => upstream));
    const used = [...`${http}${readDeployed("nginx/stream.conf")}`.matchAll(/proxy_pass (?:http:\/\/)?(\w+);/g)].map(([, name]) => name ?? "");
    expect(new Set(used)).toEqual(declared);
  });

  it("reach gateways and telephony on the ports that they listen on", () => {
    const ports = new Map(readUpstreams("nginx/upstreams.conf").map(({ upstream, port }) => [upstream, port]));
    expect([...ports]).toEqual([
      ["openchs_api", PORTS.gateway],
      ["openchs_media", PORTS.gateway],
    ]);
    expect(readUpstreams("nginx/stream-upstreams.conf").map(({ port }) => port)).toEqual([PORTS.exchange]);
  });

  it("let every route that takes a recording have one of any size, and no other", () => {
    const posts = Object.entries(paths).filter(([, methods]) => "post" in methods);
    const isUpload = (methods: Record<string, object>): boolean => JSON.stringify(methods["post"]).includes("multipart/form-data");
    const uploads = posts.filter(([, methods]) => isUpload(methods)).map(([path]) => path);
    expect(uploads.length).toBeGreaterThan(5);
    const [pattern] = new Set(uploads.map(locationOf));
    expect(uploads.filter((path) => locationOf(path) !== pattern)).toEqual([]);
    expect(pattern).not.toBe("/");
    expect(posts.filter(([, methods]) => !isUpload(methods)).filter(([path]) => locationOf(path) === pattern)).toEqual([]);
    const block = http.slice(http.indexOf(`location ~ ${pattern} {`));
    expect(block.slice(0, block.indexOf("}"))).toContain("client_max_body_size 0;");
  });

  it("bring sound over WebSocket to the streams, and nothing else", () => {
    const media = Object.keys(paths).filter((path) => /^\/media(\/|$)/.test(path));
    expect(media.length).toBeGreaterThan(1);
    const [pattern, ...others] = new Set(media.map(locationOf));
    expect(others).toEqual([]);
    const block = http.slice(http.indexOf(`location ~ ${pattern} {`));
    expect(block.slice(0, block.indexOf("}"))).toContain("proxy_pass http://openchs_media;");
    expect(Object.keys(paths).filter((path) => locationOf(path) === pattern)).toEqual(media);
  });

  it("keep nothing of a call on the proxy's disk, and no ticket in its log", () => {
    expect(http).toContain("proxy_buffering off;");
    expect(http).toContain("proxy_request_buffering off;");
    const format = /log_format openchs '([^']*)'/.exec(http)?.[1] ?? "";
    expect(format).toContain("$uri");
    expect(format).not.toMatch(/\$request\b|\$request_uri|\$args|\$query_string|\$http_/);
  });

  it("listen where nothing else of theirs does", () => {
    const listens = ["nginx/http.conf", "nginx/stream.conf"].map((path) => new Set(readListens(path)));
    expect([...(listens[0] ?? [])].filter((port) => listens[1]?.has(port) === true)).toEqual([]);
    expect(listens[1]).toContain(PORTS.exchange);
  });
});
