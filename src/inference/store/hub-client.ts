/**
 * The Hugging Face hub's protocol, as far as a download needs it: which files a repository has at a commit, with the hash
 * of each, and their bytes from any place in them. A mirror that speaks it does as well.
 */
import { AppError } from "../../core/errors.js";
import { MODEL_FILE_PATH } from "./model-manifest.js";

export interface HubOptions {
  /** Such as `https://huggingface.co`. */
  readonly endpoint: string;
  readonly token?: string;
}

export interface HubFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the content; for small files the hub knows git's hash only. */
  readonly hash: { readonly kind: "sha256" | "git-sha1"; readonly hex: string };
}

export interface HubSnapshot {
  /** 40 hex digits. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const MAX_REDIRECTS = 5;
const ANSWER_TIMEOUT_MS = 30_000;
const REPOSITORY = /^[\w.-]{1,96}\/[\w.-]{1,96}$/;

/** What the hub itself says of a refusal, in its header. */
const REFUSALS: Readonly<Record<string, string>> = {
  GatedRepo: "the model is gated: accept its terms on its page, and set HF_TOKEN",
  RepoNotFound: "there is no such model, or it is private: check the name, or set HF_TOKEN",
  RevisionNotFound: "the model has no such revision",
  EntryNotFound: "the model has no such file",
};

export class HubClient {
  readonly #endpoint: URL;
  readonly #token: string | undefined;

  constructor({ endpoint, token }: HubOptions) {
    this.#endpoint = new URL(endpoint.endsWith("/") ? endpoint : `${endpoint}/`);
    this.#token = token;
  }

  /** @param revision - a branch, a tag or a commit. @throws AppError `MODEL_HUB_REFUSED`, `MODEL_HUB_UNREACHABLE` */
  async snapshot(repository: string, revision: string, signal: AbortSignal): Promise<HubSnapshot> {
    if (!REPOSITORY.test(repository)) throw new AppError("MODEL_HUB_REFUSED", "A model on the hub is named owner/name.");
    const info = await this.#json(`api/models/${repository}/revision/${encodeURIComponent(revision)}`, signal);
    const { sha } = info.body as { readonly sha?: unknown };
    if (typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha)) throw strange();
    const files: HubFile[] = [];
    let next: string | undefined = `api/models/${repository}/tree/${sha}?recursive=true`;
    while (next !== undefined) {
      const page: { readonly body: unknown; readonly next: string | undefined } = await this.#json(next, signal);
      if (!Array.isArray(page.body)) throw strange();
      files.push(...page.body.flatMap(toFile));
      next = page.next;
    }
    return { commit: sha, files };
  }

  /**
   * The bytes of a file from `from` on. The answer may begin at 0 all the same: `start` says.
   *
   * @throws AppError `MODEL_HUB_REFUSED`, `MODEL_HUB_UNREACHABLE` (retryable)
   */
  async open(
    { repository, commit, path }: { readonly repository: string; readonly commit: string; readonly path: string },
    from: number,
    signal: AbortSignal,
  ): Promise<{ readonly start: number; readonly bytes: AsyncIterable<Uint8Array> }> {
    const place = `${repository}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
    const response = await this.#get(place, from > 0 ? { range: `bytes=${from}-`, "accept-encoding": "identity" } : { "accept-encoding": "identity" }, signal);
    if (response.body === null) throw strange();
    const range = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "");
    return { start: response.status === 206 ? Number(range?.[1] ?? from) : 0, bytes: response.body };
  }

  async #json(place: string, signal: AbortSignal): Promise<{ readonly body: unknown; readonly next: string | undefined }> {
    const response = await this.#get(place, { accept: "application/json" }, signal);
    const body: unknown = await response.json().catch(() => {
      throw strange();
    });
    return { body, next: /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("link") ?? "")?.[1] };
  }

  /** Redirects are followed here: the token is for the hub, and not for whoever it sends us to. */
  async #get(place: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    let url = new URL(place, this.#endpoint);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const authorization = this.#token !== undefined && url.origin === this.#endpoint.origin ? { authorization: `Bearer ${this.#token}` } : {};
      const response = await request(url, { ...headers, ...authorization }, signal);
      const location = response.headers.get("location");
      if (response.status < 300 || response.status >= 400 || location === null) return accepted(response);
      await response.body?.cancel();
      url = new URL(location, url);
      if (url.protocol !== "https:" && url.protocol !== this.#endpoint.protocol) throw strange();
    }
    throw strange();
  }
}

/** The time limit is for the answer to begin; bytes may take as long as they take, while some come. */
async function request(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_TIMEOUT_MS);
  try {
    return await fetch(url, { headers, redirect: "manual", signal: AbortSignal.any([signal, late.signal]) });
  } catch {
    signal.throwIfAborted();
    throw new AppError("MODEL_HUB_UNREACHABLE", `The hub at ${url.host} can't be reached; check the network, or set HF_ENDPOINT to a mirror.`, {
      retryable: true,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function accepted(response: Response): Promise<Response> {
  if (response.status === 200 || response.status === 206) return response;
  await response.body?.cancel();
  if (response.status === 408 || response.status === 429 || response.status >= 500) {
    throw new AppError("MODEL_HUB_UNREACHABLE", `The hub answers with ${response.status}; try again later.`, { retryable: true });
  }
  const said = REFUSALS[response.headers.get("x-error-code") ?? ""];
  const reason = said ?? (response.status === 401 || response.status === 403 ? "it wants a token: set HF_TOKEN" : `it answers with ${response.status}`);
  throw new AppError("MODEL_HUB_REFUSED", `The hub refuses: ${reason}.`);
}

function strange(): AppError {
  return new AppError("MODEL_HUB_REFUSED", "What answers is not a model hub; check HF_ENDPOINT.");
}

function toFile(entry: unknown): readonly HubFile[] {
  const { type, path, size, oid, lfs } = entry as {
    type?: unknown;
    path?: unknown;
    size?: unknown;
    oid?: unknown;
    lfs?: { oid?: unknown; size?: unknown } | null;
  };
  if (type !== "file" || typeof path !== "string" || typeof size !== "number" || typeof oid !== "string") return [];
  // A path that leads elsewhere is nobody's model file.
  if (!MODEL_FILE_PATH.test(path)) return [];
  const large = typeof lfs?.oid === "string" ? lfs.oid.replace(/^sha256:/, "") : undefined;
  return [{ path, sizeBytes: size, hash: large === undefined ? { kind: "git-sha1", hex: oid } : { kind: "sha256", hex: large } }];
}
