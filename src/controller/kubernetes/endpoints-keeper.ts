import type { Rollout } from "../../contract/rollout.ts";
import { isEnded } from "../../core/plan/ended.ts";
import { type EndpointsLook, lookAtEndpoints } from "../../core/plan/endpoints.ts";
import type { Hold } from "../../core/plan/types.ts";
import type { TermParts } from "../ports.ts";
import type { Seat } from "../seats.ts";

/** A look counts for so long, in milliseconds: a leader that is asked by every outcome need not count anew. */
const FRESH_MS = 200;
const NOBODY_LOOKS = "no Kubernetes is looked at; start controllers with --kubernetes";

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

  /** Looks again, so that times go on, and forgets who has ended. */
  tick(seats: Iterable<Pick<Seat, "name" | "rollout" | "live">>): void {
    const asking = [...seats].filter(({ rollout, live }) => rollout.kubernetes !== undefined && !isEnded(live.plan.phase));
    const names = new Set(asking.map(({ name }) => name));
    for (const name of this.#looked.keys()) if (!names.has(name)) this.#looked.delete(name);
    this.#parts.kubernetes?.keep(new Set(asking.flatMap(({ rollout }) => rollout.kubernetes?.namespace ?? [])));
    for (const { rollout } of asking) this.#look(rollout);
  }

  /** Why it must not give more users another variant; nothing where it names no Services. */
  holds(rollout: Rollout): readonly Hold[] {
    return this.#look(rollout)?.holds ?? [];
  }

  /** Why it goes back; undefined where it need not. */
  alarm(rollout: Rollout): string | undefined {
    return this.#look(rollout)?.alarm;
  }

  /** Listens no more. */
  close(): void {
    this.#parts.kubernetes?.keep(new Set());
  }

  #look(rollout: Rollout): Looked | undefined {
    const { name, kubernetes: rule } = rollout;
    if (rule === undefined) return undefined;
    const known = this.#looked.get(name);
    const before = known?.rollout === rollout ? known : undefined;
    const nowMs = this.#parts.clock.nowMs();
    if (before !== undefined && nowMs >= before.atMs && nowMs - before.atMs < FRESH_MS) return before;
    const { kubernetes } = this.#parts;
    const seen = (service: string) => kubernetes?.endpoints(rule.namespace, service) ?? { problem: NOBODY_LOOKS };
    const looked = { ...lookAtEndpoints(rule, { seen, before: before?.times, nowMs }), rollout, atMs: nowMs };
    this.#looked.set(name, looked);
    return looked;
  }
}
