/** The PromQL that lies in `deploy/`: rules, panels, scalers. Names and labels are read off it, nothing is evaluated. */
import { readYaml } from "./deployment-files.js";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

export const RULES_FILE = "prometheus/rules/openchs-ai.yml";
export const RULE_TESTS_FILE = "prometheus/tests/openchs-ai.yml";
export const DASHBOARD_FILES = ["grafana/dashboards/helpline.json", "grafana/dashboards/service.json"];

export const readAlertRules = (): readonly AlertRule[] =>
  readYaml<{ groups: readonly { rules: readonly AlertRule[] }[] }>(RULES_FILE).groups.flatMap(({ rules }) => rules);

/** Panels of a dashboard; JSON is YAML. */
export const readPanels = (file: string): readonly Panel[] => readYaml<{ panels: readonly Panel[] }>(file).panels;

export interface PanelQuery {
  readonly panel: string;
  readonly expr: string;
}

export const readPanelQueries = (): readonly PanelQuery[] =>
  DASHBOARD_FILES.flatMap((file) => readPanels(file).flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ panel: `${file}: ${title}`, expr }))));

export interface Selector {
  /** With `_bucket` and its like. */
  readonly metric: string;
  readonly labels: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** Every metric of ours, or of Node's, that an expression names. */
export const readSelectors = (expr: string): readonly Selector[] =>
  [...expr.matchAll(/\b((?:helpline|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g)].map(([, metric = "", labels = ""]) => ({
    metric,
    labels: [...labels.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].map(([, name = "", value = ""]) => ({ name, values: value.split("|") })),
  }));

/** Labels by which an expression groups. */
export const readGroupings = (expr: string): readonly string[] =>
  [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(",").map((name) => name.trim()));
