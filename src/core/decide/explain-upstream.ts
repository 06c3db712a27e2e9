import { STABLE } from "../../contract/names.ts";
import { BAGGAGE, cohortIn } from "./baggage.ts";
import type { CompiledRules } from "./compile.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { firstKey } from "./decide.ts";
import { type CompiledMirror, type MirrorVerdict, mirrorVerdict } from "./mirror.ts";
import { sentMember, tagsOf } from "./tags.ts";
import type { Decision, ExplainStep, RequestFacts } from "./types.ts";

/** Whether the cohort of a hop before was obeyed, and why not; nothing where the rollout obeys none. */
export function cohortSteps({ name, statics, live }: CompiledRollout, request: RequestFacts, atHome: boolean): ExplainStep[] {
  const obey = statics.cohort?.obey;
  if (obey === undefined) return [];
  const variant = cohortIn(request.headers(BAGGAGE), obey);
  const text = (): string => {
    if (variant === undefined) return `the baggage holds no cohort of ${obey}`;
    // What comes from anybody is not repeated.
    if (request.isTrustedPeer !== true) return `the baggage holds a cohort of ${obey}, but the peer is not trusted`;
    if (atHome) return `the baggage says ${variant} for ${obey}, but no controller watches: cohorts go home as shares do`;
    if (!Object.hasOwn(statics.variants, variant)) return `the baggage says ${variant} for ${obey}, which is no variant here`;
    if (live.sharesOnly === true && variant !== STABLE)
      return `the baggage says ${variant} for ${obey}, but the rollout goes back in steps: the share alone decides`;
    return `the baggage of a trusted peer says ${variant} for ${obey}`;
  };
  return [{ step: "cohort", rollout: name, text: text() }];
}

/** What the upstream, later hops and a shadow get of a decision. */
export function upstreamSteps(chosen: CompiledRollout, request: RequestFacts, decision: Decision, rules: CompiledRules): ExplainStep[] {
  const rollout = chosen.name;
  const { mirror } = chosen.statics;
  const tags = tagsOf(decision, rules).map(([name, value]) => `${name}: ${value}`);
  const member = sentMember(decision, rules);
  const steps: ExplainStep[] = [];
  if (mirror !== undefined && !chosen.off) {
    const verdict = mirrorVerdict(mirror, request, firstKey(chosen, request)?.key);
    const text = chosen.live.copies === "none" ? "no copy: the shadow had its time" : mirrorText(mirror, verdict, request);
    steps.push({ step: "mirror", rollout, text });
  }
  if (member !== undefined) steps.push({ step: "baggage", rollout, text: `later hops are told ${member}` });
  if (tags.length > 0) steps.push({ step: "tags", rollout, text: `the upstream is told ${tags.join(", ")}` });
  return steps;
}

function mirrorText({ cluster, shareBp, methods }: CompiledMirror, verdict: MirrorVerdict, { method }: RequestFacts): string {
  const share = `the share of ${shareBp / 100} % that is copied`;
  switch (verdict) {
    case "copied":
      return `in ${share}: cluster ${cluster} gets a copy`;
    case "share":
      return `not in ${share}`;
    case "method":
      return `no copy: method ${method} is none of ${[...methods].join(", ")}`;
    case "session":
      return "no copy: the request asks for a session";
    case "no key":
      return "no copy: without a bucketing key there is no share";
  }
}
