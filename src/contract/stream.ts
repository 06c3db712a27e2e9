import * as z from "zod";
import { AuditSchema } from "./messages.ts";
import { NameSchema } from "./name-schema.ts";
import { PictureSchema, RolloutPictureSchema } from "./picture.ts";
import { ROLES, type Role } from "./roles.ts";
import { CheckRecordSchema, VerdictSchema } from "./verdict.ts";

const AtMsSchema = z.int().describe("Unix milliseconds by the controller's clock.");

/** What a check and the shares were at one moment. */
export const SeriesPointSchema = z.strictObject({
  atMs: AtMsSchema,
  shareBp: z.int().min(0).max(10_000).describe("Share set, basis points."),
  shareSeenBp: z.int().min(0).max(10_000).nullable().describe("Canary's part of the decisions of the run; null without any."),
  verdict: VerdictSchema,
  checks: z.array(CheckRecordSchema.pick({ name: true, stable: true, canary: true, lower: true, upper: true, threshold: true })),
});

/** The way of a rollout's checks through its attempt, as the leader of now has seen it. */
export const SeriesSchema = z.strictObject({
  points: z
    .array(SeriesPointSchema)
    .describe("Oldest first, at most 120; fewer where many rollouts are live. It begins with the time in office of the leader."),
});

/** First event: whose token it is, so that a page can offer what its bearer may do. */
const HelloSchema = z.strictObject({
  type: z.literal("hello"),
  name: z.string().describe("Name of the token."),
  role: z.enum(Object.keys(ROLES) as [Role, ...Role[]]).describe("What it may."), // Its own keys, of which there are some.
  controller: z.string().describe("Who answers: the leader or a standby."),
});

const MeshSchema = z.strictObject({
  type: z.literal("mesh"),
  nowMs: AtMsSchema.describe("Now."),
  leader: PictureSchema.shape.leader,
  orders: PictureSchema.shape.orders,
  freeze: PictureSchema.shape.freeze,
  problem: z.string().nullable().describe("Why the picture is old, for people; null while it is new."),
});

const FleetEventSchema = z.strictObject({ type: z.literal("fleet"), sidecars: PictureSchema.shape.sidecars });

const RolloutEventSchema = z.strictObject({
  type: z.literal("rollout"),
  rollout: RolloutPictureSchema,
  phase: z.string().describe("Its phase, for people."),
  stages: z
    .array(z.strictObject({ shareBp: z.int().min(0).max(10_000), minTimeMs: z.int().min(0) }))
    .describe("Its stages in order, presets written out; empty of a strategy without."),
  lines: z.array(z.string()).describe("What else is to be said of it, for people: what it waits for, who is missing."),
});

const GoneSchema = z.strictObject({ type: z.literal("gone"), name: NameSchema.describe("Of a rollout that was deleted.") });

const AuditEventSchema = z.strictObject({ type: z.literal("audit"), line: AuditSchema });

/**
 * What `GET /v1/events` sends, as the `data` of an event of the same type: hello, then mesh, fleet and each rollout, and from then on what
 * changed. Lines of the audit come from now on; earlier ones have an operation of their own.
 */
export const StreamEventSchema = z
  .discriminatedUnion("type", [HelloSchema, MeshSchema, FleetEventSchema, RolloutEventSchema, GoneSchema, AuditEventSchema])
  .describe("`data` of one event; its `event` is the same as `type`.");

export type StreamEvent = Readonly<z.infer<typeof StreamEventSchema>>;
export type SeriesPoint = Readonly<z.infer<typeof SeriesPointSchema>>;
export type Series = Readonly<z.infer<typeof SeriesSchema>>;
