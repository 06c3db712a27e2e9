import * as z from "zod";
import { FORMAT } from "./names.ts";
import { RunSchema } from "./rules.ts";
import { VerdictSchema } from "./verdict.ts";

const CountSchema = z.int().min(0);

const TickSideSchema = z
  .object({
    n: CountSchema.describe("Requests that ended in this tick."),
    errors: CountSchema.describe("Of them, those that failed."),
    hist: z
      .array(CountSchema)
      .readonly()
      .default([])
      .describe("Requests by duration: `hist[b]` took more than `bounds[b-1]` ms and at most `bounds[b]`; the last bucket is open."),
    new_failed_keys: CountSchema.optional().describe("Users that failed and never did before; absent where nobody knows users."),
    known_errors: CountSchema.optional().describe("Of `errors`, those of users known to fail before the rollout began."),
  })
  .refine(({ n, errors }) => errors <= n, "more errors than requests");

/** One tick as `serin replay` reads it: counts of this tick only. Other fields may stand beside these and are not read. */
export const TickSchema = z.object({
  t: z.int().describe("Number of the tick; it grows from tick to tick, and a number seen before is not counted again."),
  sec: z.number().min(0).describe("Begin of the tick, in seconds; the rollout begins at 0, or at a Unix time."),
  weight: z.number().min(0).max(1).describe("Share of the canary while it lasted, 0 to 1."),
  stable: TickSideSchema.describe("All of stable, the control slice included."),
  canary: TickSideSchema.describe("All variants beside stable."),
  stable_split: z
    .tuple([TickSideSchema, TickSideSchema])
    .readonly()
    .optional()
    .describe("Two random halves of stable's instances, which sum to `stable`; by what differs between them the judge sees clumps."),
});

/** The first line before ticks. */
export const TickStartSchema = z.object({
  tickS: z.number().positive().max(3_600).describe("Length of each tick, in seconds."),
  bounds: z
    .array(z.number().positive())
    .min(1)
    .max(200)
    .readonly()
    .refine((bounds) => bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? 0)), "not ascending")
    .describe("Upper bounds of the buckets of `hist`, in milliseconds, ascending."),
  history: z
    .array(TickSchema.extend({ sec: z.number() }).omit({ canary: true }))
    .readonly()
    .default([])
    .describe("Ticks of stable before the rollout; their `sec` may be negative."),
});

export type TickSide = z.infer<typeof TickSideSchema>;
export type Tick = Readonly<z.infer<typeof TickSchema>>;
export type TickStart = Readonly<z.infer<typeof TickStartSchema>>;

/**
 * One judged batch as the leader keeps it in the stream of ticks, with all that the judge was given. Messages of an attempt stand in the
 * order of judging; after a number left out, judging can be repeated from the next message that holds a state.
 */
export const RecordedTickSchema = z.strictObject({
  format: z.literal(FORMAT).describe("Version of this form."),
  rollout: z.string().describe("Its name."),
  firstRun: RunSchema.describe("First run of the attempt."),
  term: z.int().min(1).describe("Time in office of the leader that judged; what an earlier one says after a later one does not count."),
  sequence: z.int().min(1).describe("Counts the judged batches of this attempt in this term, from 1; a number left out was not recorded."),
  phase: z.string().describe("Phase of the plan after it was judged."),
  shareBp: z.int().min(0).max(10_000).describe("Share set after it was judged."),
  policy: z.json().optional().describe("What the rollout tolerates; as in the message before when absent."),
  state: z.json().optional().describe("State of the judge before this batch; that after the message before when absent."),
  batch: z.json().describe("New outcomes; their form is the judge's own."),
  verdict: VerdictSchema.describe("What the judge said."),
  inputs: z.string().describe("Hash of all evidence that led there."),
});

export type RecordedTick = Readonly<z.infer<typeof RecordedTickSchema>>;
