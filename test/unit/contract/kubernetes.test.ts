import { expect, test } from "vitest";
import { RolloutSchema } from "../../../src/contract/rollout.ts";
import { documentOf } from "../controller/builders.ts";

const faultsOf = (change: object): string[] =>
  RolloutSchema.safeParse({ ...documentOf("cart"), ...change }).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ??
  [];

const kubernetes = { namespace: "shop", services: { stable: "cart", canary: "cart-canary" } };
const pods = { image: "shop:2" };

test.each([
  ["a rollout names the Services of its variants", { kubernetes }, []],
  ["hand-over looks at stable's pods", { kubernetes, handover: { when: { kubernetes: pods } } }, []],
  [
    "a Service of no variant is refused",
    { kubernetes: { namespace: "shop", services: { blue: "cart" } } },
    ['kubernetes.services.blue: "blue" is none of the variants; write one of stable, canary'],
  ],
  [
    "no Service at all is refused",
    { kubernetes: { namespace: "shop", services: {} } },
    ["kubernetes.services: names no Service; write one for a variant, like canary: checkout-canary"],
  ],
  [
    "0% of endpoints is refused",
    { kubernetes: { ...kubernetes, ready: "0%" } },
    ["kubernetes.ready: 0% is always ready; write a share above it, like 90%"],
  ],
  [
    "pods of a stable without a Service are refused",
    { handover: { when: { kubernetes: pods } } },
    ["handover.when.kubernetes: stable's pods are those of its Service, which is not named; write kubernetes.services.stable"],
  ],
  [
    "evidence from nowhere is refused",
    { handover: { when: { every: "10s" } } },
    ["handover.when: needs one place to look; write http or kubernetes"],
  ],
])("%s", (_, change, faults) => {
  expect(faultsOf(change)).toEqual(faults);
});
