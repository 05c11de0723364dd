/** Prometheus, its rules and Grafana's dashboards: every metric, label and name they use exists. */
import { describe, expect, it } from "vitest";
import { PROCESS_ROLES } from "../../src/app/roles/process-role.js";
import { WORK_STATUSES } from "../../src/core/call.js";
import { createMetrics } from "../../src/observability/metrics.js";
import { QUEUE_NAMES } from "../../src/queue/queue-backend.js";
import { isGranted } from "../../src/security/permissions.js";
import { DASHBOARD_FILES, RULE_TESTS_FILE, readAlertRules, readGroupings, readPanelQueries, readPanels, readSelectors } from "../support/deployed-queries.js";
import { readDeployed, readYaml } from "../support/deployment-files.js";

interface DeclaredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

const ours: readonly DeclaredMetric[] = await declaredMetrics();
/** What Prometheus adds by the files in `targets`, and what a histogram has. */
const ADDED_LABELS = ["job", "role", "instance", "le"];
/** Words that labels take and no help text lists. */
const CLOSED_WORDS = [...PROCESS_ROLES, ...QUEUE_NAMES, ...WORK_STATUSES, "delayed", "openchs-ai", "GET", "5xx"];

async function declaredMetrics(): Promise<readonly DeclaredMetric[]> {
  const metrics = createMetrics();
  const types = new Map((await metrics.names()).map(({ name, type }) => [name, type]));
  return Object.values(metrics)
    .filter((metric): metric is typeof metric & DeclaredMetric => typeof metric === "object" && "labelNames" in metric)
    .map(({ name, help, labelNames }) => ({ name, help, labelNames, type: types.get(name) ?? "" }));
}

const metricOf = (name: string): DeclaredMetric | undefined =>
  ours.find((metric) => metric.name === name || (metric.type === "histogram" && ["bucket", "sum", "count"].some((end) => name === `${metric.name}_${end}`)));

const NODE_METRICS = [
  "process_open_fds",
  "process_max_fds",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "nodejs_eventloop_lag_p99_seconds",
  "up",
];

function faultsOf(expr: string): readonly string[] {
  const selectors = readSelectors(expr);
  const known = selectors.flatMap(({ metric }) => metricOf(metric)?.labelNames ?? []);
  return [
    ...(selectors.length === 0 ? [`${expr} names no metric`] : []),
    ...selectors.filter(({ metric }) => metricOf(metric) === undefined && !NODE_METRICS.includes(metric)).map(({ metric }) => `${metric} does not exist`),
    ...selectors.flatMap(({ metric, labels }) =>
      labels.flatMap(({ name, values }) => [
        ...([...(metricOf(metric)?.labelNames ?? []), ...ADDED_LABELS].includes(name) ? [] : [`${metric} has no label ${name}`]),
        ...(name === "route" ? [] : values)
          .filter((value) => !CLOSED_WORDS.includes(value) && !new RegExp(`\\b${value}\\b`).test(metricOf(metric)?.help ?? ""))
          .map((value) => `${metric}: ${name} is never ${value}`),
      ]),
    ),
    ...readGroupings(expr)
      .filter((name) => ![...known, ...ADDED_LABELS].includes(name))
      .map((name) => `${expr} groups by ${name}, which nothing in it has`),
  ];
}

describe("the rules of Prometheus", () => {
  const rules = readAlertRules();

  it("ask only for metrics, labels and values that exist", () => {
    expect(rules.length).toBeGreaterThan(15);
    expect(rules.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it("say of each alert how urgent it is, what happened and what to do", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const { alert, labels, annotations } of rules) {
      expect(["page", "warning"], alert).toContain(labels["severity"]);
      expect(Object.keys(annotations).sort(), alert).toEqual(["action", "summary"]);
    }
  });

  it("have a case each in which they fire, and one in which none does", () => {
    const cases = readYaml<{
      tests: readonly { name: string; promql_expr_test: readonly { expr: string; exp_samples: readonly { labels: string }[] }[] }[];
    }>(RULE_TESTS_FILE).tests;
    const firing = cases.map(({ name, promql_expr_test: checks }) => ({ name, expected: checks.flatMap(({ exp_samples: samples }) => samples) }));
    for (const { alert } of rules) {
      const own = firing.filter(({ name }) => name.split(":")[0] === alert);
      expect(own.length, alert).toBeGreaterThan(0);
      for (const { expected } of own) expect(expected.map(({ labels }) => labels)).toContain(`{alertname="${alert}"}`);
    }
    expect(firing.filter(({ expected }) => expected.length === 0).map(({ name }) => name)).toEqual(["all is well"]);
    // Every check looks at all alerts, so that one that fires beside the expected is seen.
    expect(new Set(cases.flatMap(({ promql_expr_test: checks }) => checks.map(({ expr }) => expr)))).toEqual(
      new Set(['count by (alertname) (ALERTS{alertstate="firing"})']),
    );
  });

  it("are looked at with series of metrics that exist, also when all is well", () => {
    const series = [...readDeployed(RULE_TESTS_FILE).matchAll(/series: '([^']+)'/g)].map(([, text]) => text ?? "");
    expect(series.length).toBeGreaterThan(50);
    expect(series.flatMap((text) => readSelectors(text).filter(({ metric }) => metricOf(metric) === undefined && !NODE_METRICS.includes(metric)))).toEqual([]);
    const well = readDeployed(RULE_TESTS_FILE).split("  - name: ")[1] ?? "";
    const asked = new Set(rules.flatMap(({ expr }) => readSelectors(expr).map(({ metric }) => metric)));
    expect([...asked].filter((metric) => !well.includes(`'${metric}{`))).toEqual([]);
  });
});

describe("the dashboards of Grafana", () => {
  const queries = readPanelQueries();

  it("query only metrics, labels and values that exist", () => {
    expect(queries.length).toBeGreaterThan(30);
    expect(queries.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it("show every metric of the product", () => {
    const shown = new Set(queries.flatMap(({ expr }) => readSelectors(expr).map(({ metric }) => metricOf(metric)?.name)));
    expect(ours.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it("have panels with numbers and places of their own, over the source that is provisioned", () => {
    const [source] = readYaml<{ datasources: readonly { uid: string; type: string; url: string }[] }>(
      "grafana/provisioning/datasources/prometheus.yml",
    ).datasources;
    expect(source).toMatchObject({ type: "prometheus", url: "http://prometheus:9090" });
    for (const file of DASHBOARD_FILES) {
      const panels = readPanels(file);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const uids = panels.flatMap(({ datasource, targets = [] }) => [datasource?.uid, ...targets.map((target) => target.datasource.uid)]);
      expect(new Set(uids.filter((uid) => uid !== undefined))).toEqual(new Set([source?.uid]));
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
      );
      expect(new Set(cells).size, `${file}: panels lie on one another`).toBe(cells.length);
      expect(panels.filter(({ type, title, targets = [] }) => title === "" || (type !== "row" && targets.length === 0))).toEqual([]);
    }
  });

  it("lie where Grafana is told to look", () => {
    const compose = readYaml<{ services: { grafana: { volumes: readonly string[]; environment: Readonly<Record<string, string>> } } }>("compose/compose.yaml");
    const { volumes, environment } = compose.services.grafana;
    const provider = readYaml<{ providers: readonly { options: { path: string } }[] }>("grafana/provisioning/dashboards/openchs-ai.yml").providers[0];
    expect(volumes).toContain(`../grafana/dashboards:${provider?.options.path}:ro`);
    expect(volumes).toContain(`../grafana/provisioning:${environment["GF_PATHS_PROVISIONING"]}:ro`);
    const home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]?.split("/").at(-1);
    expect(DASHBOARD_FILES.map((file) => file.split("/").at(-1))).toContain(home);
  });
});

describe("what Prometheus scrapes", () => {
  const config = readYaml<{
    rule_files: readonly string[];
    scrape_configs: readonly { job_name: string; authorization?: { credentials_file: string }; metrics_path?: string }[];
  }>("prometheus/prometheus.yml");
  const compose = readYaml<{
    services: Record<
      string,
      { command?: readonly string[]; image: string; profiles?: readonly string[]; secrets?: readonly string[]; volumes?: readonly string[] }
    >;
  }>("compose/compose.yaml");

  it("is every process of the Compose file, under its role", () => {
    const targets = readYaml<readonly { targets: readonly string[]; labels: { role: string } }[]>("prometheus/targets/openchs-ai.yml");
    const told = targets.flatMap(({ targets: hosts, labels }) => hosts.map((host) => `${labels.role} ${host}`));
    const run = Object.entries(compose.services).filter(([, { image, profiles }]) => image.startsWith("openchs-ai") && profiles === undefined);
    expect(told.sort()).toEqual(run.map(([name, { command = [] }]) => `${command[0]} ${name}:8125`).sort());
  });

  it("is asked for with a key of the role service, which may read metrics", () => {
    const job = config.scrape_configs.find(({ job_name: name }) => name === "openchs-ai");
    expect(job?.metrics_path ?? "/metrics").toBe("/metrics");
    expect(isGranted("service", "metrics:read")).toBe(true);
    expect(compose.services["prometheus"]?.secrets?.map((name) => `/run/secrets/${name}`)).toContain(job?.authorization?.credentials_file);
    for (const [kind, path] of [
      ["rules", "../prometheus/rules:/etc/prometheus/rules:ro"],
      ["targets", "../prometheus/targets:/etc/prometheus/targets:ro"],
    ] as const) {
      expect(compose.services["prometheus"]?.volumes).toContain(path);
      expect(readDeployed("prometheus/prometheus.yml")).toContain(`${kind}/*.yml`);
    }
  });
});
