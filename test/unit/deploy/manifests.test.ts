import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ControllerOptionsSchema } from "../../../src/controller/options.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { SidecarOptionsSchema } from "../../../src/sidecar/options.ts";
import { workerOptions } from "../../../src/sidecar/workers/worker-options.ts";
import { type Container, goldens, manifestsOf, selects, type Workload, workloadsOf } from "../../support/manifests.ts";
import { runWith } from "../cli/cli-parts.ts";

/** After its drain a sidecar lets requests on their way arrive, ends streams and says goodbye; several have 10 s for it. */
const AFTER_DRAIN_S = 15;

const program = readFileSync(join(packageRoot(), "src", "bin", "serin.ts"), "utf8");

const LabelsSchema = z.record(z.string(), z.string());
const RefSchema = z.union([z.string(), z.number()]);
const ServiceSchema = z.looseObject({
  selector: LabelsSchema,
  ports: z.array(z.looseObject({ name: z.string(), port: z.number(), targetPort: RefSchema })),
});
const SelectingSchema = z.looseObject({ selector: z.looseObject({ matchLabels: LabelsSchema }) });
const PolicySchema = z.looseObject({
  podSelector: z.looseObject({ matchLabels: LabelsSchema }),
  ingress: z.array(z.looseObject({ ports: z.array(z.looseObject({ port: RefSchema })).default([]) })),
});
const MonitorSchema = SelectingSchema.extend({
  endpoints: z.array(z.looseObject({ port: z.string() })).default([]),
  podMetricsEndpoints: z.array(z.looseObject({ port: z.string() })).default([]),
});

/** Starts nothing, and checks what a start would check first. */
const checked = (options: unknown) => {
  SidecarOptionsSchema.parse(options);
  return Promise.resolve({ metricsUrl: undefined, extProcPort: undefined, stop: () => Promise.resolve() });
};

/** What the real command line says of the arguments. */
const said = (args: readonly string[]) =>
  runWith(args, {
    // Nobody listens there.
    defaultNats: "nats://127.0.0.1:1",
    isPod: () => true,
    startSidecar: checked,
    startWorkers: async (options, count) => {
      workerOptions(SidecarOptionsSchema.parse(options), count);
      return { ...(await checked(options)), workers: [] };
    },
    startController: (options) => {
      ControllerOptionsSchema.parse(options);
      return Promise.resolve({ stop: () => Promise.resolve() });
    },
  });

/** Containers that run Serin's own program. */
const ours = (workloads: readonly Workload[]): Container[] =>
  workloads.flatMap(({ containers }) => containers).filter(({ image, command }) => /(^|\/)serin[:@]/.test(image) && command === undefined);

const has = (ports: readonly { name: string; containerPort: number }[], wanted: string | number): boolean =>
  ports.some(({ name, containerPort }) => name === wanted || containerPort === wanted);

describe.each(goldens())("what %s installs", (_, text) => {
  const manifests = manifestsOf(text);
  const workloads = workloadsOf(manifests);
  const specs = <Schema extends z.ZodType>(schema: Schema, ...kinds: string[]): [string, z.infer<Schema>][] =>
    manifests
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ kind, metadata, spec }) => [`${kind} ${metadata.name}`, schema.parse(spec)]);
  const podsOf = (selector: Readonly<Record<string, string>>): Workload[] => workloads.filter(({ labels }) => selects(selector, labels));
  const portsOf = (pods: readonly Workload[]) => pods.flatMap(({ containers }) => containers.flatMap(({ ports }) => ports));

  test("names each object once", () => {
    const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
    expect(names.length).toBeGreaterThan(5);
  });

  test("selects the pods that it makes, each by its own part's name", () => {
    for (const { name, selector, labels, pod } of workloads) {
      expect([name, selects(selector, labels)]).toEqual([name, true]);
      for (const { labelSelector } of pod.topologySpreadConstraints) expect(selects(labelSelector.matchLabels, labels)).toBe(true);
    }
    const selected = [
      ...specs(ServiceSchema, "Service").map(([name, { selector }]) => [name, podsOf(selector).length]),
      ...specs(SelectingSchema, "PodDisruptionBudget").map(([name, { selector }]) => [name, podsOf(selector.matchLabels).length]),
      ...specs(PolicySchema, "NetworkPolicy").map(([name, { podSelector }]) => [name, podsOf(podSelector.matchLabels).length]),
      ...specs(MonitorSchema, "PodMonitor").map(([name, { selector }]) => [name, podsOf(selector.matchLabels).length]),
    ];
    expect(selected).toEqual(selected.map(([name]) => [name, 1]));
    expect(selected.length).toBeGreaterThan(0);
  });

  test("leads Services, policies and monitors to ports that are there", () => {
    const services = specs(ServiceSchema, "Service");
    const found = [
      ...services.flatMap(([name, { selector, ports }]) => ports.map((port) => [name, has(portsOf(podsOf(selector)), port.targetPort)])),
      ...specs(PolicySchema, "NetworkPolicy").flatMap(([name, { podSelector, ingress }]) =>
        ingress.flatMap(({ ports }) => ports.map(({ port }) => [name, has(portsOf(podsOf(podSelector.matchLabels)), port)])),
      ),
      ...specs(MonitorSchema, "PodMonitor").flatMap(([name, { selector, podMetricsEndpoints }]) =>
        podMetricsEndpoints.map(({ port }) => [name, has(portsOf(podsOf(selector.matchLabels)), port)]),
      ),
      ...specs(MonitorSchema, "ServiceMonitor").flatMap(([name, { selector, endpoints }]) => {
        const met = manifests.filter(({ kind, metadata }) => kind === "Service" && selects(selector.matchLabels, metadata.labels));
        const ports = met.flatMap(({ spec }) => ServiceSchema.parse(spec).ports);
        return endpoints.map((endpoint) => [name, met.length === 1 && ports.some(({ name: port }) => port === endpoint.port)]);
      }),
    ];
    expect(found).toEqual(found.map(([name]) => [name, true]));
    expect(found.length).toBeGreaterThan(0);
  });

  test("probes ports that are there, and pages that are served", () => {
    const probes = workloads.flatMap(({ containers }) =>
      containers.flatMap(({ name, ports, startupProbe, livenessProbe, readinessProbe }) =>
        [startupProbe, livenessProbe, readinessProbe].flatMap((probe) => (probe === undefined ? [] : [{ name, ports, probe }])),
      ),
    );
    expect(probes.length).toBeGreaterThan(2);
    for (const { name, ports, probe } of probes) {
      const { port } = probe.httpGet ?? probe.grpc ?? probe.tcpSocket ?? {};
      expect([name, port !== undefined && has(ports, port)]).toEqual([name, true]);
      expect(probe.httpGet?.path ?? "/healthz").toMatch(/^\/(healthz|readyz|healthz\?js-server-only=true)$/);
    }
  });

  test("mounts volumes that are there, and reads only files that are mounted", () => {
    for (const { name, containers, volumes } of workloads) {
      const mounts = containers.flatMap(({ volumeMounts }) => volumeMounts);
      // A patch mounts what it brings.
      for (const mount of mounts) expect([name, volumes]).toEqual([name, expect.arrayContaining([mount.name])]);
      for (const { args, env, volumeMounts } of containers) {
        const named = [...args.map((arg) => arg.replace(/^unix:/, "")), ...env.map(({ value = "" }) => value)];
        const paths = named.filter((path) => path.startsWith("/"));
        const mounted = paths.map((path) => [
          path,
          volumeMounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`)),
        ]);
        expect(mounted).toEqual(paths.map((path) => [path, true]));
      }
    }
  });

  test("runs everything without rights", () => {
    const containers = workloads.flatMap(({ pod, containers: all }) =>
      all.filter(({ image }) => image !== "").map(({ name, securityContext }) => ({ name, ...pod.securityContext, ...securityContext })),
    );
    expect(containers).toEqual(
      containers.map(({ name }) =>
        expect.objectContaining({
          name,
          runAsNonRoot: true,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
          seccompProfile: { type: "RuntimeDefault" },
        }),
      ),
    );
  });

  test("mounts the account's token where Kubernetes is looked at, and nowhere else", () => {
    const mounting = workloads.filter(({ pod, isOthers }) => pod.automountServiceAccountToken && !isOthers);
    const looking = workloads.filter(({ containers }) => containers.some(({ args }) => args.includes("--kubernetes")));
    expect(mounting.map(({ name }) => name)).toEqual(looking.map(({ name }) => name));
    const bound = manifests.filter(({ kind }) => kind === "RoleBinding").map(({ subjects }) => subjects);
    const accounts = looking.map(({ pod }) => [{ kind: "ServiceAccount", name: pod.serviceAccountName, namespace: "serin" }]);
    expect(bound).toEqual(bound.map(() => accounts[0]));
    expect(bound.length > 0).toBe(looking.length > 0);
  });

  test("gives a sidecar more time to end than its drain takes", () => {
    const sidecars = workloads.filter(({ containers }) => containers.some(({ args }) => args[0] === "sidecar"));
    expect(sidecars.length).toBeGreaterThan(0);
    for (const { pod, containers } of sidecars) {
      const drainS = containers.map(({ args }) => Number.parseInt(args[args.indexOf("--drain") + 1] ?? "", 10)).filter((time) => time > 0);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(Math.max(3, ...drainS) + AFTER_DRAIN_S);
    }
  });

  test.each(ours(workloads).map(({ name, args }) => [name, args] as const))(
    "gives %s arguments that the command line takes",
    async (_name, args) => {
      // `status` gets as far as asking NATS.
      const expected = args[0] === "status" ? /NATS does not answer/ : /^$/;
      expect((await said(args)).error).toMatch(expected);
    },
  );

  test("sets variables that the program reads", () => {
    const maps = new Map(manifests.map(({ kind, metadata, data }) => [`${kind} ${metadata.name}`, Object.keys(data)]));
    const names = ours(workloads).flatMap(({ env, envFrom }) => [
      ...env.map(({ name }) => name),
      ...envFrom.flatMap(({ configMapRef }) => maps.get(`ConfigMap ${configMapRef.name}`) ?? ["a ConfigMap that is not there"]),
    ]);
    expect(names).toContain("SERIN_NATS");
    expect(names.filter((name) => !name.startsWith("OTEL_") && !program.includes(`env["${name}"]`))).toEqual([]);
  });
});
