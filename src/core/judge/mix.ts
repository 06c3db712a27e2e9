import { MARK_BITS, type Mix, type MixValue, valuesIn } from "../../contract/mix.ts";
import type { MixCounts, MixFigures, MixSkew, MixWay } from "../../contract/mix-evidence.ts";
import type { VariantName } from "../../contract/rollout.ts";
import { ratioText } from "./figures.ts";
import { MIX_ALPHA, skewLogOdds } from "./skew.ts";
import { sideOf } from "./types.ts";
import { type UserSample, uniteSamples, withoutUsers } from "./user-sample.ts";

/** Users that came to a variant in the same way. */
export interface MixGroup {
  readonly variant: VariantName;
  readonly by: MixWay;
  /** Undefined where no target decided, and for targets that are not counted apart. */
  readonly target?: string | undefined;
  readonly users: UserSample;
}

/** More than this is sure enough. */
const MOST_ODDS = 1e9;

/** The canary's users beside all users, under one run. One who is on both sides, as a target on a header can bring about, is the canary's. */
export function mixFigures(mix: Mix, groups: readonly MixGroup[], run: number): MixFigures {
  const values = valuesIn(mix);
  const sides = sidesOf(groups);
  const counted = Object.values(sides).map(tallyOf);
  const countsOf = (count: (tally: Tally) => number): MixCounts => {
    const [canary = 0, share = 0, cohort = 0, target = 0, control = 0, others = 0] = counted.map((tally) =>
      Math.round(count(tally) * tally.scale),
    );
    return { canary, share, cohort, target, control, all: canary + others };
  };
  const users = countsOf(({ size }) => size);
  return {
    run,
    users,
    isExact: groups.every((group) => group.users.level === 0),
    values: values.map(({ label, value, bit }) => ({ label, value, users: countsOf(({ bits }) => Number(bits[bit])) })),
    skews: skewsOf(values, sides, groups),
  };
}

type Sides = Readonly<Record<"canary" | "share" | "cohort" | "target" | "control" | "others", UserSample>>;

function sidesOf(groups: readonly MixGroup[]): Sides {
  const of = (isSuch: (group: MixGroup) => boolean): UserSample => uniteSamples(groups.filter(isSuch).map(({ users }) => users));
  const onCanary = (way: MixWay) => of(({ variant, by }) => sideOf(variant) === "canary" && by === way);
  const canary = of(({ variant }) => sideOf(variant) === "canary");
  return {
    canary,
    share: onCanary("share"),
    cohort: onCanary("cohort"),
    target: onCanary("target"),
    control: of(({ by }) => by === "control"),
    others: withoutUsers(
      of(({ variant }) => sideOf(variant) === "stable"),
      canary,
    ),
  };
}

/** Users of a sample, and how many of them have each bit. */
interface Tally {
  readonly size: number;
  readonly bits: readonly number[];
  /** Users for whom one of the sample stands. */
  readonly scale: number;
}

function tallyOf({ level, users }: UserSample): Tally {
  const bits = Array.from({ length: MARK_BITS }, () => 0);
  for (const mark of users.values()) {
    // From the highest bit that is set to the next.
    for (let rest = mark; rest !== 0; ) {
      const bit = 31 - Math.clz32(rest);
      bits[bit] = Number(bits[bit]) + 1;
      rest ^= 1 << bit;
    }
  }
  return { size: users.size, bits, scale: 2 ** level };
}

/** Values whose users are on the canary at another rate than the others, the surest first. */
function skewsOf(values: readonly MixValue[], { canary, others }: Sides, groups: readonly MixGroup[]): MixSkew[] {
  const [ours, theirs] = [tallyOf(canary), tallyOf(others)];
  const pulls = groups.map((group) => ({ ...group, ...tallyOf(group.users) }));
  const all = ours.size * ours.scale + theirs.size * theirs.scale;
  const found = values.flatMap(({ label, value, bit }) => {
    const having = { canary: Number(ours.bits[bit]), others: Number(theirs.bits[bit]) };
    const lacking = { canary: ours.size - having.canary, others: theirs.size - having.others };
    const logOdds = skewLogOdds({ having, lacking, levels: { canary: canary.level, others: others.level } }, values.length);
    if (logOdds < Math.log(1 / MIX_ALPHA)) return [];
    const part = having.canary / ours.size;
    const isMore = part > having.others / theirs.size;
    const odds = Math.min(MOST_ODDS, Math.exp(logOdds));
    const ofAll = (having.canary * ours.scale + having.others * theirs.scale) / all;
    return [{ label, value, canary: part, all: ofAll, odds, cause: causeOf(bit, isMore, pulls) }];
  });
  return found.toSorted((a, b) => b.odds - a.odds);
}

type Pull = MixGroup & Tally;

/** The group that no share chose and that moves a value the way in which it is skewed, if any does so more than the canary's share itself. */
function causeOf(bit: number, isMore: boolean, groups: readonly Pull[]): MixSkew["cause"] {
  const drawn = groups.filter(({ by }) => by === "share" || by === "control");
  const sum = (of: readonly Pull[], count: (group: Pull) => number): number =>
    of.reduce((all, group) => all + count(group) * group.scale, 0);
  const usual =
    sum(drawn, ({ bits }) => Number(bits[bit])) /
    Math.max(
      1,
      sum(drawn, ({ size }) => size),
    );
  /** Users with the value beyond the usual, where more of them make the skew. */
  const pullOf = (group: Pull): number => {
    const beyond = (Number(group.bits[bit]) - usual * group.size) * group.scale;
    return (sideOf(group.variant) === "canary") === isMore ? beyond : -beyond;
  };
  const byShare = Math.max(0, ...drawn.filter(({ variant }) => sideOf(variant) === "canary").map(pullOf));
  const [first] = groups.filter((group) => !drawn.includes(group) && pullOf(group) > byShare).toSorted((a, b) => pullOf(b) - pullOf(a));
  if (first === undefined) return null;
  const { variant, by, target } = first;
  return { variant, by, ...(target !== undefined && { target }), hasMore: (sideOf(variant) === "canary") === isMore };
}

/** A skew for people: `58 % of the canary's users have country=SE, 9.1 % of all; brought by target staff`. */
export function skewText({ label, value, canary, all, cause }: MixSkew): string {
  return `${ratioText(canary)} of the canary's users have ${label}=${value}, ${ratioText(all)} of all; ${causeText(cause)}`;
}

function causeText(cause: MixSkew["cause"]): string {
  if (cause === null) return "no target brings this about: chance does in one run of a hundred, or keys tell who users are";
  const { variant, by, target, hasMore } = cause;
  const who = by === "cohort" ? "the cohort of a hop before" : target === undefined ? "one of its later targets" : `target \`${target}\``;
  if (sideOf(variant) === "canary") return hasMore ? `brought by ${who}` : `${who} brings others`;
  return hasMore ? `kept on stable by ${who}` : `${who} keeps others on stable`;
}
