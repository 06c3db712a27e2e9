import * as z from "zod";
import { BlastRadiusSchema } from "./blast-radius.ts";
import { ChecksSchema } from "./checks.ts";
import {
  ClaimNameSchema,
  CONDITION_PATTERNS,
  ConditionSchema,
  CookieNameSchema,
  HeaderMatchSchema,
  HeaderNameSchema,
  MethodSchema,
  PathMatchSchema,
} from "./conditions.ts";
import { ModeSchema, PromotionSchema } from "./gates.ts";
import { checkKubernetes, KubernetesSchema } from "./kubernetes.ts";
import { MirrorSchema } from "./mirror.ts";
import { MixSchema } from "./mix.ts";
import { NAME_PATTERN, NameSchema } from "./name-schema.ts";
import { durationMs } from "./quantities.ts";
import { ReflexSchema } from "./reflex.ts";
import { RELATIONS } from "./relations.ts";
import { RetreatSchema, retreatFault } from "./retreat.ts";
import { StragglersSchema } from "./stragglers.ts";
import { StrategySchema } from "./strategy.ts";
import { strategyFaults } from "./strategy-faults.ts";
import { DurationTextSchema } from "./units.ts";
import { isTagOnly, VARIANT_PATTERN, VariantNameSchema, VariantsSchema } from "./variants.ts";

export { STABLE } from "./names.ts";
export type { VariantName, Variants } from "./variants.ts";
export { isTagOnly, VariantNameSchema };

const HOST_PATTERN = /^(\*|(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)$/;

const HostSchema = z
  .string()
  .regex(HOST_PATTERN, 'not a host; write it in lower case without scheme and port, "*.example.com" for all below one, or "*" for all');

export const MatchSchema = z.strictObject({
  hosts: z
    .array(HostSchema)
    .min(1)
    .max(100)
    .default(["*"])
    .describe('Hosts without port; "*.example.com" means all below it, "*" every host.'),
  paths: z
    .array(PathMatchSchema)
    .min(1)
    .max(100)
    .default([{ prefix: "/" }])
    .describe("Any of these."),
  methods: z.array(MethodSchema).min(1).max(32).optional().describe("Any of these; all methods when absent."),
  headers: z.array(HeaderMatchSchema).min(1).max(20).optional().describe("All of these."),
});

/** Browsers keep a cookie for 400 days at most (RFC 6265bis, 5.6.2); below a minute it is no cohort. */
const [SHORTEST_AGE, LONGEST_AGE] = ["1m", "400d"] as const;

const MaxAgeSchema = DurationTextSchema.refine(
  (text) => Number(durationMs(text)) >= Number(durationMs(SHORTEST_AGE)) && Number(durationMs(text)) <= Number(durationMs(LONGEST_AGE)),
  `not the age of a cookie; write one from ${SHORTEST_AGE} to ${LONGEST_AGE}, like 365d`,
);

const IssuedCookieSchema = z.strictObject({
  cookie: CookieNameSchema.describe("Its name; one that begins with __Host- is bound to its host by the browser too."),
  maxAge: MaxAgeSchema.default("365d").describe("How long the browser keeps it; then the user is somebody else."),
});

const KeySourceSchema = z.union([
  z.strictObject({ header: HeaderNameSchema.describe("A request header; one set by a client lets the client choose its bucket.") }),
  z.strictObject({ cookie: CookieNameSchema.describe("A cookie.") }),
  z.strictObject({ claim: ClaimNameSchema }),
  z.strictObject({ clientAddress: z.literal(true).describe("The address of the downstream connection, without its port.") }),
  z.strictObject({
    issued: IssuedCookieSchema.describe(
      "A cookie that the sidecars themselves set and sign (`--cookie-key`), for users who bring no other key; only as the last source.",
    ),
  }),
]);

/** Sources of the bucketing key in their order. */
export const KeySourcesSchema = z
  .array(KeySourceSchema)
  .min(1)
  .max(10)
  .superRefine((sources, context) => {
    for (const [index, source] of sources.slice(0, -1).entries()) {
      if (!("issued" in source)) continue;
      const message = "an issued cookie gives every request a key, so that nothing after it is read; write it last";
      context.addIssue({ code: "custom", path: [index, "issued"], input: source, message });
    }
  });

export const TargetSchema = z.strictObject({
  name: NameSchema.describe("Shown by explain."),
  when: ConditionSchema.describe("One condition."),
  variant: VariantNameSchema.describe("Where requests that meet it go."),
});

const ObeySchema = z.custom<true | string>(
  (value) => value === true || (typeof value === "string" && NAME_PATTERN.test(value)),
  "not the name of a rollout; write one, or true for the rollout's own",
);

/** How a rollout and those of other hops share their cohorts. */
const CohortSchema = z
  .strictObject({
    send: z.boolean().default(false).describe("Tells later hops the variant, as the member serin.NAME of the header baggage."),
    obey: ObeySchema.optional().describe(
      "Name of the rollout whose variant is taken from the baggage of a trusted peer, or true for its own; after targets, before the share.",
    ),
  })
  .refine(({ send, obey }) => send || obey !== undefined, "says nothing; write send: true, obey: true, or leave cohort out");

/** What a file may hold that is not yet known to be well formed. */
const LooseSchema = z.object({
  variants: z.record(z.string(), z.unknown()),
  targets: z.array(z.object({ variant: z.string() }).or(z.unknown())),
});

function checkTargets(document: unknown, context: z.RefinementCtx): void {
  const { data } = LooseSchema.safeParse(document);
  for (const [index, target] of data?.targets.entries() ?? []) {
    const variant = typeof target === "object" && target !== null && "variant" in target ? target.variant : undefined;
    if (typeof variant !== "string" || data === undefined || Object.hasOwn(data.variants, variant)) continue;
    const names = Object.keys(data.variants).map((name) => `"${name}"`);
    const message = `"${variant}" is none of the variants; write ${names.join(" or ")}`;
    context.addIssue({ code: "custom", path: ["targets", index, "variant"], message });
  }
}

function checkGroup(document: unknown, context: z.RefinementCtx): void {
  const { salt, group } = Object(document);
  if (salt === undefined || group === undefined) return;
  context.addIssue({ code: "custom", path: ["group"], message: "salt and group exclude each other; leave one of them out" });
}

/** A rollout that waits for itself, or twice for another. */
function checkOrder(document: unknown, context: z.RefinementCtx): void {
  const { name, after } = Object(document);
  for (const [index, other] of Array.isArray(after) ? after.entries() : []) {
    const refuse = (message: string): void => context.addIssue({ code: "custom", path: ["after", index], input: other, message });
    if (other === name) refuse(`${other} would wait for itself; name another rollout`);
    else if (after.indexOf(other) < index) refuse(`${other} stands here already; name each rollout once`);
  }
}

/** What follows a request to its upstream's cluster makes no sense without one. */
function checkTagOnly(document: unknown, context: z.RefinementCtx): void {
  const { variants, mirror, cohort } = Object(document);
  if (Object(variants) !== variants || !isTagOnly(variants)) return;
  const refuse = (path: string[], what: string): void =>
    context.addIssue({
      code: "custom",
      path,
      message: `no variant names a cluster, so the rollout only sets tags and ${what}; leave it out`,
    });
  if (mirror !== undefined) refuse(["mirror"], "copies nothing");
  if (Object(cohort).send === true) refuse(["cohort", "send"], "tells later hops nothing");
}

/** A rollout as people keep it in git; parsed shares are basis points, durations milliseconds. */
export const RolloutSchema = z
  .strictObject({
    apiVersion: z.literal("serin/v1").describe("Version of this file's form."),
    kind: z.literal("Rollout").describe("What this file is."),
    name: NameSchema.describe("Name of the rollout."),
    match: MatchSchema.prefault({}).describe("The requests it governs."),
    key: KeySourcesSchema.describe("Where the bucketing key comes from; the first present wins."),
    salt: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("Mixed into the bucket; the rollout's name when absent. Another salt is another cohort."),
    group: NameSchema.optional().describe("Instead of a salt: rollouts that name the same group share their buckets."),
    variants: VariantsSchema.describe("The versions that can answer: stable, and those that are rolled out beside it."),
    targets: z.array(TargetSchema).max(1_000).default([]).describe("Rules before the share; the first that holds wins."),
    cohort: CohortSchema.optional().describe("One cohort over several service hops."),
    mirror: MirrorSchema.optional().describe("Copies of requests for a shadow; none while the rollout is off."),
    mix: MixSchema.optional().describe("Labels by which the canary's users are compared with all users; shown by status."),
    strategy: StrategySchema.describe("How the share grows."),
    mode: ModeSchema,
    promotion: PromotionSchema.optional().describe("What is asked before everyone gets the canary."),
    blastRadius: BlastRadiusSchema.optional().describe(
      "What it may cost until it goes back whatever its verdict is; no limit when absent.",
    ),
    retreat: RetreatSchema.optional().describe(
      "How much more stable can take at once: the way back goes in such steps, but for what harms users now; everyone goes back at once when absent.",
    ),
    stragglers: StragglersSchema.optional().describe("What becomes of a run that a sidecar does not confirm; it waits when absent."),
    checks: ChecksSchema.prefault({}).describe("What the canary is judged by."),
    reflex: ReflexSchema.optional().describe(
      "A sidecar that sees the canary fail one request after the other stops it at once, until a new run, while stable is well; none does when absent.",
    ),
    ...RELATIONS,
    kubernetes: KubernetesSchema.optional().describe(
      "Where its variants run on Kubernetes, for controllers with `--kubernetes`; their endpoints are not looked at when absent.",
    ),
    onUnwatched: z
      .enum(["stable", "hold"])
      .default("stable")
      .describe("What sidecars do when no controller has been heard for 30 s: send shares to stable, or hold them."),
  })
  // Also where something else is wrong: all faults of a file are told at once.
  .superRefine(checkTargets, { when: () => true })
  .superRefine(checkGroup, { when: () => true })
  .superRefine(checkTagOnly, { when: () => true })
  .superRefine(checkOrder, { when: () => true })
  .superRefine(checkKubernetes, { when: () => true })
  .superRefine((rollout, context) => {
    for (const fault of strategyFaults(rollout)) context.addIssue({ code: "custom", ...fault });
    const fault = rollout.retreat === undefined ? undefined : retreatFault(rollout.variants);
    if (fault !== undefined) context.addIssue({ code: "custom", path: ["retreat"], message: fault });
  });

/** What the schemas above hold texts against; for a check that has no time to run them. */
export const PATTERNS = { ...CONDITION_PATTERNS, host: HOST_PATTERN, variant: VARIANT_PATTERN } as const;

export type Rollout = z.infer<typeof RolloutSchema>;
export type RolloutInput = z.input<typeof RolloutSchema>;
export type Match = z.infer<typeof MatchSchema>;
export type KeySource = z.infer<typeof KeySourceSchema>;
export type IssuedCookie = z.infer<typeof IssuedCookieSchema>;
export type Target = z.infer<typeof TargetSchema>;
