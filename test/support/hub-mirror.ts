/**
 * A local mirror of the model hub: file lists with hashes, redirects to a second server for large files, ranges, and
 * faults on demand. It speaks what the hub speaks; see `huggingface_hub`'s file_download.py.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Files from here on are in the hub's large file storage. */
const LARGE_FROM_BYTES = 100_000;
const PAGE_FILES = 3;

/** What goes wrong with a file, by its path; consumed from the front, one a request. */
export type Fault = "none" | "503" | "cut" | "wrong" | "long" | "401" | "no-range";

export interface HubMirror extends AsyncDisposable {
  readonly endpoint: string;
  readonly faults: Map<string, Fault[]>;
  /** Of files: path, first byte asked for, bytes sent. */
  readonly served: { readonly path: string; readonly from: number; sent: number }[];
  /** Authorization headers that the second server saw. */
  readonly leakedTokens: string[];
  readonly tokens: Set<string>;
  /** A file more, also one that no directory could hold. */
  addFile(path: string, content: string): void;
}

/** @param directory - the model's files. */
export async function startHubMirror(repository: string, directory: string): Promise<HubMirror> {
  const files = new Map(listFiles(directory).map((path) => [path, readFileSync(join(directory, path))]));
  const faults = new Map<string, Fault[]>();
  const served: HubMirror["served"] = [];
  const leakedTokens: string[] = [];
  const tokens = new Set<string>();
  const fileServer = await listen((request, response) => {
    if (request.headers.authorization !== undefined) leakedTokens.push(request.headers.authorization);
    serveFile(request, response, decodeURIComponent((request.url ?? "").slice(1)));
  });
  const serveFile = (request: IncomingMessage, response: ServerResponse, path: string): void => {
    const fault = faults.get(path)?.shift() ?? "none";
    const content = files.get(path) ?? Buffer.alloc(0);
    if (fault === "503") return void response.writeHead(503).end();
    if (fault === "401") return void response.writeHead(401, { "x-error-code": "GatedRepo" }).end();
    const asked = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const from = fault === "no-range" ? 0 : asked;
    const bytes = fault === "wrong" ? Buffer.alloc(content.length - from, 7) : Buffer.concat([content.subarray(from), Buffer.alloc(fault === "long" ? 10 : 0)]);
    const record = { path, from, sent: 0 };
    served.push(record);
    response.writeHead(from > 0 ? 206 : 200, from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {});
    const sent = fault === "cut" ? bytes.subarray(0, Math.ceil(bytes.length / 2)) : bytes;
    record.sent = sent.length;
    response.write(sent, () => (fault === "cut" ? response.destroy() : response.end()));
  };
  const hub = await listen((request, response) => {
    const url = new URL(request.url ?? "/", "http://hub");
    const answer = (value: unknown, headers = {}): void =>
      void response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
    const refuse = (code: string): void => void response.writeHead(404, { "x-error-code": code }).end();
    tokens.add(request.headers.authorization ?? "");
    const api = `/api/models/${repository}`;
    if (!url.pathname.startsWith(api) && !url.pathname.startsWith(`/${repository}/resolve/`)) return refuse("RepoNotFound");
    if (url.pathname.startsWith(`${api}/revision/`)) {
      return ["main", COMMIT].includes(url.pathname.split("/").at(-1) ?? "") ? answer({ sha: COMMIT }) : refuse("RevisionNotFound");
    }
    if (url.pathname.startsWith(`${api}/tree/`)) {
      const first = Number(url.searchParams.get("cursor") ?? 0);
      const page = [...files].slice(first, first + PAGE_FILES).map(([path, content]) => describeFile(path, content));
      const next = `http://${request.headers.host}${url.pathname}?recursive=true&cursor=${first + PAGE_FILES}`;
      return answer(
        [{ type: "directory", path: "onnx", size: 0, oid: "0" }, ...page],
        first + PAGE_FILES < files.size ? { link: `<${next}>; rel="next"` } : {},
      );
    }
    const path = decodeURIComponent(url.pathname.slice(`/${repository}/resolve/${COMMIT}/`.length));
    const content = files.get(path);
    if (content === undefined) return refuse("EntryNotFound");
    if (content.length >= LARGE_FROM_BYTES) return void response.writeHead(302, { location: `${addressOf(fileServer)}/${encodeURIComponent(path)}` }).end();
    serveFile(request, response, path);
  });
  return {
    ...{ endpoint: addressOf(hub), faults, served, leakedTokens, tokens },
    addFile: (path, content) => void files.set(path, Buffer.from(content)),
    async [Symbol.asyncDispose]() {
      for (const server of [hub, fileServer]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function listFiles(directory: string, below = ""): readonly string[] {
  return readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? listFiles(directory, join(below, entry.name)) : [join(below, entry.name)],
  );
}

function describeFile(path: string, content: Buffer): unknown {
  const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const sha256 = createHash("sha256").update(content).digest("hex");
  return {
    type: "file",
    path,
    size: content.length,
    oid,
    ...(content.length >= LARGE_FROM_BYTES ? { lfs: { oid: sha256, size: content.length, pointerSize: 134 } } : {}),
  };
}

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
