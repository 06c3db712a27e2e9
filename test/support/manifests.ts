import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { packageRoot } from "../../src/io/package-root.ts";

const LabelsSchema = z.record(z.string(), z.string());
const PortSchema = z.union([z.string(), z.number()]);
const SelectorSchema = z.looseObject({ matchLabels: LabelsSchema.default({}) });

const ProbeSchema = z.looseObject({
  httpGet: z.looseObject({ path: z.string(), port: PortSchema }).optional(),
  grpc: z.looseObject({ port: PortSchema }).optional(),
  tcpSocket: z.looseObject({ port: PortSchema }).optional(),
});

const SecuritySchema = z.looseObject({
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  readOnlyRootFilesystem: z.boolean().optional(),
  capabilities: z.looseObject({ drop: z.array(z.string()).default([]) }).default({ drop: [] }),
  seccompProfile: z.looseObject({ type: z.string() }).optional(),
});

const ContainerSchema = z.looseObject({
  name: z.string(),
  /** "" where somebody else says it, as Istio does of `auto`. */
  image: z
    .string()
    .default("")
    .transform((image) => (image === "auto" ? "" : image)),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).default([]),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  envFrom: z.array(z.looseObject({ configMapRef: z.looseObject({ name: z.string() }) })).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).default([]),
  securityContext: SecuritySchema.optional(),
  startupProbe: ProbeSchema.optional(),
  livenessProbe: ProbeSchema.optional(),
  readinessProbe: ProbeSchema.optional(),
});

const PodSchema = z.looseObject({
  terminationGracePeriodSeconds: z.number().default(30),
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().default(true),
  securityContext: SecuritySchema.optional(),
  initContainers: z.array(ContainerSchema).default([]),
  containers: z.array(ContainerSchema),
  volumes: z.array(z.looseObject({ name: z.string() })).default([]),
  topologySpreadConstraints: z.array(z.looseObject({ labelSelector: SelectorSchema })).default([]),
});

const MetadataSchema = z.looseObject({
  name: z.string().default(""),
  namespace: z.string().optional(),
  labels: LabelsSchema.default({}),
});

const ManifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: MetadataSchema,
  data: z.record(z.string(), z.string()).default({}),
  spec: z.unknown().optional(),
});

const WorkloadSpecSchema = z.looseObject({
  selector: SelectorSchema.default({ matchLabels: {} }),
  template: z.looseObject({ metadata: MetadataSchema, spec: PodSchema }),
  volumeClaimTemplates: z.array(z.looseObject({ metadata: MetadataSchema })).default([]),
});

/** Envoy's pods as Envoy Gateway is told of them. */
const EnvoyProxySchema = z.looseObject({
  provider: z.looseObject({
    kubernetes: z.looseObject({
      envoyDeployment: z.looseObject({ container: z.looseObject({}), pod: z.looseObject({}), initContainers: z.array(z.unknown()) }),
    }),
  }),
});

export type Manifest = z.infer<typeof ManifestSchema>;
export type Container = z.infer<typeof ContainerSchema>;

/** What runs pods. */
export interface Workload {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Labels of its pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: z.infer<typeof PodSchema>;
  readonly containers: readonly Container[];
  /** True where a container is left to somebody else, and with it what the whole pod is. */
  readonly isOthers: boolean;
  /** Names of volumes that its containers may mount. */
  readonly volumes: readonly string[];
}

/** Rendered manifests that are committed: name → text. */
export const goldens = (): [name: string, text: string][] =>
  ["helm", "kustomize"].flatMap((tool) => {
    const folder = join(packageRoot(), "test", "deploy", "golden", tool);
    return readdirSync(folder).map((file): [string, string] => [`${tool}/${file}`, readFileSync(join(folder, file), "utf8")]);
  });

/** All objects of a stream of YAML documents. Throws where one is no object of Kubernetes. */
export const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap((document) => {
    const value: unknown = document.toJS();
    return value === null ? [] : [ManifestSchema.parse(value)];
  });

const WORKLOADS = new Set(["Deployment", "DaemonSet", "StatefulSet"]);
const PATCH = "patch.yaml";

/** Everything that runs pods, a patch for somebody else's among it. */
export const workloadsOf = (manifests: readonly Manifest[]): Workload[] =>
  manifests.flatMap(({ kind, metadata, spec, data }) => {
    if (WORKLOADS.has(kind)) return [workload(metadata.name, spec)];
    if (kind === "Pod") return [workload(metadata.name, { template: { metadata, spec } })];
    if (kind === "EnvoyProxy") return [workload(metadata.name, podsOfEnvoyProxy(spec))];
    const patch = data[PATCH];
    return patch === undefined ? [] : [workload(metadata.name, patchSpec(patch))];
  });

/** The `spec` of a patch for a Deployment. */
export const patchSpec = (text: string): unknown => z.looseObject({ spec: z.unknown() }).parse(parse(text)).spec;

function podsOfEnvoyProxy(spec: unknown): object {
  const { container, pod, initContainers } = EnvoyProxySchema.parse(spec).provider.kubernetes.envoyDeployment;
  return { template: { metadata: pod, spec: { ...pod, initContainers, containers: [{ name: "envoy", ...container }] } } };
}

function workload(name: string, spec: unknown): Workload {
  const { selector, template, volumeClaimTemplates } = WorkloadSpecSchema.parse(spec);
  const pod = template.spec;
  const containers = [...pod.initContainers, ...pod.containers];
  return {
    name,
    selector: selector.matchLabels,
    labels: template.metadata.labels,
    pod,
    containers,
    isOthers: containers.some(({ image }) => image === ""),
    volumes: [...pod.volumes.map((volume) => volume.name), ...volumeClaimTemplates.map(({ metadata }) => metadata.name)],
  };
}

/** True where all of the selector's labels are there. */
export const selects = (selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector).every(([label, value]) => labels[label] === value);
