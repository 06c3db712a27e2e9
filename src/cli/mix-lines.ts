import type { MixCounts, MixFigures } from "../contract/mix-evidence.ts";
import { oddsText } from "../core/judge/figures.ts";
import { skewText } from "../core/judge/mix.ts";
import { table } from "../told/format.ts";

type Column = keyof MixCounts;

const COLUMNS: readonly Column[] = ["canary", "share", "cohort", "target", "control", "all"];
const HEADS: Readonly<Record<Column, string>> = {
  canary: "canary",
  share: "by share",
  cohort: "by cohort",
  target: "by target",
  control: "control",
  all: "all users",
};

/** The mix of users for people: a row for each value that anybody has, and a warning for each label that is skewed. */
export function mixLines({ run, users, isExact, values, skews }: MixFigures): string[] {
  const columns = COLUMNS.filter((column) => column === "canary" || column === "all" || users[column] > 0);
  const part = (count: number, all: number): string => (all === 0 ? "–" : `${((100 * count) / all).toFixed(1)} %`);
  const rows = values
    .filter((each) => each.users.all > 0)
    .map((each) => [`  ${each.label}=${each.value}`, ...columns.map((column) => part(each.users[column], users[column]))]);
  const heads = [`  users of run ${run}`, ...columns.map((column) => HEADS[column])];
  const counts = [`  in number${isExact ? "" : ", about"}`, ...columns.map((column) => String(users[column]))];
  const surest = skews.filter(({ label }, index) => skews.findIndex((other) => other.label === label) === index);
  const warnings = surest.map((skew) => `  warning: ${skewText(skew)} (odds ${oddsText(skew.odds)})`);
  return [table([heads, counts, ...rows]), ...warnings];
}
