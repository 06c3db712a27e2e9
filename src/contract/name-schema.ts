import * as z from "zod";

export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Name of a rollout, target or segment: a DNS label, because it becomes part of a NATS subject and of metric labels. */
export const NameSchema = z
  .string()
  .regex(NAME_PATTERN, "not a name; use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit");
