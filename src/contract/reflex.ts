import * as z from "zod";

const SettingsSchema = z
  .strictObject({
    failures: z
      .int()
      .min(2)
      .max(1_000)
      .default(5)
      .describe("So many failures of the canary in a row, as one sidecar sees them; 5 when absent."),
    users: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe("Of so many users at least; those without a key are one. One broken client is no dead canary. 3 when absent."),
  })
  .refine(
    ({ failures, users }) => users <= failures,
    "fewer failures than users that they must be of; write as many failures, or fewer users",
  );

const DEFAULTS = { failures: 5, users: 3 };

/** `true`, or what is different from the defaults. */
export const ReflexSchema = z.union([z.literal(true), SettingsSchema]);

/** When a sidecar stops a canary by itself. */
export type ReflexRule = Readonly<z.infer<typeof SettingsSchema>>;

/** The same as rules hold it. */
export const StaticReflexSchema = SettingsSchema;

/** A rollout's reflex with its defaults. */
export const reflexOf = (reflex: z.infer<typeof ReflexSchema>): ReflexRule => (reflex === true ? DEFAULTS : reflex);
