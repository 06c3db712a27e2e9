import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, inject, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { ALERT_RULES } from "../../scripts/monitoring/alerts.ts";
import { type Metric, series } from "../../scripts/monitoring/promql.ts";
import { RECORDING_RULES } from "../../scripts/monitoring/rules.ts";
import { METRICS } from "../../src/contract/names.ts";
import { boards, filledIn, queriesOf } from "../support/boards.ts";

const run = promisify(execFile);

/** Counters that begin at 0 with each time in office, and how much each grows below over all leaders; seconds to the minute. */
const GROWN: ReadonlyMap<Metric, number> = new Map<Metric, number>([
  [METRICS.promotions, 2],
  [METRICS.rollbacks, 2],
  [METRICS.savedRequests, 20],
  [METRICS.rolloutTime, 1_200],
]);
const LABELS = ['rollout="a"', 'job="controllers"'];
const TIME = ['phase="stage"', 'stage="1"', 'waiting="false"'];

/** A controller's counters through ten minutes in office, with one way back and one promotion; `_` is no sample. */
const inOffice = (instance: string, before: string, after: string): { series: string; values: string }[] => {
  const of = (metric: Metric, values: string, ...more: string[]) => ({
    series: series(metric, [...LABELS, `instance="${instance}"`, ...more]),
    values: `${before}${values}${after}`,
  });
  return [
    of(METRICS.promotions, "0x20 1x19"),
    of(METRICS.rollbacks, "0x10 1x29"),
    of(METRICS.savedRequests, "0x10 10x29"),
    of(METRICS.rolloutTime, "0+15x40", ...TIME),
  ];
};

/** The two times of one controller as one line. */
const twice = (instance: string): { series: string; values: string }[] => {
  const [first, second] = [inOffice(instance, "", ""), inOffice(instance, "", "")];
  return first.map(({ series: name, values }, index) => ({ series: name, values: `${values} stale _x4 ${second[index]?.values}` }));
};

const STORIES = [
  { title: "another leads", input: [...inOffice("c:1", "", " stale"), ...inOffice("c:2", "_x45 ", "")] },
  { title: "another leads while the one before does not know yet", input: [...inOffice("c:1", "", ""), ...inOffice("c:2", "_x38 ", "")] },
  { title: "the same leads again", input: twice("c:1") },
];

const asked = [
  ...boards.flatMap((board) => queriesOf(board).map(({ where, expr }) => ({ where, expr }))),
  ...ALERT_RULES.map(({ alert, expr }) => ({ where: alert, expr })),
  ...RECORDING_RULES.map(({ record, expr }) => ({ where: record, expr })),
].flatMap(({ where, expr }) =>
  [...GROWN]
    .filter(([metric]) => expr.includes(metric))
    .map(([metric, grown]) => ({ where, grown, isTime: metric === METRICS.rolloutTime, expr })),
);

test("all that is asked of the counters of a leader is right, whoever leads next", async () => {
  expect(new Set(asked.map(({ grown }) => grown))).toEqual(new Set(GROWN.values()));
  const directory = await mkdtemp(join(tmpdir(), "serin-counters-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "test.yaml");
  const expected = asked.map(({ expr, grown, isTime }) => {
    const whole = filledIn(expr, { rollout: "a", range: "7d" });
    const labels = isTime ? `{${TIME.join(",")}}` : "{}";
    return { expr: isTime ? `round(${whole}, 60)` : whole, eval_time: "25m", exp_samples: [{ labels, value: grown }] };
  });
  const tests = STORIES.map(({ title, input }) => ({ name: title, interval: "15s", input_series: input, promql_expr_test: expected }));
  await writeFile(file, stringify({ rule_files: [], evaluation_interval: "15s", tests }, { lineWidth: 0 }));
  const { stdout, stderr } = await run(inject("promtoolProgram"), ["test", "rules", file]).catch((error) => error);
  expect(`${stdout}${stderr}`).toContain("SUCCESS");
});
