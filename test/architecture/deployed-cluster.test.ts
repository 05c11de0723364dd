/** The Kubernetes files: every name, port, setting, probe and selector in them fits something that is there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dutiesOf, PROCESS_ROLES, type ProcessRole } from "../../src/app/roles/process-role.js";
import type { Config } from "../../src/config/config-schema.js";
import { loadConfig } from "../../src/config/load-config.js";
import { SETTINGS } from "../../src/config/settings.js";
import { createMetrics } from "../../src/observability/metrics.js";
import { podsOf, type Resource, readCluster, readResources } from "../support/deployed-cluster.js";
import { RULES_FILE, readSelectors } from "../support/deployed-queries.js";
import { DEPLOY, readDockerfile, readYaml } from "../support/deployment-files.js";
import { ROOT } from "../support/source-tree.js";

const cluster = readCluster("kubernetes/overlays/example");
const { resources, settings, secrets } = cluster;
const pods = podsOf(resources);
const jobs = podsOf(readResources("kubernetes/models/job.yaml"));
const ofKind = (kind: string): readonly Resource[] => resources.filter((resource) => resource.kind === kind);
const named = (kind: string, name: string): Resource | undefined => ofKind(kind).find(({ metadata }) => metadata.name === name);
const STORES = { DATABASE_URL: "postgres://openchs:x@postgres.example/openchs", REDIS_URL: "redis://redis.example" };

/** All that a container is told. */
function configOf({ envFrom = [] }: (typeof pods)[number]["pod"]["containers"][number]): Config {
  const env = envFrom.map(({ configMapRef, secretRef }) =>
    configMapRef === undefined ? (secretRef?.name === "openchs-stores" ? STORES : {}) : settings.get(configMapRef.name),
  );
  return loadConfig({ env: Object.assign({}, ...env) as Record<string, string> });
}

const fits = (selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

describe("the pods", () => {
  it("run every role that shares its data, with settings that exist, load, and are all it needs", () => {
    const roles = pods.map(({ pod }) => pod.containers[0]?.args?.[0]);
    expect(new Set(roles)).toEqual(new Set(PROCESS_ROLES.filter((role) => role !== "serve")));
    const names = [...settings.values()].flatMap((each) => Object.keys(each));
    expect(names.length).toBeGreaterThan(8);
    expect(
      [...names, ...jobs.flatMap(({ pod }) => pod.containers.flatMap(({ env = [] }) => env.map(({ name }) => name)))].filter(
        (name) => !Object.hasOwn(SETTINGS, name),
      ),
    ).toEqual([]);
    for (const { pod } of pods)
      for (const container of pod.containers) {
        expect(dutiesOf(container.args?.[0] as ProcessRole, configOf(container)).isShared).toBe(true);
      }
  });

  it("mount a volume wherever their settings point, and declare what they mount", () => {
    for (const { pod, resource } of [...pods, ...jobs]) {
      const declared = pod.volumes.map(({ name }) => name);
      for (const { volumeMounts, name } of [...(pod.initContainers ?? []), ...pod.containers])
        expect(
          volumeMounts.map((mount) => mount.name).filter((mount) => !declared.includes(mount)),
          `${resource.metadata.name} ${name}`,
        ).toEqual([]);
      for (const { persistentVolumeClaim: claim } of pod.volumes)
        if (claim !== undefined) expect(named("PersistentVolumeClaim", claim.claimName), claim.claimName).toBeDefined();
      for (const { secret } of pod.volumes) if (secret !== undefined) expect([...secrets.keys()]).toContain(secret.secretName);
    }
    for (const { pod } of pods)
      for (const container of pod.containers) {
        const { dataDirectory, audioStore, inference, security } = configOf(container);
        const places = container.volumeMounts.map(({ mountPath }) => mountPath);
        for (const place of [dataDirectory, (audioStore.url ?? "").replace("file:", ""), inference.modelsDirectory, "/tmp"]) expect(places).toContain(place);
        expect(places.some((place) => security.masterKeyFile?.startsWith(`${place}/`))).toBe(true);
        for (const { configMapRef, secretRef } of container.envFrom ?? [])
          expect([...settings.keys(), ...secrets.keys()]).toContain(configMapRef?.name ?? secretRef?.name);
      }
    for (const claim of ofKind("PersistentVolumeClaim")) expect(claim.spec.accessModes).toEqual(["ReadWriteMany"]);
  });

  it("copy the master key to where it is theirs alone, from a secret that their group may read", () => {
    for (const { pod } of pods) {
      const [copying] = pod.initContainers ?? [];
      const [program, flag, mode, from = "", to = ""] = copying?.command ?? [];
      expect([program, flag, mode]).toEqual(["install", "-m", "0400"]);
      const volumeAt = (container: typeof copying, path: string): string | undefined =>
        container?.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`))?.name;
      const secret = pod.volumes.find(({ name }) => name === volumeAt(copying, from))?.secret;
      expect(secret?.defaultMode).toBe(0o440);
      expect(secrets.get(secret?.secretName ?? "")).toContain(from.split("/").at(-1));
      const [container] = pod.containers;
      const keyFile = container === undefined ? "" : (configOf(container).security.masterKeyFile ?? "");
      expect(volumeAt(container, keyFile)).toBe(volumeAt(copying, to));
      expect(keyFile.split("/").at(-1)).toBe(to.split("/").at(-1));
    }
  });

  it("ask for health where the gateway tells it without credentials, on the port it listens on", () => {
    const open = (JSON.parse(readFileSync(join(ROOT, "docs/openapi.json"), "utf8")) as { paths: Record<string, { get?: { security?: unknown[] } }> }).paths;
    for (const { pod } of pods)
      for (const container of pod.containers) {
        const ports = new Map(container.ports?.map(({ name, containerPort }) => [name, containerPort]));
        const config = configOf(container);
        expect(config.gateway.host).toBe("0.0.0.0");
        expect(ports.get("http")).toBe(config.gateway.port);
        expect(ports.get("exchange")).toBe(container.args?.[0] === "stream" ? config.telephony.port : undefined);
        const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
        for (const probe of probes) {
          expect(open[probe?.httpGet.path ?? ""]?.get?.security).toEqual([]);
          expect(ports.has(probe?.httpGet.port ?? "")).toBe(true);
        }
        expect(probes.map((probe) => probe?.httpGet.path)).toEqual(["/health/live", "/health/ready", "/health/live"]);
        expect(pod.terminationGracePeriodSeconds ?? 0).toBeGreaterThan((config.shutdownDeadlineMs + config.telephony.drainMs) / 1000 + 5);
      }
  });

  it("have no rights, nothing to write to but volumes, no variables of Kubernetes' own, and limits", () => {
    const user = readDockerfile("image/Dockerfile")
      .find(({ stage, name }) => stage === "service" && name === "USER")
      ?.text.split(":")
      .map(Number);
    for (const { pod, resource } of [...pods, ...jobs]) {
      const { securityContext, enableServiceLinks, automountServiceAccountToken } = pod;
      expect(securityContext, resource.file).toMatchObject({
        runAsNonRoot: true,
        runAsUser: user?.[0],
        runAsGroup: user?.[1],
        fsGroup: user?.[1],
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect({ enableServiceLinks, automountServiceAccountToken }).toEqual({ enableServiceLinks: false, automountServiceAccountToken: false });
      for (const { securityContext: locked, resources: asked } of [...(pod.initContainers ?? []), ...pod.containers]) {
        expect(locked).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
        expect([asked.requests["cpu"], asked.requests["memory"], asked.limits["memory"]]).not.toContain(undefined);
      }
    }
  });

  it("are of images that the overlay names, and only the one with a GPU asks for one", () => {
    const images = new Map(cluster.kustomizations[0]?.images?.map(({ name, newTag }) => [name, newTag]));
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    for (const { pod } of pods) {
      for (const { image } of [...(pod.initContainers ?? []), ...pod.containers]) expect(images.get(image)?.startsWith(version), image).toBe(true);
      const isGpu = pod.containers[0]?.args?.includes("cuda") === true;
      expect(pod.containers[0]?.resources.limits["nvidia.com/gpu"] !== undefined).toBe(isGpu);
      expect(pod.containers[0]?.image.endsWith("-cuda")).toBe(isGpu);
    }
    // An image that a lower level renames already is not found by its name above.
    expect(cluster.kustomizations.slice(1).filter((each) => each.images !== undefined)).toEqual([]);
  });
});

describe("what stands around the pods", () => {
  it("selects pods that there are, on ports that they have", () => {
    for (const { resource, labels } of pods) expect(fits(resource.spec.selector.matchLabels, labels)).toBe(true);
    for (const service of ofKind("Service")) {
      const selected = pods.filter(({ labels }) => fits(service.spec.selector, labels));
      expect(selected.length, service.metadata.name).toBe(1);
      const names = selected.flatMap(({ pod }) => pod.containers.flatMap(({ ports = [] }) => ports));
      for (const { port, targetPort } of service.spec.ports) expect(names).toContainEqual({ name: targetPort, containerPort: port });
    }
    for (const stateful of ofKind("StatefulSet")) expect(named("Service", stateful.spec.serviceName)?.spec.clusterIP).toBe("None");
    for (const budget of ofKind("PodDisruptionBudget"))
      expect(
        pods.some(({ labels }) => fits(budget.spec.selector.matchLabels, labels)),
        budget.metadata.name,
      ).toBe(true);
    for (const role of ["api", "worker", "stream"]) expect(named("PodDisruptionBudget", `openchs-${role}`)).toBeDefined();
  });

  it("brings both legs of a call to one stream: from stream to stream, and by the call's id over WebSocket", () => {
    expect(named("Service", "openchs-stream")?.spec.externalTrafficPolicy).toBe("Local");
    const legs = named("NetworkPolicy", "openchs-legs")?.spec;
    const streams = [{ podSelector: legs.podSelector }];
    const ports = [{ protocol: "TCP", port: 8301 }];
    expect([legs.ingress, legs.egress]).toEqual([[{ from: streams, ports }], [{ to: streams, ports }]]);
    const media = ofKind("Ingress").find(({ spec }) => spec.rules[0].http.paths[0].path === "/media") as Resource & {
      metadata: { annotations: Record<string, string> };
    };
    expect(media.metadata.annotations["nginx.ingress.kubernetes.io/upstream-hash-by"]).toBe("$uri$arg_call_id");
    for (const { spec } of ofKind("Ingress")) {
      for (const { backend } of spec.rules[0].http.paths) {
        const ports = named("Service", backend.service.name)?.spec.ports as readonly { name: string }[] | undefined;
        expect(ports?.map(({ name }) => name)).toContain(backend.service.port.name);
      }
      expect([...secrets.keys()]).toContain(spec.tls[0].secretName);
    }
  });

  it("shuts everything by default, and opens ports that something listens on to pods that there are", () => {
    const [nothing, ...rules] = ofKind("NetworkPolicy");
    expect(nothing?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(rules.length).toBeGreaterThan(3);
    for (const { spec, metadata } of rules) {
      const selected = pods.filter(({ labels }) => fits(spec.podSelector.matchLabels, labels));
      expect(selected.length, metadata.name).toBeGreaterThan(0);
      const listened = selected.flatMap(({ pod }) => pod.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)));
      for (const { ports } of spec.ingress ?? []) for (const { port } of ports) expect(listened).toContain(port);
    }
  });

  it("scales what there is by metrics that there are, and never takes a stream away", async () => {
    const known = new Set((await createMetrics().names()).map(({ name }) => name));
    const objects = ofKind("ScaledObject");
    expect(objects.map(({ metadata }) => metadata.name).sort()).toEqual(["openchs-stream", "openchs-worker", "openchs-worker-gpu"]);
    for (const { spec, metadata } of objects) {
      const target = named(spec.scaleTargetRef.kind ?? "Deployment", spec.scaleTargetRef.name);
      expect(target, metadata.name).toBeDefined();
      for (const { metadata: trigger } of spec.triggers) {
        const metrics = readSelectors(trigger.query).map(({ metric }) => metric.replace(/_bucket$/, ""));
        expect(metrics.length).toBeGreaterThan(0);
        expect(metrics.filter((metric) => !known.has(metric))).toEqual([]);
        expect(Number(trigger.threshold)).toBeGreaterThan(0);
      }
      // Who counts replicas beside KEDA takes back what it did.
      const patched = cluster.kustomizations
        .flatMap(({ patches = [] }) => patches)
        .some(({ target: at, patch }) => at.name === target?.metadata.name && patch.includes("/spec/replicas"));
      expect(target?.spec.replicas === undefined || patched, metadata.name).toBe(true);
    }
    expect(named("ScaledObject", "openchs-stream")?.spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.selectPolicy).toBe("Disabled");
  });

  it("is watched by the same rules as elsewhere, with a key from a secret", () => {
    expect(named("PrometheusRule", "openchs-ai")?.spec).toEqual(readYaml(RULES_FILE));
    const [endpoint] = named("PodMonitor", "openchs-ai")?.spec.podMetricsEndpoints ?? [];
    expect(secrets.get(endpoint.authorization.credentials.name)).toContain(endpoint.authorization.credentials.key);
    expect(endpoint.path).toBe("/metrics");
    const role = endpoint.relabelings.find((each: { targetLabel: string }) => each.targetLabel === "role");
    const components = pods.map(({ labels }) => labels["app.kubernetes.io/component"] ?? "");
    const roles = components.map((component) => new RegExp(`^(?:${role.regex})$`).exec(component)?.[1]);
    expect(roles).toEqual(pods.map(({ pod }) => pod.containers[0]?.args?.[0]));
  });

  it("keeps generated names as they are, lists every file, and lets no secret into git", () => {
    const isGenerating = cluster.kustomizations.filter(
      ({ configMapGenerator, secretGenerator }) => configMapGenerator !== undefined || secretGenerator !== undefined,
    );
    expect(isGenerating.map(({ generatorOptions }) => generatorOptions?.disableNameSuffixHash)).toEqual(isGenerating.map(() => true));
    for (const { folder } of cluster.kustomizations) expect(existsSync(join(DEPLOY, folder, "kustomization.yaml"))).toBe(true);
    const ignored = readFileSync(join(DEPLOY, "kubernetes/overlays/example/.gitignore"), "utf8").split("\n");
    for (const file of [...secrets.values()].flat()) expect(ignored).toContain(`*.${file.split(".").at(-1)}`);
    const ids = resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
