import type { PathMatch } from "../../contract/conditions.ts";
import { type Match, STABLE } from "../../contract/rollout.ts";
import type { ReadyRuleSet, RuleSet } from "../../contract/rules.ts";
import { byName, type CompiledRollout, type CompiledRules, compile } from "./compile.ts";
import { askedOf, decide, firstKey, governing, subjectOf } from "./decide.ts";
import { hostMatches, hostName, pathMatches, pathOnly } from "./match.ts";
import type { Membership, SegmentAnswers } from "./segments.ts";
import { type Decision, NOBODY, type RequestFacts } from "./types.ts";

/** One step of the answer to "why"; raw keys never stand in it. */
export interface ExplainStep {
  readonly step: "host" | "path" | "match" | "rollout" | "off" | "key" | "segment" | "target" | "share" | "result";
  /** The rollout that was considered, where the step is about one. */
  readonly rollout?: string;
  readonly text: string;
}

/** A decision with its whole reason, ready to print as JSON. */
export interface Explanation {
  readonly decision: Decision;
  readonly epoch: number;
  readonly revision: number;
  readonly steps: readonly ExplainStep[];
}

/** The decision that a sidecar takes for this request, with every step that led to it. */
export function explain(ruleSet: ExplainedRules, request: RequestFacts, options: { unwatched?: boolean } = {}): Explanation {
  const rules = compile(ruleSet, options);
  const decision = decide(rules, request);
  const chosen = governing(rules, request);
  const steps = considered(ruleSet, request, { rules, chosen: chosen?.name });
  if (chosen !== undefined) steps.push(...insideSteps({ chosen, segments: askedOf(rules, chosen) }, request, decision));
  const run = decision.rollout === undefined ? "" : ` of run ${decision.run}`;
  const text = `${decision.variant}, reason "${decision.reason}", by revision ${rules.epoch}.${rules.revision}${run}`;
  return { decision, epoch: rules.epoch, revision: rules.revision, steps: [...steps, { step: "result", text }] };
}

/** A rule set of a file, or of the store, where the users of segments are tables already. */
export type ExplainedRules = Omit<RuleSet, "segments"> & Pick<ReadyRuleSet, "segments">;

interface Found {
  readonly rules: CompiledRules;
  /** Name of the rollout that governs. */
  readonly chosen: string | undefined;
}

function considered(ruleSet: ExplainedRules, request: RequestFacts, { rules: compiled, chosen }: Found): ExplainStep[] {
  const host = hostName(request.host);
  const path = pathOnly(request.path);
  return Object.entries(ruleSet.rollouts)
    .toSorted(byName)
    .map(([rollout, { rules, live }]): ExplainStep => {
      const { hosts, paths } = rules.match;
      if (!hosts.some((pattern) => hostMatches(pattern, host)))
        return { step: "host", rollout, text: `host ${host} is none of ${hosts.join(", ")}` };
      if (!paths.some((matcher) => pathMatches(matcher, path))) {
        return { step: "path", rollout, text: `path ${path} is not ${paths.map(pathText).join(" or ")}` };
      }
      if (compiled.rollouts.get(rollout)?.statics.narrower?.(request, NOBODY) === false)
        return { step: "match", rollout, text: narrowerText(rules.match, request) };
      if (rollout !== chosen)
        return { step: "rollout", rollout, text: `matches, but ${chosen} goes first: more specific, or first by name` };
      return { step: "rollout", rollout, text: `governs the request with a share of ${live.shareBp / 100}%, run ${live.run}` };
    });
}

/** Why method or headers are not as asked; a header's value may be somebody's, so it is not shown. */
function narrowerText({ methods, headers = [] }: Match, { method }: RequestFacts): string {
  if (methods !== undefined && !methods.includes(method)) return `method ${method} is none of ${methods.join(", ")}`;
  return `not all of these headers are as asked: ${headers.map(({ name }) => name).join(", ")}`;
}

function pathText(matcher: PathMatch): string {
  if ("exact" in matcher) return `exactly ${matcher.exact}`;
  return "prefix" in matcher ? `under ${matcher.prefix}` : `of the form ${matcher.template}`;
}

interface Asked {
  readonly chosen: CompiledRollout;
  readonly segments: SegmentAnswers | undefined;
}

function insideSteps({ chosen, segments }: Asked, request: RequestFacts, decision: Decision): ExplainStep[] {
  const rollout = chosen.name;
  if (chosen.off) return [{ step: "off", rollout, text: "the rollout is off: everyone to stable" }];
  const found = firstKey(chosen, request);
  const tried = chosen.keys.map(({ label }) => label).join(", ");
  const steps: ExplainStep[] = [
    {
      step: "key",
      rollout,
      text: found === undefined ? `no bucketing key: tried ${tried}` : `the bucketing key comes from ${found.label}`,
    },
  ];
  const subject = subjectOf(found, segments);
  let told = 0;
  for (const target of chosen.targets) {
    const holds = target.matches(request, subject);
    const given = segments?.given ?? [];
    for (const [name, membership] of given.slice(told)) steps.push({ step: "segment", rollout, text: membershipText(name, membership) });
    told = given.length;
    steps.push({ step: "target", rollout, text: `target ${target.name} ${holds ? `holds: ${target.variant}` : "does not hold"}` });
    if (holds) return steps;
  }
  if (decision.bucket !== undefined) steps.push({ step: "share", rollout, text: shareText(decision.bucket, decision) });
  return steps;
}

function membershipText(name: string, membership: Membership): string {
  switch (membership) {
    case "listed":
      return `segment ${name} holds: the user is listed`;
    case "condition":
      return `segment ${name} holds by its condition`;
    case "out":
      return `segment ${name} does not hold`;
    case "unknown":
      return `there is no segment ${name}, so nobody is in it`;
  }
}

function shareText(bucket: number, { threshold, reason, control, variant }: Decision): string {
  const compared = `bucket ${bucket} is ${variant === STABLE ? "not below" : "below"} the threshold ${threshold}`;
  if (reason === "unwatched") return `${compared}: no controller watches, so the share went back to stable`;
  return control ? `${compared}, and in the control slice` : compared;
}
