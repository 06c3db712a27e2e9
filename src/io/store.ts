import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/transport-node";
import type * as z from "zod";
import { SerinError } from "../contract/errors.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { type FailingUsersRecord, FailingUsersRecordSchema } from "../contract/failing-users.ts";
import { type Fleet, FleetSchema, type JudgeRecord, JudgeRecordSchema, type LiveState, LiveStateSchema } from "../contract/live.ts";
import { type Audit, AuditSchema, type Command, type Reply, ReplySchema, type Who } from "../contract/messages.ts";
import { type MixRecord, MixRecordSchema } from "../contract/mix-evidence.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import type { Keeping } from "../contract/picture.ts";
import { type Freeze, FreezeRecordSchema, type Policy, PolicySchema } from "../contract/policy.ts";
import { type Rollout, RolloutSchema } from "../contract/rollout.ts";
import { type Lease, LeaseSchema } from "../contract/rules.ts";
import { type SegmentPlan, SegmentPlanSchema } from "../contract/segments.ts";
import { type StoredPlan, StoredPlanSchema } from "../contract/stored-plan.ts";
import { type TemplateInput, TemplateSchema, type UsedTemplate, withTemplate } from "../contract/templates.ts";
import { askLeader } from "./ask-leader.ts";
import { infoOf, isNoStream } from "./made-streams.ts";
import { type NatsLink, readAt, readLast, readState, type Stored } from "./nats.ts";
import { messagesOf } from "./stream-messages.ts";
import { vouchFor } from "./vouching.ts";

/** A stored value that is not what its schema says: another version wrote it, or it was altered. */
export class CorruptValueError extends SerinError {
  override readonly name = "CorruptValueError";
  readonly subject: string;

  constructor(subject: string, options?: ErrorOptions) {
    const why = "a newer version wrote it, or it was altered; use the newest version that runs here";
    super("CORRUPT_VALUE", EXIT.ourError, `the value at ${subject} cannot be read: ${why}`, options);
    this.subject = subject;
  }
}

/** A value of the store with its sequence in the stream. */
export type Sequenced<T> = T & Readonly<{ sequence: number }>;

/** A plan with the sequence that live state refers to; `rollout` is the parsed form of `document`. */
export type Plan = Readonly<{
  sequence: number;
  rollout: Rollout;
  document: unknown;
  who: Who;
  atMs: number;
  reason: string | undefined;
  atOnce?: true | undefined;
  commandId: string;
  template: UsedTemplate | undefined;
}>;

/** Decodes one stored value; throws CorruptValueError with the subject. */
export function decodeStored<Schema extends z.ZodType>(schema: Schema, { subject, data }: Stored): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(data)));
  } catch (cause) {
    throw new CorruptValueError(subject, { cause });
  }
}

/** Live state of one rollout; undefined when it was never applied. */
export async function readLive(link: NatsLink, rollout: string): Promise<LiveState | undefined> {
  const stored = await readState(link, SUBJECTS.live(rollout));
  return stored === undefined ? undefined : decodeStored(LiveStateSchema, stored);
}

/** Live states of all rollouts, by name. */
export async function listLive(link: NatsLink): Promise<LiveState[]> {
  const states = await Promise.all((await listLiveSubjects(link)).map((subject) => readState(link, subject)));
  return states.flatMap((stored) => (stored === undefined ? [] : [decodeStored(LiveStateSchema, stored)]));
}

/** Names of all rollouts, in order. */
export const listRollouts = async (link: NatsLink): Promise<string[]> =>
  (await listLiveSubjects(link)).map((subject) => subject.slice(SUBJECTS.live("").length));

async function listLiveSubjects(link: NatsLink): Promise<string[]> {
  const manager = await jetstreamManager(link.connection, { checkAPI: false, timeout: 3_000 });
  return listSubjects(manager, STREAMS.state, SUBJECTS.live("*")).catch((error: unknown) => {
    if (isNoStream(error)) return []; // No controller ever ran.
    throw error;
  });
}

/** What the judge knows of one rollout; at most a second old while evidence comes in. */
export async function readJudge(link: NatsLink, rollout: string): Promise<JudgeRecord | undefined> {
  const stored = await readState(link, SUBJECTS.judge(rollout));
  return stored === undefined ? undefined : decodeStored(JudgeRecordSchema, stored);
}

/** What the leader knows of a rollout's failing users; undefined before any failed. */
export async function readFailingUsers(link: NatsLink, rollout: string): Promise<FailingUsersRecord | undefined> {
  const stored = await readState(link, SUBJECTS.failingUsers(rollout));
  return stored === undefined ? undefined : decodeStored(FailingUsersRecordSchema, stored);
}

/** What the leader knows of the mix of a rollout's users; undefined before any were counted. */
export async function readMix(link: NatsLink, rollout: string): Promise<MixRecord | undefined> {
  const stored = await readState(link, SUBJECTS.rolloutMix(rollout));
  return stored === undefined ? undefined : decodeStored(MixRecordSchema, stored);
}

/** The lease with its sequence; undefined before any controller led. */
export async function readLease(link: NatsLink): Promise<Sequenced<Lease> | undefined> {
  const stored = await readState(link, SUBJECTS.lease);
  return stored === undefined ? undefined : { ...decodeStored(LeaseSchema, stored), sequence: stored.sequence };
}

/** The sidecars that must confirm each run. */
export async function readFleet(link: NatsLink): Promise<Fleet | undefined> {
  const stored = await readState(link, SUBJECTS.fleet);
  return stored === undefined ? undefined : decodeStored(FleetSchema, stored);
}

/** The newest plan of a rollout; undefined when none was applied. */
export async function readPlan(link: NatsLink, rollout: string): Promise<Plan | undefined> {
  const stored = await readLast(link, STREAMS.plans, SUBJECTS.plan(rollout));
  return stored === undefined ? undefined : decodePlan(stored);
}

/** The plan of a rollout at a sequence; undefined where it is no longer kept. */
export async function readPlanAt(link: NatsLink, rollout: string, sequence: number): Promise<Plan | undefined> {
  const stored = await readAt(link, STREAMS.plans, sequence);
  return stored === undefined || stored.subject !== SUBJECTS.plan(rollout) ? undefined : decodePlan(stored);
}

/** Decodes a message of the stream of plans. */
export function decodePlan(stored: Stored): Plan {
  const plan: StoredPlan = decodeStored(StoredPlanSchema, stored);
  const rollout = RolloutSchema.safeParse(withTemplate(plan.document, plan.template));
  if (!rollout.success) throw new CorruptValueError(stored.subject, { cause: rollout.error });
  const { document, who, atMs, reason, atOnce, commandId, template } = plan;
  return { sequence: stored.sequence, rollout: rollout.data, document, who, atMs, reason, atOnce, commandId, template };
}

/** A template as written, with its sequence in the stream of plans. */
export type AppliedTemplate = Readonly<{ sequence: number; template: TemplateInput }>;

/** Decodes a template of the stream of plans. */
export function decodeTemplate(stored: Stored): AppliedTemplate {
  const { document } = decodeStored(StoredPlanSchema, stored);
  const parsed = TemplateSchema.safeParse(document);
  if (!parsed.success) throw new CorruptValueError(stored.subject, { cause: parsed.error });
  // The schema has just accepted exactly this value as its input.
  return { sequence: stored.sequence, template: document as TemplateInput };
}

/** The newest form of a template; undefined when none was applied. */
export async function readTemplate(link: NatsLink, template: string): Promise<AppliedTemplate | undefined> {
  const stored = await readLast(link, STREAMS.plans, SUBJECTS.templatePlan(template));
  return stored === undefined ? undefined : decodeTemplate(stored);
}

/** A segment as applied, with its sequence in the stream of plans. */
export type AppliedSegment = Readonly<{ sequence: number; plan: SegmentPlan }>;

/** Decodes a segment of the stream of plans. */
export function decodeSegment(stored: Stored): AppliedSegment {
  const plan = SegmentPlanSchema.safeParse(decodeStored(StoredPlanSchema, stored).document);
  if (!plan.success) throw new CorruptValueError(stored.subject, { cause: plan.error });
  return { sequence: stored.sequence, plan: plan.data };
}

/** The newest form of a segment; undefined when none was applied. */
export async function readAppliedSegment(link: NatsLink, segment: string): Promise<AppliedSegment | undefined> {
  const stored = await readLast(link, STREAMS.plans, SUBJECTS.segmentPlan(segment));
  return stored === undefined ? undefined : decodeSegment(stored);
}

/** The policy as applied, with its sequence in the stream of plans; `document` is as written. */
export type AppliedPolicy = Readonly<{ sequence: number; policy: Policy; document: unknown; commandId: string }>;

/** Decodes the policy of the stream of plans. */
export function decodePolicy(stored: Stored): AppliedPolicy {
  const { document, commandId } = decodeStored(StoredPlanSchema, stored);
  const policy = PolicySchema.safeParse(document);
  if (!policy.success) throw new CorruptValueError(stored.subject, { cause: policy.error });
  return { sequence: stored.sequence, policy: policy.data, document, commandId };
}

/** The newest policy; undefined when none was applied. */
export async function readPolicy(link: NatsLink): Promise<AppliedPolicy | undefined> {
  const stored = await readLast(link, STREAMS.plans, SUBJECTS.policyPlan);
  return stored === undefined ? undefined : decodePolicy(stored);
}

/** The freeze that was declared last, in force or over; undefined while there is none. */
export async function readFreeze(link: NatsLink): Promise<Freeze | undefined> {
  const stored = await readState(link, SUBJECTS.freeze);
  return stored === undefined ? undefined : (decodeStored(FreezeRecordSchema, stored).freeze ?? undefined);
}

/** Subjects of a stream that hold a message and match the filter, in order. */
export async function listSubjects(manager: JetStreamManager, stream: string, filter: string): Promise<string[]> {
  const { state } = await manager.streams.info(stream, { subjects_filter: filter });
  return Object.keys(state.subjects ?? {}).toSorted();
}

/** How a cluster of NATS keeps live state; undefined where NATS is one server, and where no controller ever ran. */
export async function readKeeping(link: NatsLink): Promise<Keeping | undefined> {
  const manager = await jetstreamManager(link.connection, { checkAPI: false, timeout: 3_000 });
  const info = await infoOf(manager, STREAMS.state);
  if (info?.cluster?.name === undefined) return undefined;
  const { name, leader, replicas = [] } = info.cluster;
  const behind = replicas.filter(({ current }) => !current).map((replica) => replica.name);
  return { cluster: name, replicas: info.config.num_replicas, leads: leader || null, behind };
}

/** Where the audit of a rollout stands, or that of the whole mesh. */
export const auditSubject = (rollout: string | undefined): string => (rollout === undefined ? SUBJECTS.meshAudit : SUBJECTS.audit(rollout));

/** Lines of the audit that stand under a subject, oldest first. */
export async function* auditLines(link: NatsLink, subject: string): AsyncGenerator<Audit> {
  for await (const stored of messagesOf(link, STREAMS.audit, subject)) yield decodeStored(AuditSchema, stored);
}

/** The last `limit` lines of the audit of a rollout, or of the whole mesh; oldest first. */
export async function listAudit(link: NatsLink, rollout: string | undefined, limit: number): Promise<Audit[]> {
  const lines: Audit[] = [];
  // Direct get walks forwards only; a rollout's audit is some lines a run, so walking all of it is cheap.
  for await (const line of auditLines(link, auditSubject(rollout))) {
    lines.push(line);
    lines.splice(0, lines.length - limit);
  }
  return lines;
}

/** The digest of the token whose bearer vouches for a command, and the time. */
export type Voucher = Readonly<{ digest: Buffer; nowMs: number }>;

/**
 * Sends a command to the leader and waits for its answer; nobody vouches for it where `voucher` is absent.
 * Throws NoLeaderError when nobody leads or answers; a repeat with the same id is harmless.
 */
export async function sendCommand(link: NatsLink, command: Command, timeoutMs: number, voucher?: Voucher): Promise<Reply> {
  const payload = JSON.stringify(command);
  const fields = headers();
  if (voucher !== undefined) for (const [name, value] of vouchFor(payload, voucher.digest, voucher.nowMs)) fields.set(name, value);
  const data = await askLeader(link, SUBJECTS.command, payload, { timeout: timeoutMs, ...(voucher && { headers: fields }) });
  return decodeStored(ReplySchema, { subject: SUBJECTS.command, sequence: 0, data });
}
