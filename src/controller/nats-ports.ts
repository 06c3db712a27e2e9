import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { SerinError } from "../contract/errors.ts";
import { EXIT } from "../contract/exit-codes.ts";
import { AuditSchema } from "../contract/messages.ts";
import { STREAMS, SUBJECTS } from "../contract/names.ts";
import type { StoredPlan } from "../contract/stored-plan.ts";
import { type NatsLink, readLast, type Stored, WRONG_LAST_SEQUENCE } from "../io/nats.ts";
import {
  auditSubject,
  CorruptValueError,
  decodePlan,
  decodePolicy,
  decodeSegment,
  decodeStored,
  decodeTemplate,
  listAudit,
  listSubjects,
  type Plan,
} from "../io/store.ts";
import { messagesOf } from "../io/stream-messages.ts";
import type { FencedWriter } from "./fenced-writer.ts";
import type { AuditPort, PlanPort, PolicyPort, StatePort, TickPort } from "./ports.ts";

/** Another plan of the same rollout was stored between reading and writing. */
export class PlanConflictError extends SerinError {
  override readonly name = "PlanConflictError";
  constructor(rollout: string, options?: ErrorOptions) {
    super("PLAN_CONFLICT", EXIT.refused, `another plan of ${rollout} was stored at the same moment; look at it, then apply again`, options);
  }
}

/** The state stream, written through the leader's queue. */
export function statePort(manager: JetStreamManager, writer: FencedWriter): StatePort {
  const read = (subject: string): Promise<Stored | undefined> => getLast(manager, STREAMS.state, subject);
  return {
    read,
    subjects: (filter) => listSubjects(manager, STREAMS.state, filter),
    write: (subject, data) => writer.write(subject, data),
    async purge(subject) {
      const stored = await read(subject);
      if (stored === undefined) return;
      // A purge cannot be fenced. A renewal after the read shows that this value is not a successor's, and `seq` spares any later one.
      await writer.renew();
      await manager.streams.purge(STREAMS.state, { filter: subject, seq: stored.sequence + 1 });
    },
  };
}

/** The stream of plans. */
export function planPort(link: NatsLink, manager: JetStreamManager, writer: Pick<FencedWriter, "renew">): PlanPort {
  return {
    async names() {
      const subjects = await listSubjects(manager, STREAMS.plans, SUBJECTS.rolloutPlans);
      return subjects.map((subject) => subject.slice(SUBJECTS.plan("").length));
    },
    async last(rollout) {
      const stored = await getLast(manager, STREAMS.plans, SUBJECTS.plan(rollout));
      return stored === undefined ? undefined : decodePlan(stored);
    },
    async at(rollout, sequence) {
      const message = await manager.streams.getMessage(STREAMS.plans, { seq: sequence });
      if (message === null || message.subject !== SUBJECTS.plan(rollout)) return undefined;
      return decodePlan({ subject: message.subject, sequence: message.seq, data: message.data });
    },
    before: (rollout, sequence) => plansBefore(link, rollout, sequence),
    append: (rollout, plan, expectedSequence) => appendPlan(link, rollout, { subject: SUBJECTS.plan(rollout), plan, expectedSequence }),
    async purge(rollout) {
      const stored = await getLast(manager, STREAMS.plans, SUBJECTS.plan(rollout));
      if (stored === undefined) return;
      await writer.renew();
      await manager.streams.purge(STREAMS.plans, { filter: SUBJECTS.plan(rollout), seq: stored.sequence + 1 });
    },
  };
}

async function plansBefore(link: NatsLink, rollout: string, sequence: number): Promise<Plan[]> {
  const found: Plan[] = [];
  for await (const stored of messagesOf(link, STREAMS.plans, SUBJECTS.plan(rollout))) {
    if (stored.sequence >= sequence) break;
    try {
      found.push(decodePlan(stored));
    } catch (error) {
      // Of another version: nobody can go back to it.
      if (!(error instanceof CorruptValueError)) throw error;
    }
  }
  return found;
}

interface NamedKind<Document> {
  /** How people call one, like `segment`. */
  readonly kind: string;
  readonly subjectOf: (name: string) => string;
  readonly decode: (stored: Stored) => Document;
}

/** Documents with a name each, in the stream of plans. */
const namedPort = <Document>(link: NatsLink, manager: JetStreamManager, { kind, subjectOf, decode }: NamedKind<Document>) => ({
  async names(): Promise<readonly string[]> {
    const subjects = await listSubjects(manager, STREAMS.plans, subjectOf("*"));
    return subjects.map((subject) => subject.slice(subjectOf("").length));
  },
  async last(name: string): Promise<Document | undefined> {
    const stored = await getLast(manager, STREAMS.plans, subjectOf(name));
    return stored === undefined ? undefined : decode(stored);
  },
  append: (name: string, plan: StoredPlan, expectedSequence: number): Promise<number> =>
    appendPlan(link, `${kind} ${name}`, { subject: subjectOf(name), plan, expectedSequence }),
});

/** The policy in the stream of plans. */
function policyPort(link: NatsLink, manager: JetStreamManager): PolicyPort {
  const subject = SUBJECTS.policyPlan;
  const stored = (): Promise<Stored | undefined> => getLast(manager, STREAMS.plans, subject);
  return {
    async last() {
      const last = await stored();
      return last === undefined ? undefined : decodePolicy(last);
    },
    append: async (plan) => appendPlan(link, "the policy", { subject, plan, expectedSequence: (await stored())?.sequence ?? 0 }),
  };
}

/** All kinds of documents in the stream of plans. */
export const documentPorts = (link: NatsLink, manager: JetStreamManager, writer: Parameters<typeof planPort>[2]) => ({
  plans: planPort(link, manager, writer),
  segments: namedPort(link, manager, { kind: "segment", subjectOf: SUBJECTS.segmentPlan, decode: decodeSegment }),
  policy: policyPort(link, manager),
  templates: namedPort(link, manager, { kind: "template", subjectOf: SUBJECTS.templatePlan, decode: decodeTemplate }),
});

interface Appended {
  readonly subject: string;
  readonly plan: StoredPlan;
  readonly expectedSequence: number;
}

async function appendPlan(link: NatsLink, name: string, { subject, plan, expectedSequence }: Appended): Promise<number> {
  try {
    const expect = { lastSubjectSequence: expectedSequence };
    const { seq } = await link.jetstream.publish(subject, JSON.stringify(plan), { expect });
    return seq;
  } catch (cause) {
    if (cause instanceof JetStreamApiError && cause.code === WRONG_LAST_SEQUENCE) throw new PlanConflictError(name, { cause });
    throw cause;
  }
}

/** The audit stream; the record's id is the message id by which JetStream drops repeats. */
export function auditPort(link: NatsLink): AuditPort {
  return {
    async append(record) {
      await link.jetstream.publish(auditSubject(record.rollout), JSON.stringify(record), { msgID: record.id });
    },
    async recentIds(rollout) {
      const lines = await listAudit(link, rollout, 256);
      return new Set(lines.map(({ id }) => id));
    },
    async last(rollout) {
      const stored = await readLast(link, STREAMS.audit, SUBJECTS.audit(rollout));
      return stored === undefined ? undefined : decodeStored(AuditSchema, stored);
    },
  };
}

/** The stream of ticks. */
export function tickPort(link: NatsLink): TickPort {
  return {
    async append(rollout, text) {
      await link.jetstream.publish(SUBJECTS.ticks(rollout), text);
    },
  };
}

/** Asks the stream's leader, not whichever replica is near: the state taken over must be the newest. */
async function getLast(manager: JetStreamManager, stream: string, subject: string): Promise<Stored | undefined> {
  const message = await manager.streams.getMessage(stream, { last_by_subj: subject });
  return message === null ? undefined : { subject, sequence: message.seq, data: message.data };
}
