import type { JudgeRecord, LiveState } from "../contract/live.ts";
import type { SeenRequest } from "./traffic.ts";

const percent = (bp: number | null | undefined): string => (bp === null || bp === undefined ? "–" : `${bp / 100} %`);

/** One line of the live view: where the rollout stands, what users saw lately, what the judge says. */
export function actLine({ plan, shareBp }: LiveState, judge: JudgeRecord | undefined, requests: readonly SeenRequest[]): string {
  const lately = requests.slice(-700);
  const count = (variant: SeenRequest["seen"]): string => {
    const own = lately.filter(({ seen }) => seen === variant);
    return `${variant} ${own.length} (${own.filter(({ status }) => status >= 500).length} failed)`;
  };
  const seen = lately.length === 0 ? null : Math.round((lately.filter((one) => one.seen === "canary").length / lately.length) * 10_000);
  const where = plan.phase === "stage" ? `stage ${plan.stage + 1}` : plan.phase;
  const verdict = judge?.firstRun === plan.firstRun ? judge?.verdict : undefined;
  const said =
    verdict === undefined || verdict === null
      ? "no verdict yet"
      : `${verdict.verdict}, safe to ${percent(verdict.safeShareBp)}: ${verdict.reason}`;
  return `${where}: share set ${percent(shareBp)}, seen ${percent(seen)} | last ${lately.length}: ${count("stable")}, ${count("canary")} | ${said}`;
}
