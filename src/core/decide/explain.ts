import type { PathMatch } from "../../contract/conditions.ts";
import { STABLE } from "../../contract/rollout.ts";
import type { LiveRule } from "../../contract/rules.ts";
import { byName, type CompiledRules } from "./compile.ts";
import type { CompiledRollout } from "./compiled-rollout.ts";
import { askedOf, decide, decideToggles, firstKey, isAtHome, isShadowed, subjectOf } from "./decide.ts";
import { cohortSteps, upstreamSteps } from "./explain-upstream.ts";
import { type KilledBy, killedBy } from "./kills.ts";
import { laneAt } from "./lanes.ts";
import { hostMatches, hostName, pathMatches, pathOnly } from "./match.ts";
import type { Membership } from "./segments.ts";
import { revisionText } from "./tags.ts";
import { failureText } from "./told.ts";
import { type Decision, type ExplainStep, NOBODY, type RequestFacts } from "./types.ts";

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
export function explain(rules: CompiledRules, request: RequestFacts): Explanation {
  const decision = decide(rules, request);
  const toggles = decideToggles(rules, request);
  const steps = considered(rules, request, { chosen: decision.rollout, toggles });
  for (const each of [...toggles, decision]) {
    const rollout = rules.rollouts.get(each.rollout ?? "");
    if (rollout !== undefined) steps.push(...insideSteps(rollout, request, each, rules), ...upstreamSteps(rollout, request, each, rules));
    steps.push(resultStep(each, rules, each === decision));
  }
  const told = steps.map((step) => ({ ...step, text: cut(step.text) }));
  return { decision, toggles, epoch: rules.epoch, revision: rules.revision, steps: told };
}

function resultStep({ rollout, run, variant, reason }: Decision, rules: CompiledRules, isLast: boolean): ExplainStep {
  const ofRun = rollout === undefined ? "" : ` of run ${run}`;
  const text = `${variant}, reason "${reason}", by revision ${revisionText(rules)}${ofRun}`;
  return { step: "result", ...(!isLast && rollout !== undefined && { rollout }), text };
}

/** What names and conditions add up to; a longer text says no more to who reads it. */
const LONGEST_TEXT = 300;

const cut = (text: string): string => (text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 3)}...`);

/** An explanation as JSON in ASCII, for a header. Of one that is longer than `most` characters the first steps are left out. */
export function explanationHeader(explanation: Explanation, most: number): string {
  const whole = asciiJson(explanation);
  if (whole.length <= most) return whole;
  const { steps } = explanation;
  // Of more toggles than half of the room holds only the steps are told.
  const toggles = asciiJson(explanation.toggles).length > most / 2 ? [] : explanation.toggles;
  const cutTo = (kept: readonly ExplainStep[]): string => {
    const text = `${steps.length - kept.length} steps are left out: \`serin explain\` tells them all`;
    return asciiJson({ ...explanation, toggles, steps: [{ step: "cut", text }, ...kept] });
  };
  let room = most - cutTo([]).length;
  const kept = steps.findLastIndex((step) => (room -= asciiJson(step).length + ",".length) < 0);
  return cutTo(steps.slice(kept + 1));
}

/** The characters of header values (RFC 9110, 5.5) without those that only some let through. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Where there are more, only those of the request's host are told one by one, and so many of them. */
const MOST_CONSIDERED = 20;

/** Who takes part in the answer. */
interface Found {
  /** Name of the rollout that governs. */
  readonly chosen: string | undefined;
  readonly toggles: readonly Decision[];
}

function considered(rules: CompiledRules, request: RequestFacts, found: Found): ExplainStep[] {
  const host = hostName(request.host);
  const size = rules.rollouts.size;
  const ofHost = size > MOST_CONSIDERED ? rolloutsOf(rules, host, found) : [...rules.rollouts.values()];
  const told = ofHost.slice(0, MOST_CONSIDERED).map((rollout) => [rollout.name, rollout] as const);
  const steps = told.toSorted(byName).map(([, rollout]) => consideredStep(rollout, request, found));
  const left = size - steps.length;
  if (left === 0) return steps;
  const others = `${ofHost.length - steps.length} for ${host}, which it outranks or which ask for something else`;
  const more = ofHost.length > steps.length ? `, of them ${others}` : `, none of them for ${host}`;
  return [...steps, { step: "others", text: `${left} more rollouts${more}` }];
}

/** Each rollout of a host once: those that take part, then the most specific first. */
function rolloutsOf({ rollouts, routing, toggles }: CompiledRules, host: string, found: Found): CompiledRollout[] {
  const below = [...host.matchAll(/\./g)].map(({ index }) => `*${host.slice(index)}`);
  const ofHost = [routing, toggles].flatMap(({ byHost, anyHost }) =>
    [...[host, ...below].map((name) => byHost.get(name)), anyHost].flatMap((routes) => routes?.all ?? []),
  );
  const first = [found.chosen, ...found.toggles.map(({ rollout }) => rollout)].flatMap((name = "") => rollouts.get(name) ?? []);
  return [...new Set([...first, ...ofHost.map(({ rollout }) => rollout)])];
}

function consideredStep({ name: rollout, statics, live }: CompiledRollout, request: RequestFacts, { chosen, toggles }: Found): ExplainStep {
  const { hosts, paths, asks } = statics;
  const [host, path] = [hostName(request.host), pathOnly(request.path)];
  if (!hosts.some((pattern) => hostMatches(pattern, host)))
    return { step: "host", rollout, text: `host ${host} is none of ${hosts.join(", ")}` };
  if (!paths.some((matcher) => pathMatches(matcher, path)))
    return { step: "path", rollout, text: `path ${path} is not ${paths.map(pathText).join(" or ")}` };
  if (asks?.meets(request, NOBODY) === false) return { step: "match", rollout, text: failureText(asks, request, NOBODY) };
  if (toggles.some((toggle) => toggle.rollout === rollout))
    return { step: "rollout", rollout, text: `sets its tags with ${sharesText(live)}, run ${live.run}` };
  if (rollout !== chosen) return { step: "rollout", rollout, text: `matches, but ${chosen} goes first: more specific, or first by name` };
  return { step: "rollout", rollout, text: `governs the request with ${sharesText(live)}, run ${live.run}` };
}

const sharesText = ({ shareBp, shares = {}, groups }: LiveRule): string =>
  [
    `a share of ${shareBp / 100} %${groups === undefined ? "" : ` (the new version is on at ${groups})`}`,
    ...Object.entries(shares).map(([name, share]) => `${share / 100} % of ${name}`),
  ].join(", ");

function pathText(matcher: PathMatch): string {
  if ("exact" in matcher) return `exactly ${matcher.exact}`;
  return "prefix" in matcher ? `under ${matcher.prefix}` : `of the form ${matcher.template}`;
}

function insideSteps(chosen: CompiledRollout, request: RequestFacts, decision: Decision, rules: CompiledRules): ExplainStep[] {
  const rollout = chosen.name;
  if (chosen.isStopped)
    return [{ step: "off", rollout, text: "this sidecar saw the canary fail and stopped it by itself: everyone to stable" }];
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
  const segments = askedOf(rules, chosen);
  const who = subjectOf(found, segments);
  const killed = killedBy(rules.kills, chosen, request, who);
  if (killed !== undefined) return [...steps, { step: "off", rollout, text: killedText(killed, rules) }];
  if (isShadowed(chosen))
    return [
      ...steps,
      { step: "share", rollout, text: "a shadow alone gets the new version, targets and cohorts wait: everyone to stable" },
    ];
  if (chosen.targets.length < chosen.statics.targets.length)
    steps.push({ step: "target", rollout, text: "the rollout goes back in steps: targets lead to stable alone" });
  let told = 0;
  for (const { name, variant, when } of chosen.targets) {
    const holds = when.meets(request, who);
    const given = segments?.given ?? [];
    for (const [segment, membership] of given.slice(told))
      steps.push({ step: "segment", rollout, text: membershipText(segment, membership) });
    told = given.length;
    const text = holds ? `holds: ${variant}` : `does not hold: ${failureText(when, request, who)}`;
    steps.push({ step: "target", rollout, text: `target ${name} ${text}` });
    if (holds) return steps;
  }
  steps.push(...cohortSteps(chosen, request, isAtHome(rules, chosen)));
  if (decision.reason === "cohort") return steps;
  if (decision.bucket !== undefined) steps.push({ step: "share", rollout, text: shareText(chosen, decision.bucket, decision) });
  return steps;
}

function killedText(killed: KilledBy, { segments }: CompiledRules): string {
  if (typeof killed === "string") return "switched off by an operator: stable";
  const { segment } = killed;
  if (segments.has(segment)) return `switched off by an operator, as all in segment ${segment}: stable`;
  return `switched off by an operator, as all in segment ${segment}; it is not known here, so everybody may be in it: stable`;
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
      return `there is no segment ${name}, so nobody is known to be in it, or not to be`;
  }
}

function shareText({ lanes }: CompiledRollout, bucket: number, { threshold, reason, control, variant }: Decision): string {
  const lane = laneAt(lanes, bucket);
  if (lane === undefined) return `bucket ${bucket} is in nobody's lane`;
  const where = lanes.length === 1 ? "" : `in the lane of ${lane.variant}, `;
  const compared = `bucket ${bucket} is ${where}${variant === STABLE ? "not below" : "below"} the threshold ${threshold}`;
  if (reason === "unwatched") return `${compared}: no controller watches, so the share went back to stable`;
  return control ? `${compared}, and in the control slice` : compared;
}
