import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { Audit } from "../../../src/contract/messages.ts";
import { Kubernetes } from "../../../src/controller/kubernetes/kubernetes.ts";
import { loginOf } from "../../../src/controller/kubernetes/login.ts";
import { waitFor } from "../../../src/demo/wait-for.ts";
import { systemClock } from "../../../src/io/clock.ts";
import { parseRollouts } from "../../../src/io/documents.ts";
import { createLog } from "../../../src/io/log.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf, ROLLOUT_HEAD } from "../../support/doc-blocks.ts";
import { FakeKubernetes } from "../../support/fake-kubernetes.ts";
import { goldens, manifestsOf } from "../../support/manifests.ts";
import { rolloutOf } from "../controller/builders.ts";

const page = readFileSync(join(packageRoot(), "docs", "kubernetes-glue.md"), "utf8");
const blocks = (kind: string): string[] => blocksOf(page, `yaml ${kind}`);

test("each example of the page is one that a rollout may have", () => {
  const rollouts = blocks("rollout").map((text) => parseRollouts(ROLLOUT_HEAD + text, "kubernetes-glue.md")[0]);
  expect(rollouts.map((rollout) => rollout?.kubernetes?.services["canary"])).toEqual(["checkout-canary", "checkout-canary"]);
  expect(rollouts[0]?.kubernetes).toMatchObject({ ready: 9_000, unready: { after: 600_000 }, away: { after: 300_000 } });
  expect(rollouts[1]?.handover?.when?.kubernetes).toEqual({ image: "shop/checkout:2.4.0", container: "app" });
});

/** What RBAC calls a request, as "group/resource verb". */
function rightFor(request: string): string {
  const {
    method,
    group = "",
    resource,
    name,
    watch,
  } = /^(?<method>\w+) \/apis?(?:\/(?<group>[^/]+\.k8s\.io))?\/v1\/namespaces\/shop\/(?<resource>\w+)(?<name>\/\S+)?(?<watch> watch)?$/.exec(
    request,
  )?.groups ?? {};
  const reads = watch === undefined ? "list" : "watch";
  return `${group}/${resource} ${method === "POST" ? "create" : name === undefined ? reads : "get"}`;
}

/** The rights that everything needs which a controller asks of Kubernetes. */
async function rightsAsked(): Promise<string[]> {
  const fake = await FakeKubernetes.start();
  fake.serve("shop", "checkout", [{ name: "old" }]);
  const kubernetes = new Kubernetes(
    { watchMs: 1_000 },
    { config: loginOf({ url: fake.url }), clock: systemClock, log: createLog({ name: "test", level: "silent" }), id: "a" },
  );
  onTestFinished(() => kubernetes.close());
  const rollout = rolloutOf("checkout", { kubernetes: { namespace: "shop", services: { stable: "checkout", canary: "checkout-canary" } } });
  const { signal } = new AbortController();
  const watched = rollout.kubernetes;
  if (watched === undefined) throw new Error("the rollout of this test names no Services");
  const pods = async (): Promise<object[]> => kubernetes.stablePods(watched, signal).then((found) => [...found]);
  expect(await waitFor(pods, { deadlineMs: 5_000, what: "the pods of stable" })).toHaveLength(1);
  const line: Audit = { format: 1, id: "1", atMs: 0, rollout: "checkout", action: "promote", who: { name: "ann", claimed: true } };
  expect(await kubernetes.tell(line, rollout, signal)).toEqual({ type: "told" });
  return [...new Set(fake.asked.map(rightFor))].toSorted();
}

test("the role of the page allows what a controller asks, and nothing else", async () => {
  const asked = await rightsAsked();
  const [role] = blocks("role").map((text) => parse(text));
  const allowed = role.rules.flatMap(({ apiGroups, resources, verbs }: Record<"apiGroups" | "resources" | "verbs", string[]>) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`))),
  );
  expect(allowed.toSorted()).toEqual(asked);
});

test("the chart's roles are that of the page where rollouts are, and Events alone in the controllers' own namespace", () => {
  const [role] = blocks("role").map((text) => parse(text));
  const roles = goldens()
    .flatMap(([, text]) => manifestsOf(text))
    .filter(({ kind }) => kind === "Role");
  expect(Object.fromEntries(roles.map(({ metadata, rules }) => [metadata.namespace, rules]))).toEqual({
    shop: role.rules,
    search: role.rules,
    serin: role.rules.filter(({ resources }: { resources: string[] }) => resources.includes("events")),
  });
});
