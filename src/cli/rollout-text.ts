import { rampOf, stagesOf, templateOf } from "../contract/course.ts";
import { heldBackBp, RAMP_CAP_BP, type Ramp } from "../contract/ramp.ts";
import type { KeySource, Rollout } from "../contract/rollout.ts";
import type { Stage } from "../contract/stages.ts";
import type { BlueGreen, Strategy } from "../contract/strategy.ts";
import { duration, share } from "../told/format.ts";

/** What a rollout will do, in some lines for people: presets are written out. */
export function rolloutLines({ match, key, strategy, checks }: Rollout, template?: string): string[] {
  const ramp = rampOf(strategy);
  const paths = match.paths.map((path) => Object.entries(path).join(", ").replaceAll(",", " "));
  return [
    `  hosts ${match.hosts.join(", ")}${paths.length === 0 ? "" : `, paths ${paths.join(", ")}`}`,
    `  key ${key.map(sourceText).join(", then ")}`,
    ...(template === undefined
      ? []
      : [`  strategy from template ${template}${templateOf(strategy) === undefined ? "" : ", looked up when it is applied"}`]),
    ...firstLines(strategy),
    ...(templateOf(strategy) === undefined ? stagesOf(strategy).map(stageLine) : []),
    ...(ramp === undefined ? [] : [rampLine(ramp), holdbackLine(ramp)]),
    `  checks: errors at most ${points(checks.errors.maxIncrease)} worse than stable, slow requests at most ${points(checks.latency.maxIncrease)}`,
    ...furtherLines(checks),
  ];
}

/** What comes before any stages, or in their place. */
function firstLines(strategy: Strategy): string[] {
  if ("use" in strategy) return [];
  switch (strategy.type) {
    case "canary":
      return [];
    case "blueGreen":
      return [
        `  preview: targets alone, then 100 % ${promoteText(strategy.preview.promote)}`,
        `  stable kept warm for ${duration(strategy.keepWarm)} after promotion`,
      ];
    case "abTest": {
      const shares = Object.entries(strategy.shares).map(([name, bp]) => `${share(bp)} on ${name}`);
      const end = strategy.atEnd === "wait" ? "then a report, and a person decides" : "then a report, and everyone goes back to stable";
      return [`  test: ${shares.join(", ")} for ${duration(strategy.time)}, ${end}`];
    }
    case "toggle":
      return [`  on for ${share(strategy.share)} of the users and its targets, overdue after ${duration(strategy.staleAfter)}`];
    case "rolling":
      return [
        `  by ${strategy.by}${strategy.order === undefined ? "" : `, first ${strategy.order.join(", ")}`}: ${share(strategy.share)} of each group, ${duration(strategy.minTime)} and ${strategy.minSample} outcomes of the canary at least`,
      ];
    case "mirror":
      return [`  shadow first: ${duration(strategy.shadow.minTime)} and ${strategy.shadow.minSample} answers of the shadow at least`];
  }
}

function promoteText(promote: BlueGreen["preview"]["promote"]): string {
  if (promote === "byHand") return "by `serin promote`";
  return "after" in promote ? `by order of the plan after ${duration(promote.after)}` : "when the evidence calls it safe";
}

/** What a rollout asks for beyond errors and latency. */
function furtherLines({ errors: { objective }, saturation, own = [], onNoData }: Rollout["checks"]): string[] {
  const named = own.map((check) => {
    const form = FORMS.find((name) => name in check);
    return `${check.name} (${form}, ${weightText("weight" in check ? check.weight : "advisory")})`;
  });
  if (saturation !== undefined) named.push("saturation (gauge, advisory)");
  return [
    ...(objective === undefined ? [] : [`  objective: ${share(objective * 10_000)} errors at most`]),
    ...(named.length === 0 ? [] : [`  own checks: ${named.join(", ")}`]),
    ...(onNoData === "rollback" ? ["  rolled back when no outcome of the canary comes for 10 min"] : []),
  ];
}

const FORMS = ["prometheus", "gauge", "webhook", "feedback"] as const;

const weightText = (weight: number | string): string => (typeof weight === "number" ? `weight ${weight}` : weight);

const points = (ratio: number): string => `${Number((ratio * 100).toFixed(4))} ${ratio === 0.01 ? "point" : "points"}`;

const stageLine = (stage: Stage, index: number): string => {
  const others = Object.entries(stage.shares ?? {}).map(([name, bp]) => `, ${share(bp)} on ${name}`);
  return `  stage ${index + 1}: ${share(stage.share)}${others.join("")} for ${duration(stage.minTime)} at least, ${stage.minSample} outcomes of the canary`;
};

const rampLine = ({ startBp, budget, minTimeMs, maxTimeMs }: Ramp): string => {
  const start = startBp === undefined ? `from what ${budget} failed requests allow` : `from ${share(startBp)}`;
  return `  ramp: ${start} to ${share(RAMP_CAP_BP)} by the evidence, ${duration(minTimeMs)} at least, paused after ${duration(maxTimeMs)} without proof`;
};

const holdbackLine = (ramp: Ramp): string => `  then ${share(heldBackBp(ramp))} for ${duration(ramp.holdback.timeMs)}, then 100 %`;

function sourceText(source: KeySource): string {
  if ("clientAddress" in source) return "the client's address";
  if ("issued" in source) return `issued cookie ${source.issued.cookie}`;
  return Object.entries(source).flat().join(" ");
}
