import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { RolloutInput } from "../../src/contract/rollout.ts";
import { type RunningProcess, startProcess } from "../../src/demo/processes.ts";
import { stopAll } from "../../src/demo/stop-all.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { packageRoot } from "../../src/io/package-root.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { blocksOf } from "../support/doc-blocks.ts";
import { waitForFleet } from "../support/fleet.ts";
import { type ClusterPod, type Kubelet, startKubelet } from "../support/kubelet.ts";
import { type Account, mountAccount, startInPod, tokenOf } from "../support/pod.ts";
import { applyRollout, heldAt, rolloutOf, type Stack, startStack } from "../support/stack.ts";

const page = await readFile(join(packageRoot(), "docs", "kubernetes-glue.md"), "utf8");
const [role = ""] = blocksOf(page, "yaml role");
const [readiness = "", handover = ""] = blocksOf(page, "yaml rollout");
const [, events = "", binding = ""] = blocksOf(page, "sh");

let cluster: Cluster;
let stack: Stack;
let kubelet: Kubelet;
let account: Account;
let controller: RunningProcess;
/** Which of shop's pods are ready. */
let isReady: (pod: ClusterPod) => boolean;
const stops: (() => unknown)[] = [];

beforeAll(async () => {
  cluster = await startCluster();
  stops.push(() => cluster.stop());
  isReady = ({ metadata }) => metadata.labels["app"] !== "checkout-canary";
  kubelet = await startKubelet(cluster.url, (pod) => isReady(pod));
  stops.push(() => kubelet.stop());
  stack = await startStack({ controllers: 0, sidecars: 1 });
  stops.push(() => stack.stop());
  await cluster.apply(
    ...["serin", "shop"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "serin", namespace: "serin" } },
    parse(role),
    ...serviceOf("checkout", 2, "shop/checkout:2.3.0"),
    ...serviceOf("checkout-canary", 3, "shop/checkout:2.4.0"),
  );
  const folder = await mkdtemp(join(tmpdir(), "serin-pod-"));
  stops.push(() => rm(folder, { recursive: true }));
  account = await mountAccount(cluster, folder, "serin", "serin");
  controller = await startInPod(cluster, account, "serin-controller-0", ["controller", "--nats", stack.nats.url, "--kubernetes"]);
  stops.push(() => controller.stop());
  await waitForFleet(stack);
});
afterAll(() => stopAll(stops));

/** A Service and the Deployment behind it. */
function serviceOf(name: string, replicas: number, image: string): object[] {
  const metadata = { name, namespace: "shop" };
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: "app", image }] } };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] } },
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas, selector: { matchLabels: { app: name } }, template } },
  ];
}

/** A rollout of an application of its own. */
const rollout = (name: string, kubernetes: RolloutInput["kubernetes"]): RolloutInput => ({
  ...rolloutOf(name, heldAt("10%")),
  match: { hosts: [`${name}.example`] },
  kubernetes,
});

/** Waits until `serin status` of the rollout says this. */
const said = (name: string, words: string | RegExp): Promise<string> =>
  waitFor(
    async () => {
      const { out } = await stack.serin("status", name);
      return (typeof words === "string" ? out.includes(words) : words.test(out)) ? out : undefined;
    },
    { deadlineMs: 60_000, what: `status of ${name} to say ${words}` },
  ).catch(async (cause: unknown) => {
    const { out, error } = await stack.serin("status", name);
    throw new Error(`${String(cause)}\n${out}${error}\n${controller.output()}`, { cause });
  });

test("without the page's Role binding nothing grows and status names the right that lacks; with it, the controller goes on by itself", async () => {
  const { kubernetes } = parse(readiness);
  await applyRollout(stack, rollout("checkout", kubernetes));
  await said("checkout", 'Kubernetes answers 403: endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:serin:serin"');
  expect((await cluster.run("sh", "-ec", binding)).code).toBe(0);
  await said("checkout", "held for");
  await said("checkout", "endpoints: the canary's endpoints are not ready: 0 of 3");
});

test("the rollout begins when all of the canary's endpoints are ready, and not before", async () => {
  const readyPods = new Set<string>();
  isReady = ({ metadata }) => metadata.labels["app"] !== "checkout-canary" || readyPods.has(metadata.name);
  const names = (await cluster.kubectl("get", "pods", "-n", "shop", "-l", "app=checkout-canary", "-o", "name")).trim().split("\n");
  for (const [index, name] of names.entries()) {
    expect(index === 0 || (await said("checkout", `not ready: ${index} of 3`))).toBeTruthy();
    readyPods.add(name.replace("pod/", ""));
    await kubelet.again();
  }
  await said("checkout", /stage 1 of 1/);
});

test("what happened stands among the Service's Events, where kubectl looks for them", async () => {
  const shown = await waitFor(
    async () => {
      const { stdout } = await cluster.run("sh", "-ec", events);
      return stdout.includes("Stage") ? stdout : undefined;
    },
    { deadlineMs: 30_000, what: "the stage's Event" },
  );
  expect(shown).toMatch(/^\S+ +Normal +Stage +Service\/checkout-canary +checkout: .*10 %/m);
});

test("a promoted rollout is handed over when every pod of stable's Deployment runs the new image", async () => {
  const { kubernetes, handover: rule } = parse(handover);
  rule.when.every = "1s";
  await applyRollout(stack, { ...rollout("cart", kubernetes), handover: rule });
  await said("cart", /stage 1 of 1/);
  expect(await stack.serin("promote", "cart", "--full", "--reason", "all is well")).toMatchObject({ code: 0 });
  await said("cart", /2 of 2 pods do not show it: checkout-\S+ has shop\/checkout:2\.3\.0/);
  await cluster.kubectl("set", "image", "deployment/checkout", "app=shop/checkout:2.4.0", "-n", "shop");
  await said("cart", "handed over");
});

test("beside kubectl proxy, as the account, a controller sees and tells the same", async () => {
  await controller.stop();
  const url = await cluster.proxy(await tokenOf(cluster, "serin", "serin"));
  const serin = join(packageRoot(), "dist", "bin", "serin.js");
  const args = [serin, "controller", "--id", "beside", "--nats", stack.nats.url, "--kubernetes", url];
  const beside = await startProcess({ name: "controller", program: process.execPath, args });
  onTestFinished(async () => void (await beside.stop()));
  isReady = ({ metadata }) => metadata.labels["app"] !== "checkout-canary";
  await kubelet.again();
  await said("cart", "controller beside leads");
  await applyRollout(stack, rollout("basket", parse(handover).kubernetes));
  await said("basket", "not ready: 0 of 3");
  isReady = () => true;
  await kubelet.again();
  expect(await said("basket", /stage 1 of 1/)).not.toContain("held");
});
