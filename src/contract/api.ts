import * as z from "zod";
import { ACTION_NAMES } from "./actions.ts";
import { AskedRequestSchema, ExplanationSchema } from "./explanation.ts";
import { HistorySchema } from "./history.ts";
import { AuditSchema, ReplySchema, SidecarIdSchema } from "./messages.ts";
import { NameSchema } from "./name-schema.ts";
import { PictureSchema, RolloutPictureSchema } from "./picture.ts";
import type { Role } from "./roles.ts";
import { SeriesSchema, StreamEventSchema } from "./stream.ts";
import { VariantNameSchema } from "./variants.ts";

/** Verbs of a rollout that have a path of their own. */
export const API_VERBS = ["promote", "pause", "resume", "abort", "retry", "undo", "handover"] as const;

const reason = z.string().max(1_000).optional().describe("Kept in the audit.");

const VerbBodySchema = z.strictObject({ reason });
const PromoteBodySchema = VerbBodySchema.extend({
  full: z.boolean().optional().describe("Straight to 100 %."),
  variant: VariantNameSchema.optional().describe("Of an A/B test: the variant that everyone gets; the first when absent."),
  override: z.boolean().optional().describe("In spite of what holds it, like a freeze; needs a reason."),
});
const AbortBodySchema = VerbBodySchema.extend({
  now: z.boolean().optional().describe("Everyone at once, whatever steps the rollout's `retreat` asks for."),
});
const VERB_BODIES: Partial<Record<(typeof API_VERBS)[number], z.ZodType>> = { promote: PromoteBodySchema, abort: AbortBodySchema };
const FreezeBodySchema = VerbBodySchema.extend({
  untilMs: z.int().optional().describe("When it ends by itself, Unix milliseconds; somebody must end it when absent."),
});

const ApplyQuerySchema = z.strictObject({
  reason,
  dryRun: z.enum(["true", "false"]).optional().describe("`true`: check, store nothing."),
});

/** What is asked of the audit. */
export const AuditQuerySchema = z.strictObject({
  rollout: NameSchema.optional(),
  since: z
    .union(
      [z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,9}(ms|s|m|h|d)$/)],
      "not a time; write one like 2026-03-10T09:00:00Z, or a span like 2h",
    )
    .optional()
    .describe("Only lines from then on: a time with its zone, or a span before now."),
  action: z.enum(ACTION_NAMES).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000).describe("At most so many, the newest."),
});

const RolloutsSchema = z.strictObject({ rollouts: z.array(RolloutPictureSchema).describe("By name.") });
const AuditAnswerSchema = z.strictObject({ lines: z.array(AuditSchema).describe("Oldest first.") });
const AppliedSchema = z.strictObject({ replies: z.array(ReplySchema.extend({ name: z.string() })) });
const PlanAnswerSchema = z.looseObject({}).describe("The rollout as it was applied, users hashed.");

/** An error, as RFC 9457 has it. */
export const ProblemSchema = z.object({
  type: z.string().describe("`about:blank`: the status says what kind of problem it is."),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe("What is wrong, and how to put it right."),
  faults: z
    .array(z.strictObject({ file: z.string(), line: z.int(), column: z.int(), path: z.string(), problem: z.string(), fix: z.string() }))
    .optional()
    .describe("Of a document: every fault with its place."),
  replies: z
    .array(ReplySchema.extend({ name: z.string() }))
    .optional()
    .describe("The leader's answers, where it gave some."),
});

/** One operation of the HTTP API. */
export interface ApiRoute {
  readonly id: string;
  readonly method: "GET" | "POST" | "DELETE";
  /** With `{name}` for a part. */
  readonly path: string;
  readonly summary: string;
  /** The least that a token must allow; `null` where none is asked for. `decide` is a command, of which the leader knows who may. */
  readonly needs: Extract<Role, "view"> | "decide" | null;
  readonly query?: z.ZodObject;
  readonly body?: Readonly<{ schema: z.ZodType; types: readonly string[]; isNeeded: boolean }>;
  readonly answer: z.ZodType;
  /** True where the answer is a stream of events that goes on, each of this form. */
  readonly isStream?: true;
}

const JSON_TYPE = "application/json";
const NAMED = "/v1/rollouts/{name}";

const VERB_SUMMARY: Readonly<Record<(typeof API_VERBS)[number], string>> = {
  promote: "Goes to the next step now.",
  pause: "Stays at this share; the canary is still judged.",
  resume: "Goes on.",
  abort: "Sends everyone back to stable.",
  retry: "Tries a rolled-back rollout again: the same plan, new runs, evidence anew.",
  undo: "Goes back to the version before, at once.",
  handover: "Says that stable's cluster runs the new version, so that the rule may rest.",
};

const verbRoute = (verb: (typeof API_VERBS)[number]): ApiRoute => ({
  id: verb,
  method: "POST",
  path: `${NAMED}/${verb}`,
  summary: VERB_SUMMARY[verb],
  needs: "decide",
  body: { schema: VERB_BODIES[verb] ?? VerbBodySchema, types: [JSON_TYPE], isNeeded: false },
  answer: ReplySchema,
});

/** All operations; the OpenAPI document and the server follow from this one place. */
export const API_ROUTES: readonly ApiRoute[] = [
  { id: "openapi", method: "GET", path: "/v1/openapi.json", summary: "This document.", needs: null, answer: z.looseObject({}) },
  {
    id: "status",
    method: "GET",
    path: "/v1/status",
    summary: "The whole picture; takes a second, in which sidecars are listened to.",
    needs: "view",
    answer: PictureSchema,
  },
  { id: "rollouts", method: "GET", path: "/v1/rollouts", summary: "All rollouts.", needs: "view", answer: RolloutsSchema },
  { id: "rollout", method: "GET", path: NAMED, summary: "One rollout.", needs: "view", answer: RolloutPictureSchema },
  { id: "plan", method: "GET", path: `${NAMED}/plan`, summary: "The rollout as it was applied.", needs: "view", answer: PlanAnswerSchema },
  {
    id: "history",
    method: "GET",
    path: `${NAMED}/history`,
    summary: "Its attempts, the newest first.",
    needs: "view",
    answer: HistorySchema,
  },
  {
    id: "audit",
    method: "GET",
    path: "/v1/audit",
    summary: "Who did what and when.",
    needs: "view",
    query: AuditQuerySchema,
    answer: AuditAnswerSchema,
  },
  {
    id: "series",
    method: "GET",
    path: `${NAMED}/series`,
    summary: "The way of its checks through this attempt, out of the leader's memory.",
    needs: "view",
    answer: SeriesSchema,
  },
  {
    id: "events",
    method: "GET",
    path: "/v1/events",
    summary:
      "Everything, and then what changes, as server-sent events. A comment each 5 s says that the connection lives; one that takes nothing for 15 s is closed. At most 64 readers.",
    needs: "view",
    answer: StreamEventSchema,
    isStream: true,
  },
  {
    id: "explain",
    method: "POST",
    path: "/v1/explain",
    summary: "Which variant a request would get, and every step of why.",
    needs: "view",
    body: { schema: AskedRequestSchema, types: [JSON_TYPE], isNeeded: true },
    answer: ExplanationSchema,
  },
  {
    id: "apply",
    method: "POST",
    path: "/v1/apply",
    summary: "Hands rollouts, segments, templates and the policy to the leader, several by `---`; nothing is done where one has a fault.",
    needs: "decide",
    query: ApplyQuerySchema,
    body: { schema: z.string(), types: ["application/yaml", JSON_TYPE], isNeeded: true },
    answer: AppliedSchema,
  },
  ...API_VERBS.map(verbRoute),
  {
    id: "delete",
    method: "DELETE",
    path: NAMED,
    summary: "Removes a rollout that has ended; its history stays.",
    needs: "decide",
    body: { schema: VerbBodySchema, types: [JSON_TYPE], isNeeded: false },
    answer: ReplySchema,
  },
  {
    id: "freeze",
    method: "POST",
    path: "/v1/freeze",
    summary: "Nothing advances in the whole mesh; what goes back still does.",
    needs: "decide",
    body: { schema: FreezeBodySchema, types: [JSON_TYPE], isNeeded: false },
    answer: ReplySchema,
  },
  {
    id: "unfreeze",
    method: "POST",
    path: "/v1/unfreeze",
    summary: "Rollouts may advance again.",
    needs: "decide",
    body: { schema: VerbBodySchema, types: [JSON_TYPE], isNeeded: false },
    answer: ReplySchema,
  },
  {
    id: "forget",
    method: "POST",
    path: "/v1/sidecars/{id}/forget",
    summary: "Waits for a sidecar no more that is gone for good.",
    needs: "decide",
    body: { schema: VerbBodySchema, types: [JSON_TYPE], isNeeded: false },
    answer: ReplySchema,
  },
];

/** Forms of the parts of paths. */
export const PATH_PARTS = { name: NameSchema, id: SidecarIdSchema } as const;

/** Header that makes a repeat of a command harmless. */
export const IDEMPOTENCY_HEADER = "idempotency-key";

export type Problem = z.infer<typeof ProblemSchema>;
