import { STABLE, type VariantName } from "../../contract/rollout.ts";
import { BAGGAGE, cohortIn } from "./baggage.ts";
import { isControl, murmur3Text, userHash } from "./bucket.ts";
import type { CompiledRollout, CompiledRoute, CompiledRules } from "./compile.ts";
import { killedBy } from "./kills.ts";
import { hostName, pathMatches, pathOnly } from "./match.ts";
import { mirrorVerdict } from "./mirror.ts";
import { SegmentAnswers } from "./segments.ts";
import { type Decision, NOBODY, type RequestFacts, type Subject } from "./types.ts";

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

/** Off first, then targets in file order, then the cohort of a hop before, then the share. A key keeps its bucket while only the share changes. */
export function decide(rules: CompiledRules, request: RequestFacts): Decision {
  const rollout = governing(rules, request);
  return rollout === undefined ? NO_ROLLOUT : decideRollout(rollout, request, rules);
}

/** Whether the share of a rollout is sent home because nobody watches. */
export const isAtHome = ({ unwatched }: CompiledRules, { live }: CompiledRollout): boolean => unwatched && live.whenUnwatched === "stable";

/**
 * The rollout that governs a request, at most one. The most specific wins: its own host, then the longest `*.suffix`, then `*`; there an exact
 * path before a template before a longer prefix; then what asks more of method and headers; then the first by name.
 */
export function governing(rules: CompiledRules, request: RequestFacts): CompiledRollout | undefined {
  const host = hostName(request.host);
  const own = rules.byHost.get(host);
  if (own === undefined && rules.anyHost.length === 0 && rules.suffixHosts === 0) return undefined;
  const path = pathOnly(request.path);
  const holds = ({ path: wanted, rollout: { statics } }: CompiledRoute): boolean =>
    pathMatches(wanted, path) && (statics.narrower === undefined || statics.narrower(request, NOBODY));
  const exact = own?.find(holds);
  if (exact !== undefined) return exact.rollout;
  if (rules.suffixHosts > 0) {
    for (let dot = host.indexOf("."); dot > 0; dot = host.indexOf(".", dot + 1)) {
      const found = rules.byHost.get(`*${host.slice(dot)}`)?.find(holds);
      if (found !== undefined) return found.rollout;
    }
  }
  return rules.anyHost.find(holds)?.rollout;
}

/** Segments as one request asks for them; undefined where neither a rollout nor an order to switch off asks for any. */
export const askedOf = ({ segments, kills }: CompiledRules, { statics }: CompiledRollout): SegmentAnswers | undefined =>
  statics.segments.length > 0 || kills.segments.size > 0 ? new SegmentAnswers(segments) : undefined;

function decideRollout(rollout: CompiledRollout, request: RequestFacts, rules: CompiledRules): Decision {
  const atHome = isAtHome(rules, rollout);
  const threshold = atHome ? 0 : rollout.threshold;
  const found = firstKey(rollout, request);
  const subject = subjectOf(found, askedOf(rules, rollout));
  const isOff = rollout.off || killedBy(rules.kills, rollout, request, subject) !== undefined;
  const mirror = isOff ? undefined : mirrorOf(rollout, request, found);
  const base = { ...NO_ROLLOUT, rollout: rollout.name, run: rollout.run, threshold, mirror };
  // Whatever decides, the bucket stands for the user: outcomes are counted by user too.
  const bucket = found === undefined ? undefined : murmur3Text(found.key, rollout.seed);
  if (isOff) return { ...base, reason: "off", bucket, keySource: found?.label };
  const target = rollout.targets.find((candidate) => candidate.matches(request, subject));
  if (target !== undefined) {
    return { ...base, variant: target.variant, reason: "target", target: target.name, bucket, keySource: found?.label };
  }
  // Where nobody watches, a cohort goes home as shares do.
  const cohort = atHome ? undefined : cohortOf(rollout, request);
  if (cohort !== undefined) return { ...base, variant: cohort, reason: "cohort", bucket, keySource: found?.label };
  if (bucket === undefined) return { ...base, reason: "no key" };
  const variant = bucket < threshold ? rollout.statics.grown : STABLE;
  const control = variant === STABLE && isControl(bucket, threshold);
  return { ...base, variant, reason: atHome ? "unwatched" : "share", control, bucket, keySource: found?.label };
}

/** The variant that a trusted hop before decided, where the rollout obeys it and has that variant. */
function cohortOf({ statics }: CompiledRollout, request: RequestFacts): VariantName | undefined {
  const obey = statics.cohort?.obey;
  if (obey === undefined) return undefined;
  const variant = cohortIn(request.headers(BAGGAGE), obey);
  return variant !== undefined && Object.hasOwn(statics.variants, variant) && request.isTrustedPeer === true ? variant : undefined;
}

/** The cluster that gets a copy. */
function mirrorOf({ statics: { mirror } }: CompiledRollout, request: RequestFacts, found: FoundKey | undefined): string | undefined {
  if (mirror === undefined) return undefined;
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
