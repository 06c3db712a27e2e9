import { expect, test } from "vitest";
import { METRICS } from "../../../src/contract/names.ts";
import { createCells } from "../../../src/sidecar/cells.ts";
import { cellMetricParts, evidenceMetrics } from "../../../src/sidecar/metric-data.ts";

const nowMs = (): number => 0;

/** Cells with one decision and no outcome. */
function oneDecision() {
  const cells = createCells({ nowMs, runInForce: () => 1 });
  cells.decided({ rollout: "checkout", variant: "canary", run: 1, control: false }, "share");
  return cells;
}

test("a scrape shows failures at 0 before the first, so that a rate sees them from the first on", () => {
  const shown = [...cellMetricParts(oneDecision().shown, nowMs)].flatMap(({ descriptor: { name }, dataPoints }) =>
    dataPoints.map(({ attributes, value }) => [name, attributes["class"] ?? attributes["reason"], value]),
  );
  expect(shown).toEqual([
    [METRICS.decisions, "share", 1],
    [METRICS.outcomes, "ok", 0],
    [METRICS.outcomes, "failed", 0],
    [METRICS.settled, undefined, 0],
    [METRICS.clusterMissing, undefined, 0],
    [METRICS.rescued, undefined, 0],
  ]);
});

test("evidence has no zeros: nobody makes rates of it", () => {
  const told = evidenceMetrics([...oneDecision().all()], 0).filter(({ dataPoints }) => dataPoints.length > 0);
  expect(told.map(({ descriptor: { name } }) => name)).toEqual([METRICS.decisions]);
});
