import * as z from "zod";
import { laneFaults } from "./lanes.ts";
import { STABLE } from "./names.ts";
import { TagsSchema } from "./tags.ts";
import { ShareSchema } from "./units.ts";

export const VARIANT_PATTERN = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `stable`, `canary` or any other; a letter first, because objects keep the order of such names. */
export const VariantNameSchema = z
  .string()
  .regex(VARIANT_PATTERN, "not the name of a variant; use 1 to 63 of a-z, 0-9 and -, beginning with a letter");

/** Whom a person chose after a test. */
export const WinnerSchema = VariantNameSchema.optional().describe(
  "The variant of a test that everyone gets, as a person chose; absent where it is the first.",
);

export const VariantSchema = z.strictObject({
  cluster: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("Name of the Envoy cluster that answers for this variant. In no variant: the rollout sets tags and routes nothing."),
  tags: TagsSchema,
  lane: ShareSchema.optional().describe("Most of the users that it may ever have, like 40%; all lanes are equally wide when absent."),
});

/** More lanes than this are no experiment any more. */
const MAX_VARIANTS = 9;

/** What holds for the variants of a file and of a rule set. */
export function checkVariants(variants: Readonly<Record<string, z.infer<typeof VariantSchema>>>, context: z.RefinementCtx): void {
  const names = Object.keys(variants);
  if (names.length < 2) context.addIssue("stable stands alone; name the variant that is rolled out, like canary");
  if (names.length > MAX_VARIANTS) context.addIssue(`${names.length} variants; write at most ${MAX_VARIANTS}, stable included`);
  for (const name of names) {
    const { error } = VariantNameSchema.safeParse(name);
    if (error !== undefined) context.addIssue({ code: "custom", path: [name], input: name, message: String(error.issues[0]?.message) });
  }
  if (Object.values(variants).every(({ cluster, tags }) => cluster === undefined && Object.keys(tags).length === 0))
    context.addIssue("neither clusters nor tags; name a cluster in each variant, or tags that tell them apart");
  for (const fault of laneFaults(variants)) context.addIssue({ code: "custom", ...fault });
}

/** All variants name a cluster, or none does; also where something else is wrong with them. */
export function checkClusters(variants: unknown, context: z.RefinementCtx): void {
  const all = Object.entries(Object(variants)).filter(([, variant]) => Object(variant) === variant);
  const without = all.filter(([, variant]) => Object(variant).cluster === undefined);
  if (without.length === all.length) return;
  for (const [name] of without)
    context.addIssue({
      code: "custom",
      path: [name],
      message: `${name} names no cluster, others do; name one in each variant, or in none`,
    });
}

/** True of a rollout that sets tags and governs no route: a toggle. Its variants name no cluster, all alike. */
export const isTagOnly = (variants: Readonly<Record<string, { readonly cluster?: string | undefined }>>): boolean =>
  variants[STABLE]?.cluster === undefined;

/** `stable` and those that grow beside it, in the order of their lanes. */
export const VariantsSchema = z
  .object({ [STABLE]: VariantSchema })
  .catchall(VariantSchema)
  .superRefine(checkVariants)
  .superRefine(checkClusters, { when: () => true });

export type Variants = z.infer<typeof VariantsSchema>;
export type VariantName = z.infer<typeof VariantNameSchema>;
