import { readFile } from "node:fs/promises";
import { z } from "zod";

const PartSchema = z.number().min(0).max(1);
const AmountSchema = z.number().min(0);
const SecondsSchema = z.number().min(0);

const LatencyPartSchema = z
  .strictObject({ w: PartSchema, median_ms: z.number().positive(), sigma: z.number().positive() })
  .describe("A lognormal distribution, and its part of the requests.");

const LatencySchema = z.array(LatencyPartSchema).min(1);

const EventSchema = z
  .strictObject({
    start_s: SecondsSchema,
    dur_s: SecondsSchema,
    error_rate: PartSchema,
    latency_scale: z.number().positive().optional(),
    heterogeneity: PartSchema.optional().describe("The sides are hit unevenly, by up to this part more or less."),
  })
  .describe("An outage of what all versions need, in seconds of the rollout.");

const BrokenUsersSchema = z
  .strictObject({ population: z.int().positive(), share: PartSchema })
  .describe("Users, or tenants, who are fine on stable and fail every time on the canary.");

const CanarySchema = z.strictObject({
  error_rate: PartSchema.optional(),
  latency: LatencySchema.optional().describe("Instead of stable's."),
  latency_scale: z.number().positive().optional(),
  onset_s: SecondsSchema.optional().describe("All of these begin so late in the rollout."),
  broken_users: BrokenUsersSchema.optional(),
  cold_start_s: SecondsSchema.optional(),
  cold_start_scale: z.number().positive().optional().describe("Factor of the latency during the cold start; 2 when absent."),
});

const ScenarioShape = {
  truth: z.enum(["good", "bad"]),
  traffic: z.strictObject({
    rps: z.number().positive(),
    drift: z.number().positive().optional().describe("Traffic at the end, as a multiple of the traffic at the start of the history."),
  }),
  stable: z.strictObject({
    error_rate: PartSchema,
    error_drift: z.number().positive().optional().describe("Both versions' failures at the end of the rollout, as a multiple."),
    latency: LatencySchema,
  }),
  canary: CanarySchema,
  latency_noise: z
    .strictObject({ common_sd: AmountSchema, local_sd: AmountSchema, tau_s: z.number().positive() })
    .describe("Slow swings of the logarithm of all times, of all sides together and of each side alone."),
  buckets_ms: z.array(z.number().positive()).min(1).optional().describe("Upper bounds of the buckets, instead of the suite's."),
  events: z.array(EventSchema).optional(),
  blips: z.strictObject({ per_hour: AmountSchema, dur_s: SecondsSchema, error_rate: PartSchema }).optional(),
  pod_bursts: z
    .strictObject({ pods: z.int().positive(), per_pod_hour: AmountSchema, dur_s: SecondsSchema, error_rate: PartSchema })
    .optional()
    .describe("Single instances fail for a while, on either side alike."),
  clusters: z
    .strictObject({ per_second: AmountSchema, mean_errors: z.number().min(1), dur_s: SecondsSchema })
    .optional()
    .describe("Users whose sessions fail many times, on the side they are on."),
  stuck: z
    .strictObject({ users: z.int().positive(), rps: AmountSchema })
    .optional()
    .describe("Clients that always fail; on the canary while their bucket is below the share."),
};

const ScenarioSchema = z.strictObject({
  id: z.string().min(1),
  title: z.string().min(1),
  ...z.strictObject(ScenarioShape).partial().shape,
});

const SuiteSchema = z
  .strictObject({
    version: z.literal(1),
    tick_s: z.number().positive(),
    history_s: SecondsSchema,
    horizon_s: SecondsSchema,
    buckets_ms: z.array(z.number().positive()).min(1),
    defaults: z.strictObject({ ...ScenarioShape, truth: ScenarioShape.truth }),
    scenarios: z.array(ScenarioSchema).min(1),
  })
  .describe("Scenarios are data: rates per second, times in seconds, latencies in milliseconds, error rates as parts of 1.");

/** Scenarios of one file, and what they have in common. */
export type Suite = Readonly<z.infer<typeof SuiteSchema>>;
export type LatencyPart = z.infer<typeof LatencyPartSchema>;
/** A scenario with the suite's defaults filled in. */
export type Scenario = Suite["defaults"] & { readonly id: string; readonly title: string };

/** Scenarios from their JSON; throws when one is not as it should be. */
export const parseSuite = (text: string): Suite => SuiteSchema.parse(JSON.parse(text));

/** Reads the scenarios of a file. */
export const readSuite = async (file: string | URL): Promise<Suite> => parseSuite(await readFile(file, "utf8"));

/** A scenario of the suite with its defaults. What a scenario names replaces the default as a whole. */
export const scenarioOf = (suite: Suite, own: Suite["scenarios"][number]): Scenario => {
  const named = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return { ...suite.defaults, ...named, id: own.id, title: own.title };
};
