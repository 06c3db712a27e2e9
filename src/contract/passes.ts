import * as z from "zod";
import { CommandIdSchema } from "./messages.ts";
import { NameSchema } from "./name-schema.ts";
import { FORMAT } from "./names.ts";
import { RunSchema } from "./rules.ts";
import { VariantNameSchema } from "./variants.ts";

/** Where controllers show links, below the address of their `--http`. */
export const LINK_PATH = "/v1/link";

/** An operator's word that a person gives one command: what a link carries, and a command line that signs. */
export const PassSchema = z.strictObject({
  format: z.literal(FORMAT),
  id: CommandIdSchema.describe("The id of the command: it is carried out once, however often it comes."),
  verb: z.enum(["promote", "pause", "resume", "abort", "retry", "undo", "handover", "delete"]),
  rollout: NameSchema,
  run: RunSchema.optional().describe("Only while this run is in force; whichever it is when absent."),
  who: z.string().min(1).max(200).describe("Who gives it."),
  full: z.boolean().optional(),
  variant: VariantNameSchema.optional(),
  override: z.boolean().optional(),
  now: z.boolean().optional(),
  untilMs: z.int().describe("No longer than this, Unix milliseconds."),
});

/** The pass as it travels, before it is written as text: its exact bytes, so that the signature covers them. */
export const SignedPassSchema = z.strictObject({
  payload: z.string().max(2_048).describe("JSON of the pass."),
  keyId: z.string().describe("Which of the operators' keys signed it."),
  signature: z.string().describe("Ed25519 over `serin pass` and the payload's bytes, base64."),
});

export type Pass = z.infer<typeof PassSchema>;
