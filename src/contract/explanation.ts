import * as z from "zod";

const ValuesSchema = z.union([z.string().max(8_192), z.array(z.string().max(8_192)).max(20)]);

/** A request that nobody sent, to be explained. */
export const AskedRequestSchema = z.strictObject({
  host: z.string().min(1).max(1_000).describe("Like `shop.example`."),
  path: z.string().min(1).max(8_192).describe("With its query."),
  method: z.string().min(1).max(30).optional().describe("`GET` when absent."),
  headers: z.record(z.string().min(1).max(200), ValuesSchema).optional().describe("By name, in any case; one value or several."),
  address: z.string().max(100).optional().describe("The client's address."),
});

const DecidedSchema = z.looseObject({
  variant: z.string(),
  reason: z.string(),
  rollout: z.string().optional(),
});

/** The decision of a sidecar on it, with every step of why. */
export const ExplanationSchema = z.strictObject({
  decision: DecidedSchema,
  toggles: z.array(DecidedSchema).describe("Of rollouts that only set tags."),
  epoch: z.int().describe("Of the rules in force."),
  revision: z.int(),
  steps: z.array(
    z.strictObject({ step: z.string(), rollout: z.string().optional().describe("Which one the step is about."), text: z.string() }),
  ),
});

export type AskedRequest = Readonly<z.infer<typeof AskedRequestSchema>>;
export type Explained = Readonly<z.infer<typeof ExplanationSchema>>;
