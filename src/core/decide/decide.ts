import { isControl, murmur3Text, userHash } from "./bucket.ts";
import type { CompiledRollout, CompiledRoute, CompiledRules } from "./compile.ts";
import { hostName, pathMatches, pathOnly } from "./match.ts";
import type { Decision, RequestFacts } from "./types.ts";

/** The answer where no rollout governs. */
export const NO_ROLLOUT: Decision = {
  variant: "stable",
  reason: "no rollout",
  control: false,
  rollout: undefined,
  run: 0,
  bucket: undefined,
  threshold: undefined,
  target: undefined,
  keySource: undefined,
};

/** Off first, then targets in file order, then the share. A key keeps its bucket while only the share changes. */
export function decide(rules: CompiledRules, request: RequestFacts): Decision {
  const rollout = governing(rules, request);
  return rollout === undefined ? NO_ROLLOUT : decideRollout(rollout, request);
}

/**
 * The rollout that governs a request, at most one. The most specific wins: its own host before "*", then an exact path before
 * a longer prefix before a shorter one, then the first by name.
 */
export function governing(rules: CompiledRules, request: RequestFacts): CompiledRollout | undefined {
  const own = rules.byHost.get(hostName(request.host));
  if (own === undefined && rules.anyHost.length === 0) return undefined;
  const path = pathOnly(request.path);
  const holds = (route: CompiledRoute): boolean => pathMatches(route.path, path);
  return (own?.find(holds) ?? rules.anyHost.find(holds))?.rollout;
}

function decideRollout(rollout: CompiledRollout, request: RequestFacts): Decision {
  const base = { ...NO_ROLLOUT, rollout: rollout.name, run: rollout.run, threshold: rollout.threshold };
  const found = firstKey(rollout, request);
  // Whatever decides, the bucket stands for the user: outcomes are counted by user too.
  const bucket = found === undefined ? undefined : murmur3Text(found.key, rollout.seed);
  if (rollout.off) return { ...base, reason: "off", bucket, keySource: found?.label };
  const target = rollout.targets.find((candidate) => candidate.matches(request, found?.user));
  if (target !== undefined) {
    return { ...base, variant: target.variant, reason: "target", target: target.name, bucket, keySource: found?.label };
  }
  if (bucket === undefined) return { ...base, reason: "no key" };
  const variant = bucket < rollout.threshold ? "canary" : "stable";
  const control = variant === "stable" && isControl(bucket, rollout.threshold);
  return { ...base, variant, reason: rollout.shareReason, control, bucket, keySource: found?.label };
}

/** A bucketing key as found in a request; `user` is its hash, where some target lists users. */
export interface FoundKey {
  readonly key: string;
  readonly label: string;
  readonly user: string | undefined;
}

/** The first key source that is present, with its value. */
export function firstKey(rollout: CompiledRollout, request: RequestFacts): FoundKey | undefined {
  for (const source of rollout.keys) {
    const key = source.read(request);
    if (key !== undefined) return { key, label: source.label, user: rollout.listsUsers ? userHash(rollout.seed, key) : undefined };
  }
  return undefined;
}
