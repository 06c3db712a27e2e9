import * as z from "zod";
import { NameSchema } from "./name-schema.ts";
import { STABLE } from "./names.ts";
import { ShareSchema } from "./units.ts";
import { durationWithin } from "./webhooks.ts";

const AfterSchema = durationWithin("10s", "7d");

/** Where a rollout's variants run on Kubernetes, and what is made of their endpoints: a field of its file. Times in milliseconds. */
export const KubernetesSchema = z.strictObject({
  namespace: NameSchema.describe("Namespace of the Services."),
  services: z
    .record(z.string(), NameSchema)
    .refine((services) => Object.keys(services).length > 0, "names no Service; write one for a variant, like canary: checkout-canary")
    .describe("Service of each variant: the endpoints of those that are rolled out must be ready before more users get them."),
  ready: ShareSchema.refine((shareBp) => shareBp > 0, "0% is always ready; write a share above it, like 90%")
    .default(10_000)
    .describe("Part of a variant's endpoints that must be ready, like 90%; 100% when absent."),
  atLeast: z.int().min(1).max(10_000).default(1).describe("So many must be ready, however few there are; 1 when absent."),
  unready: z
    .strictObject({
      after: AfterSchema.default(600_000).describe("How long they may not be ready. 10m when absent."),
      action: z.enum(["wait", "rollback"]).default("wait").describe("What follows then: `wait` on, or `rollback`. `wait` when absent."),
    })
    .prefault({})
    .describe("What becomes of a rollout whose endpoints are not ready: it waits, and after a while this follows."),
  away: z
    .strictObject({
      after: AfterSchema.default(600_000).describe("How long Kubernetes may not answer. 10m when absent."),
      action: z.enum(["wait", "goOn"]).default("wait").describe("What follows then: `wait` on, or `goOn` without it. `wait` when absent."),
    })
    .prefault({})
    .describe("What becomes of a rollout while Kubernetes does not answer: it waits, and after a while this follows."),
});

export type KubernetesRule = z.infer<typeof KubernetesSchema>;

/** Services of variants that there are, and one of stable where stable's pods are to be looked at; also where something else is wrong. */
export function checkKubernetes(document: unknown, context: z.RefinementCtx): void {
  const { variants, kubernetes, handover } = Object(document);
  const services: object = Object(Object(kubernetes).services);
  for (const name of Object.keys(services)) {
    if (Object(variants) !== variants || Object.hasOwn(variants, name)) continue;
    const message = `"${name}" is none of the variants; write one of ${Object.keys(variants).join(", ")}`;
    context.addIssue({ code: "custom", path: ["kubernetes", "services", name], message });
  }
  if (Object(Object(handover).when).kubernetes === undefined || Object.hasOwn(services, STABLE)) return;
  const message = `stable's pods are those of its Service, which is not named; write kubernetes.services.${STABLE}`;
  context.addIssue({ code: "custom", path: ["handover", "when", "kubernetes"], message });
}
