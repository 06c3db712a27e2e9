import type { Service } from "../core/simulate/run.ts";
import type { CaseSummary, Spread } from "../core/simulate/summary.ts";
import { duration, share, table } from "../told/format.ts";

/** One case that was simulated; without a fault it is a good canary. */
export interface SimulatedCase extends CaseSummary {
  readonly fault: string | null;
}

/** What `serin simulate` found. */
export interface Simulation extends Service {
  readonly rollout: string;
  readonly runs: number;
  readonly requestsPerUser: number;
  readonly cases: readonly SimulatedCase[];
}

/** A simulation for people. */
export function simulationText({ rollout, cases, runs, ...service }: Simulation): string {
  const good = cases.filter(({ fault }) => fault === null);
  const bad = cases.filter(({ fault }) => fault !== null);
  const { requestsPerSecond, failing, medianMs, requestsPerUser } = service;
  const lines = [
    `${rollout} at ${requestsPerSecond} requests a second, of which ${percent(failing)} fail and half take up to ${medianMs} ms; ${runs} runs each`,
    "",
    ...good.flatMap((each) => [goodText(each), ...plotLines(each.shares)]),
  ];
  if (bad.length > 0) {
    const head = ["fault", "caught", "missed", "left to a person", "caught after", "harmed requests", "harmed users"];
    lines.push("", table([head, ...bad.map(faultRow)]), "");
    lines.push(`Times and harm: half of the runs, then nine of ten. A user makes ${requestsPerUser} requests while it lasts (--per-user).`);
  }
  lines.push(`What happened in no run may still happen in ${percent(1 - UNSEEN ** (1 / runs))} of them.`);
  return `${lines.join("\n")}\n`;
}

/** What has a chance of more than 1 − 0.05^(1/n) happens in n tries but for one time in 20; about 3 / n. */
const UNSEEN = 0.05;

const percent = (ratio: number): string => `${Number((ratio * 100).toFixed(ratio < 0.001 ? 2 : 1))} %`;

function goodText({ promoted, rolledBack, held, promotedMs }: CaseSummary): string {
  const after =
    promotedMs === null ? "" : `, half of them within ${duration(promotedMs.median)} and nine of ten within ${duration(promotedMs.p90)}`;
  return `good canary: ${percent(promoted)} promoted${after}; ${percent(rolledBack)} rolled back falsely, ${percent(held)} left to a person`;
}

const faultRow = ({ fault, rolledBack, promoted, held, rolledBackMs, harmedRequests, harmedUsers }: SimulatedCase): string[] => [
  String(fault),
  percent(rolledBack),
  percent(promoted),
  percent(held),
  spread(rolledBackMs, duration),
  spread(harmedRequests, String),
  spread(harmedUsers, String),
];

const spread = (value: Spread, text: (value: number) => string): string =>
  value === null ? "–" : `${text(value.median)} (${text(value.p90)})`;

const ROWS = 6;
/** Shares are drawn by their order of size: those of the first minutes are small. */
const LEAST_BP = 5;
const FULL_BP = 10_000;
const EIGHTHS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/** Share over time, each row a few times as much as the one below. */
function plotLines(shares: CaseSummary["shares"]): string[] {
  const heights = shares.map(({ shareBp }) => (ROWS * Math.log(Math.max(shareBp, LEAST_BP) / LEAST_BP)) / Math.log(FULL_BP / LEAST_BP));
  const rows = Array.from({ length: ROWS }, (_, fromTop) => {
    const row = ROWS - fromTop;
    const top = LEAST_BP * (FULL_BP / LEAST_BP) ** (row / ROWS);
    const bars = heights.map((height) => EIGHTHS[Math.round(8 * Math.min(1, Math.max(0, height - row + 1)))] ?? " ").join("");
    return `${share(Number(top.toPrecision(2))).padStart(8)} ┤${bars.trimEnd()}`;
  });
  const end = duration(shares.at(-1)?.atMs ?? 0);
  return [...rows, `${"0".padStart(10)}${end.padStart(Math.max(end.length + 1, shares.length - 1))}`];
}
