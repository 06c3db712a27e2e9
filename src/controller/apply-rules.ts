import { isDeepStrictEqual } from "node:util";
import { isTagOnly, type Rollout, RolloutSchema } from "../contract/rollout.ts";
import { segmentsIn } from "../core/decide/conditions.ts";
import { overlaps } from "../core/decide/overlap.ts";
import { isEnded } from "../core/plan/ended.ts";
import type { Governed } from "./derive-manifest.ts";
import { relationFault } from "./relation-rules.ts";

/** What an `apply` comes to. */
export type Applied =
  | { readonly type: "start"; readonly rollout: Rollout }
  /** It begins when the version that runs has ended; that one goes back at once where `replaces` is true. */
  | { readonly type: "wait"; readonly rollout: Rollout; readonly replaces: boolean; readonly message: string }
  | { readonly type: "unchanged" | "refused" | "invalid"; readonly message: string };

/** What documents may name besides rollouts. */
export interface KnownNames {
  readonly segments: readonly string[];
  /** Of the policy. */
  readonly calendars: readonly string[];
}

/** Judges a document against the rollout of the same name, all others, and what it may name besides. */
export function judgeApply(
  document: unknown,
  name: string | undefined,
  all: readonly Governed[],
  { segments, calendars }: KnownNames = { segments: [], calendars: [] },
): Applied {
  const parsed = RolloutSchema.safeParse(document);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "document"}: ${message}`);
    return { type: "invalid", message: faults.join("\n") };
  }
  const rollout = parsed.data;
  if (name !== undefined && name !== rollout.name) {
    return { type: "invalid", message: `name: the document says ${rollout.name}, the command ${name}; send the one that is meant` };
  }
  const plain = rollout.targets.findIndex(({ when }) => "users" in when);
  if (plain >= 0) {
    return { type: "invalid", message: `targets.${plain}.when.users: raw user ids are never sent; let \`serin apply\` hash them` };
  }
  const fault = unknownSegment(rollout, segments) ?? relationFault(rollout, all, calendars);
  return fault === undefined ? judgeAgainst(rollout, all) : { type: "refused", message: fault };
}

/** A sidecar counts nobody in a segment that it does not know: not what the author meant. */
function unknownSegment({ targets }: Rollout, segments: readonly string[]): string | undefined {
  for (const [index, { when }] of targets.entries()) {
    const name = segmentsIn(when).find((segment) => !segments.includes(segment));
    const known = segments.length === 0 ? "none was applied yet" : `known are ${segments.join(", ")}`;
    if (name !== undefined) return `targets.${index}.when: there is no segment ${name}, ${known}; apply it first, or in the same command`;
  }
  return undefined;
}

function judgeAgainst(rollout: Rollout, all: readonly Governed[]): Applied {
  const { name } = rollout;
  const current = all.find(({ live }) => live.rollout === name);
  const phase = current?.live.plan.phase;
  if (current !== undefined && phase !== undefined && !isEnded(phase)) {
    const waits = rollout.onNewVersion === "queue" || rollout.onNewVersion === "replace";
    if (waits && !isDeepStrictEqual(current.rollout, rollout)) return waitFor(current, rollout);
    if (phase === "rollingBack") {
      return { type: "refused", message: `${name} is being rolled back; apply it again when that has ended (serin watch ${name})` };
    }
    if (isDeepStrictEqual(current.rollout, rollout))
      return { type: "unchanged", message: `${name} is already ${phase} with this document` };
    const first = phase === "promoted" ? `serin handover ${name}` : `serin abort ${name}`;
    return { type: "refused", message: `${name} is ${phase} with another document; end that first (${first}), then apply again` };
  }
  const rival = rivalText(rollout, all);
  return rival === undefined ? { type: "start", rollout } : { type: "refused", message: rival };
}

/** Why a rollout cannot begin beside all others; undefined when it can. */
export function rivalText(rollout: Rollout, all: readonly Governed[]): string | undefined {
  const { name } = rollout;
  const rival = all.find(
    ({ live, rollout: other }) =>
      live.rollout !== name &&
      !isEnded(live.plan.phase) &&
      (rollout.service === undefined || other.service !== rollout.service) &&
      bothRoute(other, rollout) &&
      overlaps(other.match, rollout.match),
  )?.live.rollout;
  if (rival === undefined) return undefined;
  return `${name} and ${rival} would both govern the same host and path; end ${rival} first, give them different matches, or the same service, so that the later one waits`;
}

/** One that is promoted is not undone by its successor: users would fall back to what is older than both. */
function waitFor({ live }: Governed, rollout: Rollout): Applied {
  const { name, onNewVersion } = rollout;
  const { phase } = live.plan;
  const isLate = phase === "promoting" || phase === "promoted" || phase === "rollingBack";
  const replaces = onNewVersion === "replace" && !isLate;
  const when = phase === "promoting" || phase === "promoted" ? "is handed over" : replaces ? "is back" : "has ended";
  return { type: "wait", rollout, replaces, message: `${name}: the new version waits until the one that is ${phase} ${when}` };
}

/** Those that only set tags take no request from another. */
const bothRoute = (a: Rollout, b: Rollout): boolean => !isTagOnly(a.variants) && !isTagOnly(b.variants);
