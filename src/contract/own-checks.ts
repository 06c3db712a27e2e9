import * as z from "zod";
import { NameSchema } from "./name-schema.ts";
import { PointsSchema } from "./units.ts";
import { addressLike, WebhookSchema } from "./webhooks.ts";

/** What a query may say in braces, filled in before it is asked. */
export const QUERY_FACTS = ["variant", "cluster", "rollout", "run"] as const;

/** Names that the record of a verdict already has. */
const TAKEN = ["errors", "latency", "saturation", "split"];
const MAX_CHECKS = 20;
const FULL_WEIGHT = 100;

const QueryTextSchema = z.string().min(1).max(4_096);

/** One query for all variants, or one for each side. */
const QuerySchema = z
  .union([
    QueryTextSchema.refine(
      (text) => text.includes("{variant}") || text.includes("{cluster}"),
      'not a query that tells the variants apart; write {variant} or {cluster} in it, like sum(orders_total{variant="{variant}"}), or a query each for stable and canary',
    ),
    z.strictObject({
      stable: QueryTextSchema.describe("PromQL for stable."),
      canary: QueryTextSchema.describe("PromQL for all that grows beside it."),
    }),
  ])
  .describe(
    `PromQL with {variant} or {cluster}, asked for each variant, or one text each for \`stable\` and \`canary\`; it may say ${QUERY_FACTS.map((fact) => `{${fact}}`).join(", ")}.`,
  );

const ServerSchema = addressLike("http://prometheus:9090")
  .optional()
  .describe("The server asked, where it is not the one of the controller's `--checks-prometheus`.");

const HarmSchema = z.enum(["higher", "lower"]).describe("`higher`: a rise is harm; `lower`: a drop is, as of conversions.");

const ToleratedSchema = PointsSchema.default(0.1).describe("Tolerated relative change, 10% of stable's value when absent.");

const WEIGHTS = "not a weight; write critical, advisory, or hundredths of the wager from 1 to 90";
const WeightSchema = z.union([z.enum(["critical", "advisory"]), z.int().min(1).max(90)], WEIGHTS);

const meaning =
  "`critical` can roll back like errors do, and holds while it cannot be read; a number is its hundredths of the wager; `advisory` only warns.";

const CountedSchema = z.strictObject({
  name: NameSchema.describe("Its name in the verdict; each has its own."),
  prometheus: z
    .strictObject({
      hits: QuerySchema.describe("Counter of what is counted, cumulative, like orders; each series of the answer is counted alone."),
      all: QuerySchema.describe("Counter of what it is counted of, like visits: never fewer than the hits."),
      url: ServerSchema,
    })
    .describe("Two counters on a server that answers PromQL."),
  harm: HarmSchema,
  tolerated: ToleratedSchema,
  weight: WeightSchema.default("critical").describe(meaning),
});

const GaugeSchema = z.strictObject({
  name: NameSchema,
  gauge: z
    .strictObject({ prometheus: QuerySchema, url: ServerSchema })
    .describe("A level, like load or memory: one value a side. It only advises."),
  harm: HarmSchema,
  tolerated: ToleratedSchema,
});

const WebhookCheckSchema = z.strictObject({
  name: NameSchema,
  webhook: WebhookSchema.describe("A service that is asked for its verdict."),
  weight: z
    .enum(["critical", "advisory"], "not a weight of a webhook; write critical or advisory")
    .default("critical")
    .describe("`critical`: its word is obeyed, and no answer holds; `advisory` only warns."),
});

/** What happened to a user, as applications call it. */
export const FeedbackKindSchema = NameSchema.describe("What happened, like complaint.");

const FeedbackSchema = z.strictObject({
  name: NameSchema,
  feedback: z
    .strictObject({
      kind: FeedbackKindSchema,
      atLeast: z.number().optional().describe("Only events with this value or a higher one."),
      atMost: z.number().optional().describe("Only events with this value or a lower one, like stars of a rating."),
    })
    .describe("Events that applications, support or users send, of all requests decided."),
  harm: HarmSchema,
  tolerated: ToleratedSchema,
  weight: WeightSchema.default("advisory").describe(meaning),
});

const OwnCheckSchema = z.union([CountedSchema, GaugeSchema, WebhookCheckSchema, FeedbackSchema]);

/** The author's own checks. */
export const OwnChecksSchema = z
  .array(OwnCheckSchema)
  .max(MAX_CHECKS)
  .superRefine((checks, context) => {
    const refuse = (index: number, key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [index, key], input: checks[index], message });
    for (const [index, { name }] of checks.entries()) {
      if (TAKEN.includes(name)) refuse(index, "name", `"${name}" is a check of Serin's own; give it another name`);
      if (checks.findIndex((check) => check.name === name) < index)
        refuse(index, "name", `"${name}" stands here already; give each check its own name`);
    }
    const weights = checks.map((check) => ("weight" in check && typeof check.weight === "number" ? check.weight : 0));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const last = weights.findLastIndex((weight) => weight > 0);
    if (sum > FULL_WEIGHT) refuse(last, "weight", `the weights are ${sum} together; make them ${FULL_WEIGHT} or less`);
  })
  .optional()
  .describe("Checks of your own, by name.");

/** A gauge that says how full something is, 0 to 1. */
export const SaturationSchema = z
  .strictObject({
    prometheus: QuerySchema,
    url: ServerSchema,
    maxIncrease: PointsSchema.default(0.1).describe("Tolerated rise over stable's, in percentage points. 10% when absent."),
  })
  .optional()
  .describe("How full the variants are, as a ratio from 0 to 1, like of CPU or of a pool; it only advises.");

export type OwnCheckInFile = z.infer<typeof OwnCheckSchema>;
export type CountedCheck = z.infer<typeof CountedSchema>;
export type WebhookCheck = z.infer<typeof WebhookCheckSchema>;
export type FeedbackCheck = z.infer<typeof FeedbackSchema>;
export type Query = z.infer<typeof QuerySchema>;
