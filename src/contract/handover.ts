import * as z from "zod";
import { addressLike, durationWithin, SecretNameSchema } from "./webhooks.ts";

const PATH = /^[^.[\]\s]+(\.[^.[\]\s]+|\[\d{1,4}\])*$/;

const JsonPathSchema = z
  .string()
  .max(300)
  .regex(PATH, "not a path; write keys and places in lists, like spec.containers[0].image")
  .describe("Where it stands in the answer's JSON, like status.version or spec.containers[0].image.");
const EqualsSchema = z.string().min(1).max(500).describe("The text that it must be, like 2.4.0; of a number or true its text.");

const ShownSchema = z.union([
  z.strictObject({
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,100}$/, "not the name of a header; use letters, digits and -")
      .describe("Name of a header of the answer."),
    equals: EqualsSchema,
  }),
  z.strictObject({ json: JsonPathSchema, equals: EqualsSchema }),
  z.strictObject({ json: JsonPathSchema, sameAs: JsonPathSchema.describe("Where the same must stand, like another count.") }),
]);

const PodShownSchema = z.union([
  z.strictObject({
    image: z.string().min(1).max(500).describe("Image of one of its containers, as the pod names it, like shop/checkout:2.4.0."),
    container: z.string().min(1).max(63).optional().describe("Name of that container; any when absent."),
  }),
  z.strictObject({
    label: z.string().min(1).max(317).describe("Name of a label, like app.kubernetes.io/version."),
    equals: EqualsSchema,
  }),
]);

const WhenSchema = z
  .strictObject({
    http: z
      .strictObject({
        url: addressLike("http://checkout.internal/version").describe("What is asked by GET; it answers 200."),
        secret: SecretNameSchema.optional().describe(
          "Name of a file in the controller's `--check-secrets`, sent as bearer token; none when absent.",
        ),
        shows: z.array(ShownSchema).min(1).max(20).describe("What the answer must show, all of it."),
        timeout: durationWithin("100ms", "1m").default(5_000).describe("Longest wait for an answer. 5s when absent."),
      })
      .optional()
      .describe("An endpoint that shows which version stable runs: of the service itself, or of what deploys it."),
    kubernetes: PodShownSchema.optional().describe("What each pod behind stable's Service must show; for controllers with `--kubernetes`."),
    every: durationWithin("1s", "1h").default(10_000).describe("Time between two questions. 10s when absent."),
    times: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe("So many answers one after the other must show it: one host of several may be ahead. 3 when absent."),
  })
  .refine(
    ({ http, kubernetes }) => (http === undefined) !== (kubernetes === undefined),
    "needs one place to look; write http or kubernetes",
  );

/** How the hand-over comes about: fields of a rollout's file. */
export const HandoverSchema = z
  .strictObject({
    when: WhenSchema.optional().describe("Evidence that stable itself runs the new version; `serin handover` alone when absent."),
    within: durationWithin("1m", "365d")
      .optional()
      .describe("How long after the promotion it may take before it is overdue, which alerts; 7d when absent."),
  })
  .optional()
  .describe("After the promotion: how Serin learns that stable runs the new version, so that the rule may rest.");

export type HandoverEvidence = z.infer<typeof WhenSchema>;
export type Shown = z.infer<typeof ShownSchema>;
export type PodShown = z.infer<typeof PodShownSchema>;
