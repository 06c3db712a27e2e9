import { STABLE, type VariantName } from "../../contract/rollout.ts";
import { BAGGAGE, cohortIn } from "./baggage.ts";
import { murmur3Text, userHash } from "./bucket.ts";
import type { CompiledRules } from "./compile.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { allRollouts, firstRollout, isEmpty } from "./host-index.ts";
import { killedBy } from "./kills.ts";
import { laneAt } from "./lanes.ts";
import { mirrorVerdict } from "./mirror.ts";
import { SegmentAnswers } from "./segments.ts";
import type { CompiledTarget } from "./statics.ts";
import { type Decision, NOBODY, type Reason, type RequestFacts, type Subject } from "./types.ts";

/** The answer where no rollout governs. */
export const NO_ROLLOUT: Decision = {
  variant: STABLE,
  reason: "no rollout",
  control: false,
  rollout: undefined,
  run: 0,
  bucket: undefined,
  threshold: undefined,
  target: undefined,
  keySource: undefined,
  mirror: undefined,
};

/** What is decided of the one rollout that governs a request; stable without one. */
export function decide(rules: CompiledRules, request: RequestFacts): Decision {
  const rollout = governing(rules, request);
  return rollout === undefined ? NO_ROLLOUT : decideRollout(rollout, request, rules);
}

const NONE: readonly Decision[] = [];

/** What is decided of the rollouts that only set tags, in the order of their names: each that matches counts. */
export function decideToggles(rules: CompiledRules, request: RequestFacts): readonly Decision[] {
  if (isEmpty(rules.toggles)) return NONE;
  const found = allRollouts(rules.toggles, request);
  return found.length === 0 ? NONE : found.map((rollout) => decideRollout(rollout, request, rules));
}

/** Whether the share of a rollout is sent home because nobody watches. */
export const isAtHome = ({ unwatched }: CompiledRules, { live }: CompiledRollout): boolean => unwatched && live.whenUnwatched === "stable";

/** Whether a shadow alone gets the new version: neither targets nor cohorts lead there. */
export const isShadowed = ({ live }: CompiledRollout): boolean => live.copies === "only";

/**
 * The rollout that governs a request, at most one. The most specific wins: its own host, then the longest `*.suffix`, then `*`; there an exact
 * path before a template before a longer prefix; then what asks more of method and headers; then the first by name.
 */
export function governing({ routing }: CompiledRules, request: RequestFacts): CompiledRollout | undefined {
  return isEmpty(routing) ? undefined : firstRollout(routing, request);
}

/** Segments as one request asks for them; undefined where neither a rollout nor an order to switch off asks for any. */
export const askedOf = ({ segments, kills }: CompiledRules, { statics }: CompiledRollout): SegmentAnswers | undefined =>
  statics.segments.length > 0 || kills.segments.size > 0 ? new SegmentAnswers(segments) : undefined;

/** Off first, then targets in file order, then the cohort of a hop before, then the share. A key keeps its bucket while only the share changes. */
function decideRollout(rollout: CompiledRollout, request: RequestFacts, rules: CompiledRules): Decision {
  const found = firstKey(rollout, request);
  // Whatever decides, the bucket stands for the user: outcomes are counted by user too.
  const bucket = found === undefined ? undefined : murmur3Text(found.key, rollout.seed);
  const atHome = isAtHome(rules, rollout);
  const lane = bucket === undefined || atHome ? undefined : laneAt(rollout.lanes, bucket);
  const threshold = atHome ? 0 : lane === undefined ? rollout.threshold : lane.threshold;
  const subject = subjectOf(found, askedOf(rules, rollout));
  const isOff = rollout.off || killedBy(rules.kills, rollout, request, subject) !== undefined;
  const isWithheld = isOff || isShadowed(rollout);
  const target = isWithheld ? undefined : firstTarget(rollout, request, subject);
  // Where nobody watches, a cohort goes home as shares do.
  const cohort = isWithheld || target !== undefined || atHome ? undefined : cohortOf(rollout, request);
  let variant: VariantName = STABLE;
  let reason: Reason = "no key";
  let control = false;
  if (isOff) reason = "off";
  else if (target !== undefined) {
    variant = target.variant;
    reason = "target";
  } else if (cohort !== undefined) {
    variant = cohort;
    reason = "cohort";
  } else if (bucket !== undefined) {
    reason = atHome ? "unwatched" : "share";
    if (lane !== undefined && bucket < lane.threshold) variant = lane.variant;
    else control = lane !== undefined && bucket >= lane.controlFrom;
  }
  return {
    variant,
    reason,
    control,
    rollout: rollout.name,
    run: rollout.run,
    bucket,
    threshold,
    target: target?.name,
    keySource: found?.label,
    mirror: isOff ? undefined : mirrorOf(rollout, request, found),
  };
}

function firstTarget({ targets }: CompiledRollout, request: RequestFacts, subject: Subject): CompiledTarget | undefined {
  for (const target of targets) if (target.matches(request, subject)) return target;
  return undefined;
}

/** The variant that a trusted hop before decided, where the rollout obeys it and has that variant. */
function cohortOf({ statics, live }: CompiledRollout, request: RequestFacts): VariantName | undefined {
  const obey = statics.cohort?.obey;
  if (obey === undefined) return undefined;
  const variant = cohortIn(request.headers(BAGGAGE), obey);
  if (variant === undefined || (live.sharesOnly === true && variant !== STABLE)) return undefined;
  return Object.hasOwn(statics.variants, variant) && request.isTrustedPeer === true ? variant : undefined;
}

/** The cluster that gets a copy. */
function mirrorOf({ statics: { mirror }, live }: CompiledRollout, request: RequestFacts, found: FoundKey | undefined): string | undefined {
  if (mirror === undefined || live.copies === "none") return undefined;
  return mirrorVerdict(mirror, request, found?.key) === "copied" ? mirror.cluster : undefined;
}

/** Somebody whose bucketing key was found in a request. */
export interface FoundKey extends Subject {
  readonly key: string;
  readonly label: string;
}

/** Who is asked about in orders to switch off and in the conditions of targets. */
export const subjectOf = (found: FoundKey | undefined, segments: SegmentAnswers | undefined): Subject =>
  segments === undefined ? (found ?? NOBODY) : { key: found?.key, user: found?.user, segments };

/** The first key source that is present, with its value. */
export function firstKey(rollout: CompiledRollout, request: RequestFacts): FoundKey | undefined {
  for (const source of rollout.keys) {
    const key = source.read(request);
    if (key !== undefined) return { key, label: source.label, user: rollout.listsUsers ? userHash(rollout.seed, key) : undefined };
  }
  return undefined;
}
