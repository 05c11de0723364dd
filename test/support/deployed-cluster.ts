/** The Kubernetes files as kustomize would put them together: what lies in the base and the components of an overlay. */
import { existsSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import { DEPLOY, readAssignments, readDeployed, readYaml, readYamlDocuments } from "./deployment-files.js";

export interface Metadata {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string }; readonly secretRef?: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext: { readonly allowPrivilegeEscalation: boolean; readonly readOnlyRootFilesystem: boolean; readonly capabilities: object };
  readonly resources: { readonly requests: Readonly<Record<string, string>>; readonly limits: Readonly<Record<string, string>> };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface PodSpec {
  readonly enableServiceLinks: boolean;
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string; readonly defaultMode: number };
    readonly persistentVolumeClaim?: { readonly claimName: string };
    readonly emptyDir?: object;
  }[];
}

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  // biome-ignore lint/suspicious/noExplicitAny: as many shapes as there are kinds
  readonly spec: any;
  readonly file: string;
}

interface Generator {
  readonly name: string;
  readonly behavior?: string;
  readonly envs?: readonly string[];
  readonly files?: readonly string[];
  readonly literals?: readonly string[];
}

interface Kustomization {
  readonly kind: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
  readonly generatorOptions?: { readonly disableNameSuffixHash?: boolean };
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
  readonly patches?: readonly { readonly target: { readonly kind: string; readonly name?: string }; readonly patch: string }[];
}

export interface Cluster {
  readonly resources: readonly Resource[];
  readonly settings: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** By name, the keys of each. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
  readonly kustomizations: readonly (Kustomization & { readonly folder: string })[];
}

/** @throws when a file or folder that is named is not there */
export function readCluster(folder: string): Cluster {
  const kustomizations = collect(normalize(folder));
  const resources = kustomizations.flatMap(({ folder: at, resources: names = [] }) =>
    names.filter((name) => name.endsWith(".yaml")).flatMap((name) => readResources(join(at, name))),
  );
  const settings = new Map<string, Record<string, string>>();
  // The base comes first, what an overlay merges into it last.
  for (const { folder: at, configMapGenerator = [] } of [...kustomizations].reverse())
    for (const { name, envs = [], literals = [] } of configMapGenerator)
      settings.set(name, {
        ...settings.get(name),
        ...Object.assign({}, ...envs.map((env) => readEnvFile(join(at, env)))),
        ...readAssignments(literals.join(" ")),
      });
  const secrets = new Map(
    kustomizations.flatMap(({ secretGenerator = [] }) => secretGenerator.map(({ name, files = [], envs = [] }) => [name, [...files, ...envs]] as const)),
  );
  return { resources, settings, secrets, kustomizations };
}

export const readResources = (file: string): readonly Resource[] => readYamlDocuments<Omit<Resource, "file">>(file).map((resource) => ({ ...resource, file }));

function collect(folder: string): readonly (Kustomization & { readonly folder: string })[] {
  const kustomization = readYaml<Kustomization>(join(folder, "kustomization.yaml"));
  const folders = [...(kustomization.resources ?? []), ...(kustomization.components ?? [])]
    .map((name) => join(folder, name))
    .filter((path) => {
      if (!existsSync(join(DEPLOY, path))) throw new Error(`${folder} names ${path}, which is not there`);
      return statSync(join(DEPLOY, path)).isDirectory();
    });
  return [{ ...kustomization, folder }, ...folders.flatMap(collect)];
}

function readEnvFile(file: string): Readonly<Record<string, string>> {
  const lines = readDeployed(file)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** Pods of whatever makes them. */
export const podsOf = (
  resources: readonly Resource[],
): readonly { readonly resource: Resource; readonly labels: Readonly<Record<string, string>>; readonly pod: PodSpec }[] =>
  resources
    .filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind))
    .map((resource) => ({ resource, labels: resource.spec.template.metadata.labels, pod: resource.spec.template.spec as PodSpec }));
