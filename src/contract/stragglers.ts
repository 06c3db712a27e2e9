import * as z from "zod";
import { DurationSchema } from "./units.ts";

/** What becomes of a run that some known sidecars have not confirmed. */
export const StragglersSchema = z.strictObject({
  after: DurationSchema.default(120_000).describe("How long a run waits for a sidecar that has not confirmed it; 2m when absent."),
  action: z
    .enum(["wait", "goOn", "rollback"])
    .default("wait")
    .describe(
      "What happens then: `wait` on, until the phase's own deadline; `goOn` without those sidecars, as long as any other has confirmed; or `rollback`.",
    ),
});

/** A rollout's rule for sidecars that lag: `after` in milliseconds. */
export type StragglerRule = z.infer<typeof StragglersSchema>;

const DEFAULT_RULE: StragglerRule = StragglersSchema.parse({});

/** The rule of a rollout; the default where it names none. */
export const stragglerRule = ({ stragglers = DEFAULT_RULE }: { readonly stragglers?: StragglerRule | undefined }): StragglerRule =>
  stragglers;
