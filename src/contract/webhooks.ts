import * as z from "zod";
import { NameSchema } from "./name-schema.ts";
import { durationMs } from "./quantities.ts";
import { DurationTextSchema } from "./units.ts";

/** An address without a user and a password: a document is read by many, and so is what is said of a server that does not answer. */
export const addressLike = (example: string) =>
  z
    .url({ protocol: /^https?$/, error: `not an address; write one like ${example}` })
    .max(500)
    .refine((text) => !/^https?:\/\/[^/?#]*@/i.test(text), `no place for a user or a password; write one like ${example}`);

/** A secret is named, and lies with the controller: no document holds one. */
export const SecretNameSchema = NameSchema.describe("Name of a file in the controller's `--check-secrets`; its key signs what is sent.");

/** A length of time between two others. */
export const durationWithin = (least: string, most: string) =>
  DurationTextSchema.refine(
    (text) => Number(durationMs(text)) >= Number(durationMs(least)) && Number(durationMs(text)) <= Number(durationMs(most)),
    `not a length of time that works here; write one from ${least} to ${most}`,
  ).transform((text) => Number(durationMs(text)));

/** A service that is asked for its verdict. */
export const WebhookSchema = z.strictObject({
  url: addressLike("https://smoke.example/check").describe("Where the question is sent by POST; it answers `verdict` and `reason`."),
  secret: SecretNameSchema.optional(),
  every: durationWithin("5s", "1h").default(30_000).describe("Time between two questions. 30s when absent."),
  timeout: durationWithin("100ms", "1m").default(10_000).describe("Longest wait for an answer. 10s when absent."),
});
