import { rampOf, stagesOf, templateOf } from "./course.ts";
import { grownVariant, shareFaults, stageFaults, variantsBeside } from "./lanes.ts";
import { SHADOW_VARIANTS } from "./names.ts";
import { rampFault } from "./ramp.ts";
import type { AbTest, Strategy } from "./strategy.ts";
import { isTagOnly, type Variants } from "./variants.ts";

/** The parts of a rollout that its strategy must fit. */
interface Planned {
  readonly variants: Variants;
  readonly strategy: Strategy;
  readonly group?: string | undefined;
  readonly promotion?: unknown;
  readonly mirror?: unknown;
}

/** What is wrong with a strategy for this rollout, and where. */
interface StrategyFault {
  readonly path: (string | number)[];
  readonly message: string;
  readonly input?: unknown;
}

/** Whether a strategy fits its rollout; only of a file that is well formed, for what cannot be read has no share. */
export function strategyFaults(planned: Planned): StrategyFault[] {
  const { strategy, variants } = planned;
  if ("use" in strategy) return templateOf(strategy) === undefined ? presetFaults(planned, strategy.use) : [];
  const faults = [...courseFaults(planned), ...gateFaults(planned)];
  switch (strategy.type) {
    case "canary":
    case "blueGreen":
      return faults;
    case "rolling":
      return [...faults, ...placed(shareFaults(variants, { shareBp: strategy.share }))];
    case "abTest":
      return [...faults, ...testFaults(planned, strategy)];
    case "toggle":
      return [...faults, ...toggleFaults(planned), ...placed(shareFaults(variants, { shareBp: strategy.share }))];
    case "mirror":
      return [...faults, ...(planned.mirror === undefined ? [NO_MIRROR] : []), ...namesOfShadows(planned)];
  }
}

const NO_MIRROR: StrategyFault = {
  path: ["strategy", "type"],
  message: "nothing says what is copied, and where to; add `mirror` with the cluster of the new version and a share",
};

/** Evidence would take such a variant for the shadow. */
const namesOfShadows = ({ variants }: Planned): StrategyFault[] =>
  Object.keys(variants)
    .filter((name) => SHADOW_VARIANTS.includes(name))
    .map((name) => ({
      path: ["variants", name],
      message: `${name} is what evidence calls a shadow, or what it copies; name the variant otherwise`,
    }));

/** Stages or a ramp, of whatever strategy has them. */
function courseFaults({ variants, strategy }: Planned): StrategyFault[] {
  const ramp = rampOf(strategy);
  const fault = ramp === undefined ? undefined : rampFault(variants, ramp);
  const ofStages = stageFaults(variants, stagesOf(strategy)).map(({ path, message }) => ({
    path: ["strategy", "stages", ...path],
    message,
  }));
  return fault === undefined ? ofStages : [{ path: ["strategy", "ramp"], message: fault }];
}

/** Of two gates before the same step nobody would know which waits. */
function gateFaults({ strategy, promotion }: Planned): StrategyFault[] {
  const stages = stagesOf(strategy);
  if (promotion === undefined || stages.at(-1)?.gate === undefined) return [];
  const message = "promotion has a gate too, before the same step; keep one of them";
  return [{ path: ["strategy", "stages", stages.length - 1, "gate"], message }];
}

/** Of a preset the last share is the largest. */
function presetFaults({ variants, strategy }: Planned, use: string): StrategyFault[] {
  const stages = stagesOf(strategy);
  const last = stageFaults(variants, stages).find(({ path }) => path[0] === stages.length - 1);
  if (last === undefined) return [];
  const message = `${last.message.split(";")[0]}; write stages of your own, or give it a wider lane`;
  return [{ path: ["strategy", "use"], input: use, message }];
}

const placed = (faults: ReturnType<typeof shareFaults>): StrategyFault[] =>
  faults.map(({ message }) => ({ path: ["strategy", "share"], message }));

function toggleFaults({ variants }: Planned): StrategyFault[] {
  if (isTagOnly(variants)) return [];
  const message = "a toggle sets tags and routes nothing; leave the clusters of the variants out, or write another strategy";
  return [{ path: ["strategy", "type"], message }];
}

const FULL_BP = 10_000;

function testFaults({ variants, group }: Planned, { shares, sharesGroup }: AbTest): StrategyFault[] {
  const at = ["strategy", "shares"];
  const [grown, all] = [grownVariant(variants), variantsBeside(variants)];
  const faults: StrategyFault[] = [];
  for (const name of all.filter((each) => !Object.hasOwn(shares, each)))
    faults.push({ path: at, message: `${name} has no share; write one for each variant beside stable, ${all.join(", ")}` });
  for (const name of Object.keys(shares).filter((each) => !all.includes(each)))
    faults.push({ path: [...at, name], message: `${name} is no variant beside stable; write ${all.join(" or ")}` });
  const { [grown]: shareBp = 0, ...others } = shares;
  const known = Object.fromEntries(Object.entries(others).filter(([name]) => all.includes(name)));
  for (const { path, message } of shareFaults(variants, { shareBp, shares: known }))
    faults.push({ path: [...at, path[1] ?? grown], message });
  const sum = Object.values(shares).reduce((total, share) => total + share, 0);
  if (sum >= FULL_BP)
    faults.push({ path: at, message: `${sum / 100}% leave nobody on stable to compare with; write less than 100% together` });
  if (sum === 0) faults.push({ path: at, message: "nobody gets another variant, so nothing is tested; write a share above 0%" });
  if (group !== undefined && !sharesGroup) {
    const message = `users of an A/B test are drawn apart from those of other rollouts, and group ${group} ties them together; leave group out, or write strategy.sharesGroup: true`;
    faults.push({ path: ["group"], message });
  }
  return faults;
}
