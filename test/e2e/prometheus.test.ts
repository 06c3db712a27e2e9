import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { STREAMS, SUBJECTS } from "../../src/contract/names.ts";
import { RecordedTickSchema } from "../../src/contract/ticks.ts";
import { waitFor } from "../../src/demo/wait-for.ts";
import { type NatsLink, readLast } from "../../src/io/nats.ts";
import { createPrometheusApi } from "../../src/io/prometheus-api.ts";
import { decodeStored, readJudge } from "../../src/io/store.ts";
import { type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { applyRollout, connect, hasBegun, heldAt, rolloutOf, type Stack, startLoad, startStack, waitForLive } from "../support/stack.ts";

/** All parts, with a real Prometheus that scrapes both sidecars each second. */
async function startScraped(controllerArgs: (url: string) => string[]): Promise<{ stack: Stack; prometheus: Prometheus; link: NatsLink }> {
  const prometheus = await startPrometheus();
  onTestFinished(prometheus.stop);
  const stack = await startStack({ controllerArgs: controllerArgs(prometheus.url) });
  onTestFinished(stack.stop);
  await prometheus.setTargets(stack.sidecarIds.map((_, index) => stack.sidecarUrl(index)));
  const api = createPrometheusApi({ url: prometheus.url, timeoutMs: 5_000 });
  await waitFor(async () => (await api.instant("sum(up)"))[0]?.points[0]?.[1] === 2 || undefined, {
    deadlineMs: 30_000,
    what: "Prometheus to scrape both sidecars",
  });
  const link = await connect(stack);
  onTestFinished(() => link.close());
  return { stack, prometheus, link };
}

/** A canary on a fifth of the users that is well for 600 requests of stable, then fails half of its own, until it is taken back. */
async function breakCanary(stack: Stack, link: NatsLink, name: string): Promise<{ failsMs: number; backMs: number }> {
  await applyRollout(stack, rolloutOf(name, heldAt("20%")));
  await waitForLive(link, name, hasBegun);
  const load = startLoad(stack, 100);
  onTestFinished(load.stop);
  await waitFor(async () => ((await readJudge(link, name))?.totals.stable.requests ?? 0) > 600, {
    deadlineMs: 60_000,
    what: "stable to be known",
  });
  const failsMs = Date.now();
  stack.canary.failPart(0.5);
  const { updatedAtMs } = await waitForLive(link, name, ({ plan }) => plan.phase === "rollingBack" || plan.phase === "rolledBack");
  return { failsMs, backMs: updatedAtMs };
}

interface Line {
  readonly verdict: string;
  readonly action: string;
  readonly share: number;
  readonly record: { readonly atMs: number };
}
const linesOf = (out: string): Line[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

test("what NATS told and what Prometheus scraped of the same time lead to the same verdict, within the scrape interval", async () => {
  const { stack, prometheus, link } = await startScraped(() => []);
  const fromMs = Date.now();
  const { failsMs, backMs } = await breakCanary(stack, link, "told");
  const last = await waitFor(
    async () => {
      const stored = await readLast(link, STREAMS.ticks, SUBJECTS.ticks("told"));
      const tick = stored && decodeStored(RecordedTickSchema, stored);
      return tick?.verdict === "rollback" ? tick : undefined;
    },
    { deadlineMs: 10_000, what: "the tick that decided" },
  );
  expect(last).toMatchObject({ phase: "rollingBack", shareBp: 0 });
  const recorded = await stack.serin("replay", "told");
  expect([recorded.code, linesOf(recorded.out).at(-1)]).toEqual([0, expect.objectContaining({ action: "rollback", share: 0 })]);

  const file = join(stack.directory, "told.yaml");
  const span = (): string[] => [
    "--from",
    String(Math.floor(fromMs / 1_000)),
    "--to",
    String(Math.floor(Date.now() / 1_000)),
    "--step",
    "1s",
  ];
  const scraped = await waitFor(
    async () => {
      const ran = await stack.serin("replay", "-f", file, "--prometheus", prometheus.url, ...span());
      return ran.code === 0 && linesOf(ran.out).some(({ action }) => action === "rollback") ? ran : undefined;
    },
    { deadlineMs: 30_000, what: "Prometheus to have scraped what led to the rollback" },
  );
  const lines = linesOf(scraped.out);
  const back = lines.findIndex(({ action }) => action === "rollback");
  const before = lines.filter(({ record }) => record.atMs <= failsMs);
  expect(before.length).toBeGreaterThan(3);
  expect(before.map(({ verdict }) => verdict)).not.toContain("rollback");
  // A scrape each second and ticks of a second, of which a rollback needs two, where NATS tells at once.
  expect(Math.abs((lines[back]?.record.atMs ?? 0) - backMs)).toBeLessThanOrEqual(5_000);
  expect(scraped.error).toContain("counted by Prometheus: judged without failing users and without halves of stable");
});

test("a controller that knows only Prometheus takes a bad canary back, and says what it does not know", async () => {
  const { stack, link } = await startScraped((url) => ["--prometheus", url, "--prometheus-every", "1s"]);
  const { failsMs, backMs } = await breakCanary(stack, link, "scraped");
  expect(backMs - failsMs).toBeLessThan(20_000);
  // The plan is written first, then what the judge knows.
  const judged = await waitFor(
    async () => {
      const record = await readJudge(link, "scraped");
      return record?.verdict?.verdict === "rollback" ? record : undefined;
    },
    { deadlineMs: 10_000, what: "the judge's record" },
  );
  expect(judged.source).toBe("prometheus");
  expect(judged.totals.canary.failed).toBeGreaterThan(0);
  // Nothing counts twice: the sidecars told the same by NATS all the time.
  expect(judged.totals.stable.requests).toBeLessThanOrEqual(stack.stable.seen.requests);
  const { out } = await stack.serin("status", "scraped");
  expect(out).toContain("counted by Prometheus: judged without failing users and without halves of stable");
  expect((await stack.serin("replay", "scraped")).code).toBe(0);
});
