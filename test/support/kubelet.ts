import { z } from "zod";

const PodSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.looseObject({
    nodeName: z.string().optional(),
    restartPolicy: z.string(),
    initContainers: z.array(z.looseObject({ name: z.string(), image: z.string() })).default([]),
    containers: z.array(z.looseObject({ name: z.string(), image: z.string() })),
  }),
  status: z.looseObject({ phase: z.string().default("Pending"), podIP: z.string().optional() }).default({ phase: "Pending" }),
});

const ChangeSchema = z.looseObject({ type: z.string(), object: PodSchema });

/** A pod as the API has it. */
export type ClusterPod = z.infer<typeof PodSchema>;

/** What places pods, says of them what a kubelet would, and runs nothing. */
export interface Kubelet {
  /** Says of all pods anew whether they are ready. */
  again(): Promise<void>;
  stop(): Promise<void>;
}

/** The one node that there is by name. */
const NODE = "node-1";
const MERGE = "application/strategic-merge-patch+json";

/**
 * Makes a node, brings each new pod there, and says that it runs, and is ready where it should be; of one that runs to an end, that it has;
 * takes away those that are to go. `url`: of the API, without login.
 */
export async function startKubelet(url: string, isReady: (pod: ClusterPod) => boolean = () => true): Promise<Kubelet> {
  const ending = new AbortController();
  const { signal } = ending;
  const ask = async (method: string, path: string, body: object, type = "application/json"): Promise<unknown> => {
    const response = await fetch(url + path, { method, headers: { "content-type": type }, body: JSON.stringify(body), signal });
    const text = await response.text();
    // It went away meanwhile, or was changed: what it is now comes as well.
    if (response.ok || response.status === 404 || response.status === 409) return JSON.parse(text);
    throw new Error(`${method} ${path}: ${text}`);
  };
  const addresses = new Map<string, string>();
  const report = async (pod: ClusterPod): Promise<void> => {
    const { name, namespace, deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (deletionTimestamp !== undefined) {
      await ask("DELETE", path, { gracePeriodSeconds: 0 });
      return;
    }
    const target = { apiVersion: "v1", kind: "Node", name: NODE };
    if (pod.spec.nodeName === undefined)
      await ask("POST", `${path}/binding`, { apiVersion: "v1", kind: "Binding", metadata: { name }, target });
    const podIP = addresses.get(path) ?? `10.1.${addresses.size >> 8}.${addresses.size & 255}`;
    addresses.set(path, podIP);
    await ask("PATCH", `${path}/status`, { status: statusOf(pod, podIP, isReady(pod)) }, MERGE);
  };
  const follow = async (): Promise<void> => {
    // Without a version it begins with all that there are.
    const response = await fetch(`${url}/api/v1/pods?watch=1`, { signal });
    let rest = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const { type, object } = ChangeSchema.parse(JSON.parse(line));
        const isOver = object.metadata.deletionTimestamp !== undefined;
        if (type !== "DELETED" && (isOver || object.status.podIP === undefined)) await report(object);
      }
    }
  };
  await ask("POST", "/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: NODE } });
  // A new one is tainted until it says that it is ready.
  await ask("PATCH", `/api/v1/nodes/${NODE}`, { spec: { taints: null } }, MERGE);
  const following = (async () => {
    while (!signal.aborted) await follow();
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    async again() {
      const { items } = z.looseObject({ items: z.array(PodSchema) }).parse(await (await fetch(`${url}/api/v1/pods`, { signal })).json());
      for (const pod of items) await report(pod);
    },
    async stop() {
      ending.abort();
      await following;
    },
  };
}

/** A pod's status, as far as workloads and Services look at it. */
function statusOf({ spec }: ClusterPod, podIP: string, isReady: boolean): object {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const ended = spec.restartPolicy === "Never";
  const isUp = isReady && !ended;
  const of = ({ name, image }: { name: string; image: string }): object => ({
    name,
    image,
    imageID: image,
    ready: isUp,
    started: !ended,
    restartCount: 0,
    state: ended ? { terminated: { exitCode: 0, reason: "Completed", startedAt: now, finishedAt: now } } : { running: { startedAt: now } },
  });
  const conditions = { PodScheduled: true, Initialized: true, ContainersReady: isUp, Ready: isUp };
  return {
    phase: ended ? "Succeeded" : "Running",
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now,
    conditions: Object.entries(conditions).map(([type, isSo]) => ({ type, status: isSo ? "True" : "False", lastTransitionTime: now })),
    initContainerStatuses: spec.initContainers.map(of),
    containerStatuses: spec.containers.map(of),
  };
}
