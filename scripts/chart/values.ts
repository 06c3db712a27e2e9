import { z } from "zod";
import { LOG_LEVELS } from "../../src/io/log-levels.ts";

/** A part of Kubernetes' own API, which its server checks. */
const mapping = z.record(z.string(), z.unknown());
const mappings = z.array(mapping).default([]);
const texts = z.record(z.string(), z.string()).default({});
const text = z.string().default("");
const name = z.string().min(1);
const duration = /^(\d+(ms|s|m|h))?$/;
const prometheusUrl = z
  .string()
  .regex(/^(https?:\/\/\S+)?$/)
  .default("");

const secretFile = (key: string, what: string) =>
  z.strictObject({
    existingSecret: text.describe(`Secret with ${what}; none when empty.`),
    key: name.default(key).describe("Key in it."),
  });

const secretFolder = (what: string) =>
  z.strictObject({ existingSecret: text.describe(`Secret with a key for each secret of ${what}; none when empty.`) });

const budget = z.strictObject({
  enabled: z.boolean().default(true).describe("Make one, where there is more than one replica."),
  maxUnavailable: z
    .union([z.int().min(1), z.string().regex(/^\d{1,2}%$/)])
    .default(1)
    .describe("Pods that may be away at a time, or a percentage."),
});

/** What either part's pods take. */
const pod = (resources: object) => ({
  extraArgs: z.array(z.string()).default([]).describe("More flags; `serin help` names them."),
  extraEnv: mappings.describe("More environment variables, like `OTEL_EXPORTER_OTLP_ENDPOINT`."),
  extraVolumes: mappings.describe("More volumes of the pods."),
  extraVolumeMounts: mappings.describe("Where they are mounted."),
  resources: mapping.default({ ...resources }).describe("Requests and limits. A limit of CPU delays decisions."),
  podAnnotations: texts.describe("Annotations of the pods."),
  podLabels: texts.describe("More labels of the pods."),
  priorityClassName: text.describe("Priority class of the pods."),
  nodeSelector: texts.describe("Nodes that the pods may run on."),
  tolerations: mappings.describe("Taints that the pods bear."),
  affinity: mapping.default({}).describe("Affinity of the pods."),
});

const spread = mappings.describe("How pods spread; over nodes where possible when empty.");

const kubernetes = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe("Look at Kubernetes (`--kubernetes`): mounts the account's token, and makes a Role and a RoleBinding for each namespace."),
  namespaces: z
    .array(name)
    .default([])
    .describe("Namespaces that rollouts name; they must be there. Endpoints and pods are read there, and Events written."),
});

const controller = z.strictObject({
  replicas: z.int().min(1).max(9).default(2).describe("One leads, the others stand by."),
  tokens: secretFile("tokens", "who may use the HTTP API and the page, lines of `serin token`"),
  publicUrl: z
    .string()
    .regex(/^(https?:\/\/\S+)?$/)
    .default("")
    .describe("Where people reach the page; messages link there."),
  prometheus: z.strictObject({
    url: prometheusUrl.describe("Judge by what this Prometheus scrapes of the sidecars, in place of the counts that they send."),
    every: z.string().regex(duration).default("").describe("How often it is asked: the interval of its scrapes; 5s when empty."),
  }),
  checks: z.strictObject({
    prometheusUrl: prometheusUrl.describe("Server that queries of rollouts' own checks go to, where these name no other."),
    ...secretFolder("rollouts' own checks").shape,
  }),
  notifications: secretFolder("receivers of notifications"),
  kubernetes,
  feedback: secretFile("tokens", "tokens, one a line, of those who may send feedback"),
  service: z.strictObject({ annotations: texts.describe("Annotations of the Service.") }),
  podDisruptionBudget: budget,
  topologySpreadConstraints: spread,
  ...pod({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } }),
});

const sidecar = z.strictObject({
  enabled: z.boolean().default(true).describe("Run sidecars of their own, which gateways reach by a Service."),
  kind: z.enum(["Deployment", "DaemonSet"]).default("Deployment").describe("A DaemonSet has one on each node."),
  replicas: z.int().min(1).default(2).describe("Pods of the Deployment."),
  drainSeconds: z
    .int()
    .min(0)
    .max(600)
    .default(10)
    .describe("How long a stopping sidecar serves on, in seconds: longer than gateways take to hear of it."),
  labels: texts.describe("Labels by which rollouts may go in groups, like `zone: a`."),
  trustPeers: z.array(z.string()).default([]).describe("Peers of Envoy whose baggage is believed: networks, or URIs of certificates."),
  cookieKeys: secretFile("keys", "keys that sign issued cookies, a line each"),
  debugSecrets: secretFile("secrets", "secrets, a line each, by which a request is explained in its answer"),
  service: z.strictObject({
    clusterIP: text.describe("`None` for a plain Envoy that finds single pods by DNS. Leave it empty for Istio and Envoy Gateway."),
    internalTrafficPolicy: z
      .enum(["Cluster", "Local"])
      .default("Cluster")
      .describe("`Local` with a DaemonSet: gateways ask the sidecar of their own node only."),
    annotations: texts.describe("Annotations of the Service."),
  }),
  podDisruptionBudget: budget,
  topologySpreadConstraints: spread,
  ...pod({ requests: { cpu: "250m", memory: "128Mi" }, limits: { memory: "512Mi" } }),
});

const nativeSidecar = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      "Make a ConfigMap with a patch that puts a sidecar into Envoy's own pods, by a Unix socket. It takes its options from `sidecar`.",
    ),
  envoyContainer: name.default("envoy").describe("Name of Envoy's container in the pods to patch."),
  runAsUser: z
    .int()
    .min(1)
    .default(65_532)
    .describe("User of the sidecar: the one that Envoy runs as, which alone may use the socket. 65532 in Envoy Gateway, 1337 in Istio."),
  workers: z.int().min(1).max(64).default(1).describe("Processes, each with a socket of its own: /run/serin/serin-0.sock and so on."),
});

const nats = z.strictObject({
  url: z
    .string()
    .regex(/^(nats|tls):\/\/[^,\s@]+(,(nats|tls):\/\/[^,\s@]+)*$/)
    .default("nats://nats:4222")
    .describe("NATS with JetStream, `nats://` or `tls://`; several servers by comma. Credentials stand in `nats.creds`, never here."),
  replicas: z
    .union([z.literal(1), z.literal(3), z.literal(5)])
    .default(1)
    .describe("Servers of it that keep each stream which controllers make: 3 where NATS is a cluster of three."),
  creds: z.strictObject({
    existingSecret: text.describe("Secret with files of credentials for NATS, one line user:password or .creds; none when empty."),
    controllerKey: name.default("controller.creds").describe("Key of the controllers' file."),
    sidecarKey: name.default("sidecar.creds").describe("Key of the sidecars' file."),
    viewerKey: name.default("viewer.creds").describe("Key of the file that `helm test` uses."),
  }),
  ca: z.strictObject({
    existingSecret: text.describe(
      "Secret with the authority (PEM) of NATS's certificate, where Node does not know it; none when empty, and never with `nats.bundled`.",
    ),
    key: name.default("ca.crt").describe("Key in it."),
  }),
  bundled: z.strictObject({
    enabled: z.boolean().default(false).describe("Run one NATS server for a start. In production run three of your own, with accounts."),
    nativeSidecars: z
      .boolean()
      .default(false)
      .describe("Let in what has the label `serin/native-sidecar` in any namespace, as a mesh's pods; `nativeSidecar` does so too."),
    image: z.strictObject({
      repository: name.default("nats").describe("Image of NATS."),
      tag: name.default("2.15.1").describe("Its version."),
    }),
    storage: z.strictObject({
      size: name.default("2Gi").describe("Size of the volume."),
      className: text.describe("Its storage class; the cluster's default when empty."),
    }),
    resources: mapping.default({ requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "512Mi" } }).describe("Requests and limits."),
  }),
  global: mapping.exactOptional().describe("What Helm hands to the chart of this name in `charts/`; nothing is read of it."),
});

const ports = z.array(z.int().min(1).max(65_535));

const networkPolicy = z.strictObject({
  enabled: z.boolean().default(false).describe("Let in whom the next values name, and out to DNS, NATS, Prometheus and Kubernetes alone."),
  ports: z.strictObject({
    dns: ports.default([53]).describe("Where DNS listens. All ports here are those of pods, not of the Services before them."),
    nats: ports.default([]).describe("Where NATS listens; the ports of `nats.url` when empty."),
    prometheus: ports
      .default([])
      .describe("Where the Prometheus of `controller.prometheus` and `controller.checks` listens; the ports of their URLs when empty."),
    kubernetes: ports.default([443, 6443]).describe("Where the API listens, for `controller.kubernetes`."),
  }),
  gatewayPeers: mappings.default([{ namespaceSelector: {} }]).describe("Who may ask sidecars: where Envoy runs."),
  apiPeers: mappings.describe("Who may reach the controllers' page and HTTP API, an ingress for example; nobody when empty."),
  metricsPeers: mappings
    .default([{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }])
    .describe("Who may scrape metrics. A controller shows them at the port of its page, which asks for tokens."),
  extraEgress: mappings.describe("More rules: for webhooks, notifications, OTLP. Their ports are those of pods too."),
});

/** The chart's values: what `values.yaml`, its schema and the table of the README follow from. */
export const ValuesSchema = z.strictObject({
  nameOverride: text.describe("In place of `serin` in labels."),
  fullnameOverride: text.describe("In place of the names that begin with the release's."),
  image: z.strictObject({
    repository: name.default("serin").describe("Where your cluster finds the image that the Dockerfile makes."),
    tag: text.describe("The chart's own version when empty."),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .default("")
      .describe("Goes before the tag: `sha256:…`."),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent").describe("When it is pulled."),
  }),
  imagePullSecrets: mappings.describe("Secrets for a private registry: `[{ name: … }]`."),
  logLevel: z.enum(LOG_LEVELS).default("info").describe("What is written to the log."),
  bindAddress: z.enum(["0.0.0.0", "[::]"]).default("0.0.0.0").describe("`[::]` where pods have IPv6 only."),
  serviceAccount: z.strictObject({
    create: z.boolean().default(true).describe("Make one; it has no rights but those of `controller.kubernetes`."),
    name: text.describe("Its name; one that is there already where `create` is false."),
    annotations: texts.describe("Its annotations."),
  }),
  podSecurityContext: mapping
    .default({ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532, seccompProfile: { type: "RuntimeDefault" } })
    .describe("Security of pods; it passes Kubernetes' `restricted`."),
  securityContext: mapping
    .default({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } })
    .describe("Security of containers."),
  nats,
  operatorKeys: z.strictObject({
    existingConfigMap: text.describe("ConfigMap with the public keys of operators who may switch off; none when empty."),
    key: name.default("operator-keys.pem").describe("Key in it."),
  }),
  controller,
  sidecar,
  nativeSidecar,
  networkPolicy,
  serviceMonitor: z.strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe("Make ServiceMonitors, and a PodMonitor for `nativeSidecar`, for the Prometheus operator."),
    labels: texts.describe("Labels that your Prometheus looks for, like `release: prometheus`."),
    interval: z.string().regex(duration).default("").describe("Time between scrapes; your Prometheus' own when empty."),
  }),
  prometheusRule: z.strictObject({
    enabled: z.boolean().default(false).describe("Make a PrometheusRule of the alerts and recorded series."),
    labels: texts.describe("Labels that your Prometheus looks for."),
    runbookPrefix: text.describe("Goes before `docs/runbooks/…` in `runbook_url`; ends with a slash."),
  }),
  grafana: z.strictObject({
    dashboards: z.strictObject({
      enabled: z.boolean().default(false).describe("Make ConfigMaps of the dashboards, which Grafana's sidecar finds."),
      labels: z.record(z.string(), z.string()).default({ grafana_dashboard: "1" }).describe("Labels that it looks for."),
      annotations: texts.describe("Annotations, like the folder's."),
    }),
  }),
  extraObjects: mappings.describe("More objects to install; strings in them may hold templates."),
  global: mapping.exactOptional().describe("What Helm hands to a chart that is part of another; nothing is read of it."),
});
