import type { RuleSet } from "../../contract/rules.ts";
import { BUCKETS } from "./bucket.ts";
import { compile } from "./compile.ts";
import { decide, firstKey, governing } from "./decide.ts";
import { hostName, pathMatches, pathOnly } from "./match.ts";
import type { Decision, RequestFacts } from "./types.ts";

/** One step of the answer to "why"; raw keys never stand in it. */
export interface ExplainStep {
  readonly step: "host" | "path" | "rollout" | "off" | "key" | "target" | "share" | "result";
  readonly rollout?: string;
  readonly text: string;
}

export interface Explanation {
  readonly decision: Decision;
  readonly epoch: number;
  readonly revision: number;
  readonly steps: readonly ExplainStep[];
}

/** The decision that a sidecar takes for this request, with every step that led to it. */
export function explain(ruleSet: RuleSet, request: RequestFacts, options: { unwatched?: boolean } = {}): Explanation {
  const rules = compile(ruleSet, options);
  const decision = decide(rules, request);
  const chosen = governing(rules, request);
  const steps = considered(ruleSet, request, chosen?.name);
  if (chosen !== undefined && decision.reason !== "off") {
    const found = firstKey(chosen, request);
    const tried = chosen.keys.map(({ label }) => label).join(", ");
    steps.push({ step: "key", text: found === undefined ? `none of ${tried} is present` : `the bucketing key comes from ${found.label}` });
    for (const target of chosen.targets) {
      const holds = target.matches(request, found?.key);
      steps.push({ step: "target", text: `target ${target.name} ${holds ? `holds: ${target.variant}` : "does not hold"}` });
      if (holds) break;
    }
  }
  if (decision.bucket !== undefined && decision.threshold !== undefined) steps.push({ step: "share", text: shareText(decision) });
  const result = `${decision.variant}, reason "${decision.reason}"${decision.rollout === undefined ? "" : `, run ${decision.run}`}`;
  steps.push({ step: "result", text: `${result}, revision ${rules.epoch}.${rules.revision}` });
  return { decision, epoch: rules.epoch, revision: rules.revision, steps };
}

function considered(ruleSet: RuleSet, request: RequestFacts, chosen: string | undefined): ExplainStep[] {
  const host = hostName(request.host);
  const path = pathOnly(request.path);
  return Object.keys(ruleSet.rollouts)
    .sort()
    .map((rollout): ExplainStep => {
      const { hosts = [], paths = [] } = ruleSet.rollouts[rollout]?.rules.match ?? {};
      if (!hosts.includes("*") && !hosts.includes(host))
        return { step: "host", rollout, text: `host ${host} is none of ${hosts.join(", ")}` };
      if (!paths.some((matcher) => pathMatches(matcher, path))) {
        return { step: "path", rollout, text: `path ${path} is under none of its paths` };
      }
      if (rollout !== chosen) return { step: "rollout", rollout, text: `matches, but ${chosen ?? "none"} is more specific` };
      const off = ruleSet.rollouts[rollout]?.live.off === true;
      return off
        ? { step: "off", rollout, text: "governs the request and is off: all to stable" }
        : { step: "rollout", rollout, text: "governs the request" };
    });
}

function shareText({ bucket = 0, threshold = 0, reason, control, variant }: Decision): string {
  const percent = `${((threshold / BUCKETS) * 100).toFixed(2)} %`;
  const compared =
    variant === "canary"
      ? `bucket ${bucket} is below the threshold ${threshold} (${percent})`
      : `bucket ${bucket} is not below the threshold ${threshold} (${percent})`;
  if (reason === "unwatched") return `${compared}: no controller watches, so the share went home`;
  return control ? `${compared}, in the control slice` : compared;
}
