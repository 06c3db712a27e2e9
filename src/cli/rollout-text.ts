import type { KeySource, Rollout } from "../contract/rollout.ts";
import { type Stage, stagesOf } from "../contract/stages.ts";
import { duration, share } from "./format.ts";

/** What a rollout will do, in some lines for people: presets are written out. */
export function rolloutLines({ match, key, strategy, checks }: Rollout): string[] {
  const paths = match.paths.map((path) => Object.entries(path).join(", ").replaceAll(",", " "));
  return [
    `  hosts ${match.hosts.join(", ")}${paths.length === 0 ? "" : `, paths ${paths.join(", ")}`}`,
    `  key ${key.map(sourceText).join(", then ")}`,
    ...stagesOf(strategy).map(stageLine),
    `  checks: errors at most ${points(checks.errors.maxIncrease)} worse than stable, slow requests at most ${points(checks.latency.maxIncrease)}`,
  ];
}

const points = (ratio: number): string => `${Number((ratio * 100).toFixed(4))} ${ratio === 0.01 ? "point" : "points"}`;

const stageLine = (stage: Stage, index: number): string => {
  const others = Object.entries(stage.shares ?? {}).map(([name, bp]) => `, ${share(bp)} on ${name}`);
  return `  stage ${index + 1}: ${share(stage.share)}${others.join("")} for ${duration(stage.minTime)} at least, ${stage.minSample} outcomes of the canary`;
};

function sourceText(source: KeySource): string {
  if ("clientAddress" in source) return "the client's address";
  if ("issued" in source) return `issued cookie ${source.issued.cookie}`;
  return Object.entries(source).flat().join(" ");
}
