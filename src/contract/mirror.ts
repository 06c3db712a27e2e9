import * as z from "zod";
import { MethodSchema } from "./conditions.ts";
import { ShareSchema } from "./units.ts";

/** Methods that change nothing (RFC 9110, 9.2.1), and so may be carried out twice. */
export const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

const cluster = z.string().min(1).max(200).describe("Name of the Envoy cluster that gets the copies; nobody hears its answers.");
const methods = z.array(MethodSchema).min(1).max(32).describe("What is copied. A method that changes something is carried out twice.");

/** A shadow as people write it. */
export const MirrorSchema = z.strictObject({
  cluster,
  share: ShareSchema.describe("Part of the keys whose requests are copied, like 10%; drawn apart from the canary's."),
  methods: methods.default(SAFE_METHODS),
});

/** What a live rule says of copies. */
export const CopiesSchema = z
  .enum(["only", "none"])
  .describe(
    "`only`: everyone gets stable, targets and cohorts too, and the shadow its copies; `none`: no copies. Beside the rest when absent.",
  );

/** A shadow as sidecars read it. */
export const StaticMirrorSchema = z.strictObject({
  cluster,
  shareBp: z.int().min(0).max(10_000).describe("Part of the keys, in basis points."),
  methods,
});

export type StaticMirror = z.infer<typeof StaticMirrorSchema>;
