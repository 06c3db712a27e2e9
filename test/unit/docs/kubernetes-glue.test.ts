import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseRollouts } from "../../../src/io/documents.ts";
import { packageRoot } from "../../../src/io/package-root.ts";
import { blocksOf, ROLLOUT_HEAD } from "../../support/doc-blocks.ts";
import { goldens, manifestsOf } from "../../support/manifests.ts";

const page = readFileSync(join(packageRoot(), "docs", "kubernetes-glue.md"), "utf8");
const blocks = (kind: string): string[] => blocksOf(page, `yaml ${kind}`);

test("each example of the page is one that a rollout may have", () => {
  const rollouts = blocks("rollout").map((text) => parseRollouts(ROLLOUT_HEAD + text, "kubernetes-glue.md")[0]);
  expect(rollouts.map((rollout) => rollout?.kubernetes?.services["canary"])).toEqual(["checkout-canary", "checkout-canary"]);
  expect(rollouts[0]?.kubernetes).toMatchObject({ ready: 9_000, unready: { after: 600_000 }, away: { after: 300_000 } });
  expect(rollouts[1]?.handover?.when?.kubernetes).toEqual({ image: "shop/checkout:2.4.0", container: "app" });
});

test("the role of the page allows what a controller asks, and nothing that changes anything but Events", () => {
  const [role] = blocks("role").map((text) => parse(text));
  expect(role.rules.map(({ resources, verbs }: { resources: string[]; verbs: string[] }) => [...resources, ...verbs].join(" "))).toEqual([
    "endpointslices get list watch",
    "pods get",
    "events create",
  ]);
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
