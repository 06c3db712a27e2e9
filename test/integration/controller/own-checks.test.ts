import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import type { RolloutInput } from "../../../src/contract/rollout.ts";
import { readJudge } from "../../../src/io/store.ts";
import { serverThat } from "../../support/http-answers.ts";
import { type Prometheus, startPrometheus } from "../../support/prometheus.ts";
import { documentOf } from "../../unit/controller/builders.ts";
import { waitFor } from "./wait.ts";
import { test, type World } from "./world.ts";

const rolloutWith = (own: NonNullable<RolloutInput["checks"]>["own"], minTime = "1s"): RolloutInput =>
  documentOf("cart", { strategy: { type: "canary", stages: [{ share: "50%", minTime, minSample: 50 }] }, checks: { own } });

/** What a shop tells of itself: visits, and orders by variant, growing with each look. */
async function shop(ordersOf100: { stable: number; canary: number }): Promise<string> {
  const totals = { stable: { visits: 0, orders: 0 }, canary: { visits: 0, orders: 0 } };
  return serverThat((_, response) => {
    const lines = (["stable", "canary"] as const).flatMap((variant) => {
      totals[variant].visits += 1_000;
      totals[variant].orders += 10 * ordersOf100[variant];
      const { visits, orders } = totals[variant];
      return [`visits_total{variant="${variant}"} ${visits}`, `orders_total{variant="${variant}"} ${orders}`];
    });
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(`${lines.join("\n")}\n`);
  });
}

async function prometheusOf(target: string): Promise<Prometheus> {
  const prometheus = await startPrometheus({ targets: [target] });
  onTestFinished(() => prometheus.stop());
  return prometheus;
}

const CONVERSIONS = {
  name: "conversions",
  prometheus: { hits: 'orders_total{variant="{variant}"}', all: 'visits_total{variant="{variant}"}' },
  harm: "lower",
  tolerated: "10%",
} as const;

const verdictOf = async (world: World) => (await readJudge(world.link, "cart"))?.verdict;

describe("counters of the rollout's own, in a real Prometheus", () => {
  test("take a canary back under which half of the orders are gone, though no request fails", async ({ world }) => {
    const { url } = await prometheusOf(await shop({ stable: 40, canary: 20 }));
    await world.leader("a", { checksPrometheus: url, checkMs: 500 });
    await world.sidecar("side");
    await world.apply(rolloutWith([CONVERSIONS]));
    const { plan } = await world.phase("cart", "rolledBack");
    expect(plan).toMatchObject({ reason: expect.stringContaining("conversions") });
  });

  test("let a canary go on under which they stay", async ({ world }) => {
    const { url } = await prometheusOf(await shop({ stable: 40, canary: 40 }));
    await world.leader("a", { checksPrometheus: url, checkMs: 500 });
    await world.sidecar("side");
    // It stays, so that there is another verdict where a scrape lay in between.
    await world.apply(rolloutWith([CONVERSIONS], "1h"));
    const verdict = await waitFor("the verdict is to advance with four orders in ten visits", async () => {
      const found = await verdictOf(world);
      // Hits and all are asked for one after the other, and a scrape may lie between.
      const conversions = found?.checks.find(({ name }) => name === "conversions");
      return found?.verdict === "advance" && conversions?.stable === 0.4 && conversions.canary === 0.4 ? conversions : undefined;
    });
    expect(verdict.verdict).toBe("advance");
  });

  test("hold it while they cannot be read, and say why", async ({ world }) => {
    const prometheus = await prometheusOf(await shop({ stable: 40, canary: 40 }));
    await prometheus.stop();
    await world.leader("a", { checksPrometheus: prometheus.url, checkMs: 200 });
    await world.sidecar("side");
    await world.apply(rolloutWith([CONVERSIONS]));
    const verdict = await waitFor("a verdict holds for it", async () => {
      const found = await verdictOf(world);
      return found?.verdict === "hold" && found.reason.includes("conversions: http") ? found : undefined;
    });
    expect(verdict.reason).toContain("see whether it runs and can be reached from here");
  });
});

describe("a webhook", () => {
  const smoke = (url: string, secret?: string) => [{ name: "smoke", webhook: { url, ...(secret !== undefined && { secret }) } }];

  test("that says so takes the canary back, and can tell who asked", async ({ world }) => {
    const secrets = await mkdtemp(join(tmpdir(), "serin-secrets-"));
    onTestFinished(() => rm(secrets, { recursive: true }));
    await writeFile(join(secrets, "smoke"), "k3y\n");
    const genuine: boolean[] = [];
    const url = await serverThat((request, response) => {
      const at = String(request.headers["x-serin-timestamp"]);
      const expected = `sha256=${createHmac("sha256", "k3y").update(`${at}.${request.text}`).digest("hex")}`;
      genuine.push(request.headers["x-serin-signature"] === expected);
      response.end('{"verdict":"rollback","reason":"no order goes through"}');
    });
    await world.leader("a", { checkSecrets: secrets });
    await world.sidecar("side");
    await world.apply(rolloutWith(smoke(url, "smoke")));
    const { plan } = await world.phase("cart", "rolledBack");
    expect(plan).toMatchObject({ reason: expect.stringContaining("smoke: no order goes through") });
    expect(new Set(genuine)).toEqual(new Set([true]));
  });

  test("that is silent holds the canary, and keeps no failing one from going back", async ({ world }) => {
    const url = await serverThat(() => undefined);
    await world.leader("a");
    const sidecar = await world.sidecar("side");
    await world.apply(rolloutWith(smoke(url)));
    await waitFor("it holds", async () => (await verdictOf(world))?.reason.includes("smoke: not read yet") || undefined);
    sidecar.traffic.canaryFailed = 100;
    const { plan } = await world.phase("cart", "rolledBack");
    expect(plan).toMatchObject({ reason: expect.stringContaining("canary") });
  });

  test("that agrees lets it go on", async ({ world }) => {
    const url = await serverThat((_, response) => response.end('{"verdict":"advance"}'));
    await world.leader("a");
    await world.sidecar("side");
    await world.apply(rolloutWith(smoke(url)));
    const verdict = await waitFor("the verdict is to advance with four orders in ten visits", async () => {
      const found = await verdictOf(world);
      return found?.verdict === "advance" ? found : undefined;
    });
    expect(verdict.checks.find(({ name }) => name === "smoke")).toMatchObject({ verdict: "advance", weight: 0 });
  });
});
