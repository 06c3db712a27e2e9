import * as z from "zod";

const CountSchema = z.int().min(0);
const UsersSchema = z.looseObject({ newly: CountSchema, knownRequests: CountSchema });
const HALF = { requests: CountSchema, failed: CountSchema, latency: z.array(CountSchema), users: UsersSchema.exactOptional() };
const HalfSchema = z.looseObject(HALF);
const OutcomesSchema = z.looseObject({ decided: CountSchema, settled: CountSchema, ...HALF });
const CountsSchema = z.looseObject({ canaryHits: CountSchema, canary: CountSchema, stableHits: CountSchema, stable: CountSchema });

/** A batch that comes back from storage; what this version does not know of stays in it, so that it is judged as it was. */
export const EvidenceBatchSchema = z.looseObject({
  nowMs: z.int(),
  run: CountSchema,
  runCanary: CountSchema,
  stable: OutcomesSchema,
  canary: OutcomesSchema,
  halves: z.looseObject({ hosts: HalfSchema.exactOptional(), keys: HalfSchema.exactOptional() }).exactOptional(),
  split: z.looseObject({ shareBp: CountSchema, canary: CountSchema, all: CountSchema }).exactOptional(),
  own: z.record(z.string(), CountsSchema).exactOptional(),
});

const OwnCheckSchema = z.looseObject({
  name: z.string(),
  harm: z.enum(["higher", "lower"]),
  tolerated: z.number(),
  weight: z.union([z.literal("critical"), z.literal("advisory"), z.number()]),
});

/** The policy that a stored batch was judged by. */
export const JudgePolicySchema = z.looseObject({
  alpha: z.number(),
  maxErrorIncrease: z.number(),
  maxSlowIncrease: z.number(),
  errorProof: z.number(),
  errorObjective: z.number().exactOptional(),
  isRamp: z.boolean(),
  minSample: z.number(),
  own: z.array(OwnCheckSchema).exactOptional(),
  boundsMs: z.array(z.number()),
});
