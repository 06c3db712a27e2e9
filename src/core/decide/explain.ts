import type { PathMatch } from "../../contract/conditions.ts";
import { type Match, STABLE } from "../../contract/rollout.ts";
import type { LiveRule, RuleSet } from "../../contract/rules.ts";
import { byName, type CompiledRules, compile } from "./compile.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { decide, decideToggles, firstKey } from "./decide.ts";
import { laneAt } from "./lanes.ts";
import { hostMatches, hostName, pathMatches, pathOnly } from "./match.ts";
import { type Decision, NOBODY, type RequestFacts } from "./types.ts";

/** One step of the answer to "why"; raw keys never stand in it. */
export interface ExplainStep {
  readonly step: "host" | "path" | "match" | "rollout" | "off" | "key" | "target" | "share" | "result";
  /** The rollout that was considered, where the step is about one. */
  readonly rollout?: string;
  readonly text: string;
}

/** A decision with its whole reason, ready to print as JSON. */
export interface Explanation {
  readonly decision: Decision;
  /** Of rollouts that only set tags, in the order of their names. */
  readonly toggles: readonly Decision[];
  readonly epoch: number;
  readonly revision: number;
  readonly steps: readonly ExplainStep[];
}

/** The decision that a sidecar takes for this request, with every step that led to it. */
export function explain(ruleSet: RuleSet, request: RequestFacts, options: { unwatched?: boolean } = {}): Explanation {
  const rules = compile(ruleSet, options);
  const decision = decide(rules, request);
  const toggles = decideToggles(rules, request);
  const steps = considered(ruleSet, request, { rules, chosen: decision.rollout, toggles });
  for (const each of [...toggles, decision]) {
    const rollout = rules.rollouts.get(each.rollout ?? "");
    if (rollout !== undefined) steps.push(...insideSteps(rollout, request, each));
    if (each !== decision) steps.push({ step: "result", rollout: each.rollout ?? "", text: resultText(each, rules) });
  }
  const result: ExplainStep = { step: "result", text: resultText(decision, rules) };
  return { decision, toggles, epoch: rules.epoch, revision: rules.revision, steps: [...steps, result] };
}

function resultText({ rollout, run, variant, reason }: Decision, { epoch, revision }: CompiledRules): string {
  const ofRun = rollout === undefined ? "" : ` of run ${run}`;
  return `${variant}, reason "${reason}", by revision ${epoch}.${revision}${ofRun}`;
}

interface Found {
  readonly rules: CompiledRules;
  /** Name of the rollout that governs. */
  readonly chosen: string | undefined;
  readonly toggles: readonly Decision[];
}

function considered(ruleSet: RuleSet, request: RequestFacts, { rules: compiled, chosen, toggles }: Found): ExplainStep[] {
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
      if (toggles.some((toggle) => toggle.rollout === rollout))
        return { step: "rollout", rollout, text: `sets its tags with ${sharesText(live)}, run ${live.run}` };
      if (rollout !== chosen)
        return { step: "rollout", rollout, text: `matches, but ${chosen} goes first: more specific, or first by name` };
      return { step: "rollout", rollout, text: `governs the request with ${sharesText(live)}, run ${live.run}` };
    });
}

const sharesText = ({ shareBp, shares = {} }: LiveRule): string =>
  [`a share of ${shareBp / 100}%`, ...Object.entries(shares).map(([name, share]) => `${share / 100}% of ${name}`)].join(", ");

/** Why method or headers are not as asked; a header's value may be somebody's, so it is not shown. */
function narrowerText({ methods, headers = [] }: Match, { method }: RequestFacts): string {
  if (methods !== undefined && !methods.includes(method)) return `method ${method} is none of ${methods.join(", ")}`;
  return `not all of these headers are as asked: ${headers.map(({ name }) => name).join(", ")}`;
}

function pathText(matcher: PathMatch): string {
  if ("exact" in matcher) return `exactly ${matcher.exact}`;
  return "prefix" in matcher ? `under ${matcher.prefix}` : `of the form ${matcher.template}`;
}

function insideSteps(chosen: CompiledRollout, request: RequestFacts, decision: Decision): ExplainStep[] {
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
  for (const target of chosen.targets) {
    const holds = target.matches(request, found ?? NOBODY);
    steps.push({ step: "target", rollout, text: `target ${target.name} ${holds ? `holds: ${target.variant}` : "does not hold"}` });
    if (holds) return steps;
  }
  if (decision.bucket !== undefined) steps.push({ step: "share", rollout, text: shareText(chosen, decision.bucket, decision) });
  return steps;
}

function shareText({ lanes }: CompiledRollout, bucket: number, { reason, control, variant, threshold }: Decision): string {
  const lane = laneAt(lanes, bucket);
  if (lane === undefined) return `bucket ${bucket} is in nobody's lane`;
  const where = lanes.length === 1 ? "" : `in the lane of ${lane.variant}, `;
  const compared = `bucket ${bucket} is ${where}${variant === STABLE ? "not below" : "below"} the threshold ${threshold}`;
  if (reason === "unwatched") return `${compared}: no controller watches, so the share went back to stable`;
  return control ? `${compared}, and in the control slice` : compared;
}
