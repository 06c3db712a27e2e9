import type { PlanState } from "../../contract/live.ts";
import type { Rollout } from "../../contract/rollout.ts";
import { isEnded } from "../../core/plan/ended.ts";
import { type EndpointsLook, isOnItsWay, lookAtEndpoints } from "../../core/plan/endpoints.ts";
import type { Hold } from "../../core/plan/types.ts";
import type { TermParts } from "../ports.ts";
import type { Seat } from "../seats.ts";

/** A look counts for so long, in milliseconds: a leader that is asked by every outcome need not count anew. */
const FRESH_MS = 200;
const NOBODY_LOOKS = "no Kubernetes is looked at; start controllers with --kubernetes";

type Asking = Readonly<{ rollout: Rollout; plan: PlanState }>;

/** Whether an event may yet lead further; who waits in a queue is asked when its turn has come. */
const mayGrow = ({ phase }: PlanState): boolean => phase !== "queued" && !isEnded(phase);

interface Looked extends EndpointsLook {
  readonly rollout: Rollout;
  readonly atMs: number;
}

/** What endpoints keep rollouts from. Since when is not handed down: the next leader counts anew. */
export class EndpointsKeeper {
  readonly #parts: Pick<TermParts, "clock" | "kubernetes">;
  readonly #looked = new Map<string, Looked>();

  constructor(parts: Pick<TermParts, "clock" | "kubernetes">) {
    this.#parts = parts;
  }

  /** Looks again, so that times go on; those of who ended, waits in a queue or is paused begin anew when it goes on. */
  tick(seats: Iterable<Pick<Seat, "name" | "rollout" | "live">>): void {
    const asking = [...seats].filter(({ rollout, live }) => rollout.kubernetes !== undefined && mayGrow(live.plan));
    const going = asking.filter(({ live }) => isOnItsWay(live.plan));
    const names = new Set(going.map(({ name }) => name));
    for (const name of this.#looked.keys()) if (!names.has(name)) this.#looked.delete(name);
    this.#parts.kubernetes?.keep(new Set(asking.flatMap(({ rollout }) => rollout.kubernetes?.namespace ?? [])));
    for (const { rollout, live } of going) this.#look({ rollout, plan: live.plan });
  }

  /** Why it must not give more users another variant; nothing where it names no Services. */
  holds(asking: Asking): readonly Hold[] {
    return mayGrow(asking.plan) ? (this.#look(asking)?.holds ?? []) : [];
  }

  /** Why it goes back; undefined where it need not. */
  alarm(asking: Asking): string | undefined {
    return isOnItsWay(asking.plan) ? this.#look(asking)?.alarm : undefined;
  }

  /** Listens no more. */
  close(): void {
    this.#parts.kubernetes?.keep(new Set());
  }

  /** Times go on only while it is on its way. */
  #look({ rollout, plan }: Asking): Looked | undefined {
    const { name, kubernetes: rule } = rollout;
    if (rule === undefined) return undefined;
    const known = isOnItsWay(plan) ? this.#looked.get(name) : undefined;
    const before = known?.rollout === rollout ? known : undefined;
    const nowMs = this.#parts.clock.nowMs();
    if (before !== undefined && nowMs >= before.atMs && nowMs - before.atMs < FRESH_MS) return before;
    const { kubernetes } = this.#parts;
    const seen = (service: string) => kubernetes?.endpoints(rule.namespace, service) ?? { problem: NOBODY_LOOKS };
    const looked = { ...lookAtEndpoints(rule, { seen, before: before?.times, nowMs }), rollout, atMs: nowMs };
    if (isOnItsWay(plan)) this.#looked.set(name, looked);
    return looked;
  }
}
