import { STABLE } from "./names.ts";

const FULL_BP = 10_000;

/** The fixed stretch of the buckets that one variant may fill, in basis points of all buckets. */
export interface Lane {
  readonly fromBp: number;
  readonly widthBp: number;
}

/** Variants as far as their lanes go; `lane` in basis points. */
type Variants = Readonly<Record<string, { readonly lane?: number | undefined }>>;

/** What is wrong, and where, below the value that was looked at. */
interface LaneFault {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Shares in force: one for the variant that the stages grow, and those of the others. */
interface Shares {
  readonly shareBp: number;
  readonly shares?: Readonly<Record<string, number>> | undefined;
}

/** The variant that the stages of a rollout let grow: the first beside stable. */
export const grownVariant = (variants: Readonly<Record<string, unknown>>): string => variantsBeside(variants)[0] ?? STABLE;

/** Names of the variants beside stable, in their order. */
export const variantsBeside = (variants: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(variants).filter((name) => name !== STABLE);

const besideStable = (variants: Variants): [name: string, lane: number | undefined][] =>
  Object.entries(variants).flatMap(([name, { lane }]) => (name === STABLE ? [] : [[name, lane]]));

/** Lanes of the variants beside stable, one after another in the order of the file; who names no width shares equally what the others leave. */
export function lanesOf(variants: Variants): ReadonlyMap<string, Lane> {
  const beside = besideStable(variants);
  const named = beside.flatMap(([, lane]) => (lane === undefined ? [] : [lane]));
  const left = FULL_BP - named.reduce((sum, lane) => sum + lane, 0);
  const equalBp = Math.floor(left / Math.max(1, beside.length - named.length));
  let fromBp = 0;
  return new Map(
    beside.map(([name, widthBp = equalBp]) => {
      const lane = { fromBp, widthBp };
      fromBp += widthBp;
      return [name, lane];
    }),
  );
}

/** What is wrong with the lanes of variants. */
export function laneFaults(variants: Variants): LaneFault[] {
  const faults: LaneFault[] = [];
  if (variants[STABLE]?.lane !== undefined)
    faults.push({ path: [STABLE, "lane"], message: "stable has no lane; it takes what the others leave, so write lanes for those" });
  const named = besideStable(variants).filter(([, lane]) => lane !== undefined);
  const sum = named.reduce((total, [, lane = 0]) => total + lane, 0);
  const last = named.at(-1)?.[0];
  if (sum > FULL_BP && last !== undefined)
    faults.push({ path: [last, "lane"], message: `the lanes take ${percent(sum)} together; make them 100% or less` });
  const narrow = [...lanesOf(variants)].find(([, { widthBp }]) => widthBp === 0)?.[0];
  if (narrow !== undefined && sum <= FULL_BP)
    faults.push({ path: [narrow], message: `the lanes leave nothing to ${narrow}; make them narrower, or give each variant its own` });
  return faults;
}

/** What is wrong with shares of these variants: each stays within its lane, but for 100 % of one alone. */
export function shareFaults(variants: Variants, { shareBp, shares = {} }: Shares): LaneFault[] {
  const grown = grownVariant(variants);
  const given = [[grown, shareBp], ...Object.entries(shares)] as const;
  const isAlone = given.filter(([, share]) => share > 0).length === 1;
  const lanes = lanesOf(variants);
  return given.flatMap(([name, share], index): LaneFault[] => {
    const path = index === 0 ? ["shareBp"] : ["shares", name];
    const lane = lanes.get(name);
    if (index > 0 && (lane === undefined || name === grown)) return [{ path, message: noOtherMessage(name, variants) }];
    const widthBp = lane?.widthBp ?? 0;
    if (share <= widthBp || (share === FULL_BP && isAlone)) return [];
    return [{ path, message: tooWideMessage(share, name, widthBp) }];
  });
}

interface Stage {
  readonly share: number;
  readonly shares?: Readonly<Record<string, number>> | undefined;
}

/** What is wrong with stages of these variants: shares rise, or stay, within the lanes. */
export function stageFaults(variants: Variants, stages: readonly Stage[]): LaneFault[] {
  return stages.flatMap(({ share, shares = {} }, index) => {
    const wide = shareFaults(variants, { shareBp: share, shares }).map(({ path: [field = "", ...rest], message }) => ({
      path: [index, field === "shareBp" ? "share" : field, ...rest],
      message,
    }));
    const before = stages[index - 1]?.shares ?? {};
    const falling = Object.entries(before).filter(([name, least]) => (shares[name] ?? 0) < least);
    return [...wide, ...falling.map(([name, least]) => ({ path: pathOf(index, name, shares), message: fallsMessage(name, least) }))];
  });
}

const pathOf = (index: number, name: string, shares: Readonly<Record<string, number>>): (string | number)[] =>
  Object.hasOwn(shares, name) ? [index, "shares", name] : [index];

const fallsMessage = (name: string, least: number): string =>
  `${name} has ${percent(least)} in the stage before; write at least that, shares never fall`;

function noOtherMessage(name: string, variants: Variants): string {
  const [grown, ...others] = besideStable(variants).map(([known]) => known);
  if (name === grown) return `the stages grow ${name} by its share; leave it out of the shares of the others`;
  return `${name} is no variant that grows beside ${grown ?? STABLE}; ${others.length === 0 ? "leave it out" : `write ${others.join(" or ")}`}`;
}

const tooWideMessage = (share: number, name: string, widthBp: number): string =>
  `${percent(share)} is more than the lane of ${name}, ${percent(widthBp)}; write at most that, or give ${name} a wider lane`;

const percent = (bp: number): string => `${bp / 100}%`;
