import type { KillOrder } from "../contract/kills.ts";
import type { KubernetesRule } from "../contract/kubernetes.ts";
import type { Audit } from "../contract/messages.ts";
import type { StoredPlan } from "../contract/stored-plan.ts";
import type { EndpointsSeen } from "../core/plan/endpoints.ts";
import type { Pod } from "../core/plan/stable-pods.ts";
import type { Clock } from "../io/clock.ts";
import type { OperatorKeys } from "../io/kill-signatures.ts";
import type { Logger } from "../io/log.ts";
import type { Stored } from "../io/nats.ts";
import type { TellSpan } from "../io/spans.ts";
import type { AppliedPolicy, AppliedSegment, AppliedTemplate, Plan } from "../io/store.ts";
import type { ControllerSettings } from "./options.ts";

/** The state stream as the leader uses it; reads come from the stream's own leader, so that they follow the write of the lease. */
export interface StatePort {
  read(subject: string): Promise<Stored | undefined>;
  subjects(filter: string): Promise<readonly string[]>;
  /** Fenced by the lease; throws DeposedError when another leads. */
  write(subject: string, data: string | Uint8Array): Promise<void>;
  /** Removes the subject's value, but never one written by a successor. */
  purge(subject: string): Promise<void>;
}

/**
 * The stream of plans. The lease cannot fence it, because JetStream checks sequences within one stream only: each write
 * expects the sequence of the plan before it, and a plan that no live state obeys yet is taken up at the next takeover.
 */
export interface PlanPort {
  names(): Promise<readonly string[]>;
  last(rollout: string): Promise<Plan | undefined>;
  at(rollout: string, sequence: number): Promise<Plan | undefined>;
  /** Plans that stood before this one, oldest first, as far as they are kept and can be read. */
  before(rollout: string, sequence: number): Promise<readonly Plan[]>;
  /** The sequence of the stored plan. Throws PlanConflictError when another plan came in between. */
  append(rollout: string, plan: StoredPlan, expectedSequence: number): Promise<number>;
  /** Removes all plans of a rollout; throws DeposedError when another leads. */
  purge(rollout: string): Promise<void>;
}

/** Segments in the stream of plans, under the same rules. */
export interface SegmentPort {
  names(): Promise<readonly string[]>;
  last(segment: string): Promise<AppliedSegment | undefined>;
  append(segment: string, plan: StoredPlan, expectedSequence: number): Promise<number>;
}

/** Templates in the stream of plans, under the same rules. */
export interface TemplatePort {
  names(): Promise<readonly string[]>;
  last(template: string): Promise<AppliedTemplate | undefined>;
  append(template: string, plan: StoredPlan, expectedSequence: number): Promise<number>;
}

/** The policy in the stream of plans; each write expects the one before it, readable or not. */
export interface PolicyPort {
  last(): Promise<AppliedPolicy | undefined>;
  append(plan: StoredPlan): Promise<number>;
}

/** The append-only audit stream; a repeated id within its window is stored once. */
export interface AuditPort {
  append(record: Audit): Promise<void>;
  /** Of a rollout, or of the whole mesh. */
  recentIds(rollout: string | undefined): Promise<ReadonlySet<string>>;
  /** The last record of a rollout; undefined without any. */
  last(rollout: string): Promise<Audit | undefined>;
}

/** The stream of judged batches. */
export interface TickPort {
  /** Resolves when it is stored. */
  append(rollout: string, text: string): Promise<void>;
}

/** What Kubernetes knows of a rollout's variants. */
export interface KubernetesPort {
  /** As heard of last; the first question makes the controller listen in that namespace. */
  endpoints(namespace: string, service: string): EndpointsSeen;
  /** Listens in these namespaces alone. */
  keep(namespaces: ReadonlySet<string>): void;
  /** Pods behind stable's Service. Throws where they cannot be known, with the reason. */
  stablePods(rule: KubernetesRule, signal: AbortSignal): Promise<readonly Pod[]>;
}

/** What a time in office works with. */
export interface TermParts {
  readonly id: string;
  readonly term: number;
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly state: StatePort;
  readonly plans: PlanPort;
  readonly segments: SegmentPort;
  readonly templates: TemplatePort;
  readonly policy: PolicyPort;
  readonly audit: AuditPort;
  readonly ticks: TickPort;
  /** Without `--kubernetes` there is none. */
  readonly kubernetes?: KubernetesPort | undefined;
  /** Pushes a span that is over; none are where absent. */
  readonly span?: TellSpan | undefined;
  /** The operator's order that switches a rollout off; undefined without one. */
  killed(rollout: string): KillOrder | undefined;
  /** Public keys of operators, by which passes are believed; none where absent. */
  readonly operatorKeys?: OperatorKeys;
  /** Whether an operator's order switches one user of a rollout off, by hash; nobody knows where absent. */
  isUserOff?(rollout: string, userHash: string): boolean;
}
