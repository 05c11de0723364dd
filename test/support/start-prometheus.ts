/** Prometheus with the files of `deploy/prometheus`: faster, over other targets, with a key that lies elsewhere. */
import { spawn } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endProcess, freePort } from "./database-program.js";
import { DEPLOY } from "./deployment-files.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";
import { until } from "./until.js";

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusServer {
  readonly url: string;
  /** Where its files lie. */
  readonly directory: string;
  /** Of an instant query. @throws when the expression is faulty */
  query(expr: string): Promise<readonly Sample[]>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  /** Of the role service. */
  readonly key: string;
  /** Addresses by role. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
}

/** Answers already; has scraped nothing yet. */
export async function startPrometheus({ key, targets }: PrometheusOptions): Promise<PrometheusServer> {
  const directory = await makeTemporaryDirectory();
  const [port, keyPath, config] = [await freePort(), join(directory.path, "metrics.key"), join(directory.path, "prometheus.yml")];
  await cp(join(DEPLOY, "prometheus"), directory.path, { recursive: true });
  const text = (await readFile(config, "utf8"))
    .replace("/run/secrets/metrics_key", keyPath)
    .replaceAll("_interval: 15s", "_interval: 1s")
    .replace("localhost:9090", `localhost:${port}`);
  if (!text.includes(keyPath) || !text.includes("scrape_interval: 1s")) throw new Error("prometheus.yml does not look as expected");
  await writeFile(config, text);
  // As `keys create` prints it.
  await writeFile(keyPath, `${key}\n`, { mode: 0o600 });
  const groups = Object.entries(targets).map(([role, addresses]) => ({ targets: addresses, labels: { role } }));
  await mkdir(join(directory.path, "data"));
  await writeFile(join(directory.path, "targets", "openchs-ai.yml"), JSON.stringify(groups));
  const url = `http://127.0.0.1:${port}`;
  const options = [`--config.file=${config}`, `--storage.tsdb.path=${directory.path}/data`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn("prometheus", options, { stdio: "ignore" });
  const answers = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until("Prometheus answers", answers, 20_000, 50);
  return {
    ...{ url, directory: directory.path },
    async query(expr) {
      const response = await fetch(`${url}/api/v1/query`, { method: "POST", body: new URLSearchParams({ query: expr }) });
      const body = (await response.json()) as {
        error?: string;
        data?: { result: readonly { metric: Record<string, string>; value: readonly [number, string] }[] };
      };
      if (body.data === undefined) throw new Error(`${expr}: ${body.error}`);
      return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async stop() {
      await endProcess(child, "SIGTERM");
      await directory.remove();
    },
  };
}
