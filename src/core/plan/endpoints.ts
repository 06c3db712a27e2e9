import type { KubernetesRule } from "../../contract/kubernetes.ts";
import type { PlanState } from "../../contract/live.ts";
import { STABLE } from "../../contract/names.ts";
import { durationText } from "./deadlines.ts";
import type { Hold } from "./types.ts";

/** Endpoints of a Service that do not end, or why they are not known, for people. */
export type EndpointsSeen = Readonly<{ ready: number; all: number }> | Readonly<{ problem: string }>;

/** Since when something is wrong with endpoints, Unix milliseconds; null while it is not. */
export interface EndpointTimes {
  readonly unreadySinceMs: number | null;
  readonly awaySinceMs: number | null;
}

/** What endpoints keep a rollout from, and what follows where that lasts too long. */
export interface EndpointsLook {
  readonly times: EndpointTimes;
  readonly holds: readonly Hold[];
  /** Why it goes back; undefined where its rule lets it wait on. */
  readonly alarm: string | undefined;
}

interface Looking {
  readonly seen: (service: string) => EndpointsSeen;
  /** Of the look before; undefined at the first. */
  readonly before: EndpointTimes | undefined;
  readonly nowMs: number;
}

const FULL_BP = 10_000;

/** Phases in which a rollout may yet give more users another variant; what is promoted or paused is left to evidence and people. */
const ON_ITS_WAY: ReadonlySet<PlanState["phase"]> = new Set([
  "pending",
  "stage",
  "ramp",
  "holdback",
  "preview",
  "shadow",
  "trial",
  "group",
  "gate",
]);

/** Whether endpoints that are not ready may be why a rollout goes back. */
export const isOnItsWay = ({ phase }: PlanState): boolean => ON_ITS_WAY.has(phase);

/** Looks at the endpoints of all variants that grow. Unknown is neither ready nor unready: each has a clock and a rule of its own. */
export function lookAtEndpoints(rule: KubernetesRule, { seen, before, nowMs }: Looking): EndpointsLook {
  const found = Object.entries(rule.services)
    .filter(([variant]) => variant !== STABLE)
    .map(([variant, service]) => ({ variant, endpoints: seen(service) }));
  const unready: Hold[] = [];
  const away: Hold[] = [];
  for (const { variant, endpoints } of found) {
    if ("problem" in endpoints) away.push(holdOf(`${variant}'s endpoints are not known`, endpoints.problem));
    else if (!isReady(rule, endpoints)) unready.push(holdOf(`${variant}'s endpoints are not ready`, countText(rule, endpoints)));
  }
  const { unreadySinceMs = null, awaySinceMs = null } = before ?? {};
  const times = {
    // What is not known ends no time.
    unreadySinceMs: unready.length > 0 ? (unreadySinceMs ?? nowMs) : away.length > 0 ? unreadySinceMs : null,
    awaySinceMs: away.length > 0 ? (awaySinceMs ?? nowMs) : null,
  };
  const isOver = (sinceMs: number | null, afterMs: number): boolean => sinceMs !== null && nowMs - sinceMs >= afterMs;
  const goesOn = rule.away.action === "goOn" && isOver(times.awaySinceMs, rule.away.after);
  const goesBack = unready.length > 0 && rule.unready.action === "rollback" && isOver(times.unreadySinceMs, rule.unready.after);
  const why = unready.map(({ reason, now }) => `${reason} for ${durationText(rule.unready.after)}: ${now}`).join("; ");
  return { times, holds: [...unready, ...(goesOn ? [] : away)], alarm: goesBack ? why : undefined };
}

const holdOf = (reason: string, now: string): Hold & { readonly now: string } => ({ kind: "endpoints", reason: `the ${reason}`, now });

type Counts = Exclude<EndpointsSeen, { problem: string }>;

const isReady = ({ ready: readyBp, atLeast }: KubernetesRule, { ready, all }: Counts): boolean =>
  ready >= atLeast && ready * FULL_BP >= all * readyBp;

const countText = ({ atLeast }: KubernetesRule, { ready, all }: Counts): string =>
  `${ready} of ${all}${all < atLeast ? `, and ${atLeast} are asked for` : ""}`;
