import { STABLE, type VariantName } from "../../contract/rollout.ts";
import { murmur3Text, userHash } from "./bucket.ts";
import type { CompiledRules } from "./compile.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { allRollouts, firstRollout, isEmpty } from "./host-index.ts";
import { laneAt } from "./lanes.ts";
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
};

/** What is decided of the one rollout that governs a request; stable without one. */
export function decide(rules: CompiledRules, request: RequestFacts): Decision {
  const rollout = governing(rules, request);
  return rollout === undefined ? NO_ROLLOUT : decideRollout(rollout, request);
}

const NONE: readonly Decision[] = [];

/** What is decided of the rollouts that only set tags, in the order of their names: each that matches counts. */
export function decideToggles({ toggles }: CompiledRules, request: RequestFacts): readonly Decision[] {
  if (isEmpty(toggles)) return NONE;
  const found = allRollouts(toggles, request);
  return found.length === 0 ? NONE : found.map((rollout) => decideRollout(rollout, request));
}

/**
 * The rollout that governs a request, at most one. The most specific wins: its own host, then the longest `*.suffix`, then `*`; there an exact
 * path before a template before a longer prefix; then what asks more of method and headers; then the first by name.
 */
export function governing({ routing }: CompiledRules, request: RequestFacts): CompiledRollout | undefined {
  return isEmpty(routing) ? undefined : firstRollout(routing, request);
}

/** Off first, then targets in file order, then the share. A key keeps its bucket while only the share changes. */
function decideRollout(rollout: CompiledRollout, request: RequestFacts): Decision {
  const found = firstKey(rollout, request);
  // Whatever decides, the bucket stands for the user: outcomes are counted by user too.
  const bucket = found === undefined ? undefined : murmur3Text(found.key, rollout.seed);
  const lane = bucket === undefined ? undefined : laneAt(rollout.lanes, bucket);
  const threshold = lane === undefined ? rollout.threshold : lane.threshold;
  let variant: VariantName = STABLE;
  let reason: Reason = "no key";
  let control = false;
  const target = rollout.off ? undefined : firstTarget(rollout, request, found ?? NOBODY);
  if (rollout.off) reason = "off";
  else if (target !== undefined) {
    variant = target.variant;
    reason = "target";
  } else if (bucket !== undefined) {
    reason = rollout.shareReason;
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
  };
}

function firstTarget({ targets }: CompiledRollout, request: RequestFacts, subject: Subject): CompiledTarget | undefined {
  for (const target of targets) if (target.matches(request, subject)) return target;
  return undefined;
}

/** Somebody whose bucketing key was found in a request. */
export interface FoundKey extends Subject {
  readonly key: string;
  readonly label: string;
}

/** The first key source that is present, with its value. */
export function firstKey(rollout: CompiledRollout, request: RequestFacts): FoundKey | undefined {
  for (const source of rollout.keys) {
    const key = source.read(request);
    if (key !== undefined) return { key, label: source.label, user: rollout.listsUsers ? userHash(rollout.seed, key) : undefined };
  }
  return undefined;
}
