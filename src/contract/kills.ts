import * as z from "zod";
import { UserHashSchema } from "./conditions.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";

/** What is switched off: everything, a rollout, one user of a rollout, or the users of a segment, from one rollout or from all. */
export const KillScopeSchema = z
  .strictObject({
    rollout: NameSchema.optional().describe("Absent for all."),
    user: UserHashSchema.optional().describe("A bucketing key, hashed with the rollout's salt."),
    segment: NameSchema.optional().describe("Only who is in it."),
  })
  .refine(({ user, segment }) => user === undefined || segment === undefined, { message: "a user and a segment; give an order for each" })
  .refine(({ rollout, user }) => rollout !== undefined || user === undefined, { message: "a user without a rollout; name the rollout" });

/** An operator's word: everyone in this scope gets stable, until the same scope is lifted by a later word. */
export const KillOrderSchema = z.strictObject({
  format: z.literal(FORMAT),
  scope: KillScopeSchema,
  off: z.boolean().describe("False lifts what an earlier order switched off."),
  atMs: z.int().min(0).describe("When it was given, Unix milliseconds; of two orders for one scope the later holds."),
  who: z.string().min(1).max(200).describe("Who gave it; the signature says whose key it was."),
  reason: z.string().max(1_000).optional(),
});

/** The order as it travels: its exact text, so that the signature covers bytes. */
export const SignedKillSchema = z.strictObject({
  format: z.literal(FORMAT),
  payload: z.string().max(4_096).describe("JSON of the order."),
  keyId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe("First 16 hex digits of the sha256 of the public key (SPKI, DER)."),
  signature: z
    .string()
    .regex(/^[A-Za-z0-9+/]{86}==$/)
    .describe("Ed25519 over the payload's bytes, base64."),
});

export type KillScope = z.infer<typeof KillScopeSchema>;
export type KillOrder = z.infer<typeof KillOrderSchema>;
export type SignedKill = z.infer<typeof SignedKillSchema>;

/** The scope as the end of a NATS subject: names and hashes are tokens of one already. */
export function scopeToken({ rollout, user, segment }: KillScope): string {
  if (segment !== undefined) return rollout === undefined ? `segment.${segment}` : `segment.${segment}.${rollout}`;
  if (rollout === undefined) return "all";
  return user === undefined ? `rollout.${rollout}` : `user.${rollout}.${user}`;
}
