import type { LiveState } from "../contract/live.ts";
import { isJudged } from "../core/plan/judged.ts";
import type { Logger } from "../io/log.ts";
import type { PrometheusApi } from "../io/prometheus-api.ts";
import { countersOf, scrapedAtMs, scrapeQuery } from "../io/prometheus-counters.ts";
import type { SourcedReport } from "./judging.ts";
import { scrapedReports } from "./prometheus-evidence.ts";

interface SourceParts {
  readonly api: PrometheusApi;
  readonly everyMs: number;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Rollouts as they stand. */
  rollouts(): readonly LiveState[];
  heard(reports: readonly SourcedReport[]): void;
}

/** Reads the counts of all judged rollouts from Prometheus, again and again, in place of what sidecars send. */
export class PrometheusSource {
  readonly #parts: SourceParts;
  readonly #timer: NodeJS.Timeout;
  /** Of whom Prometheus knows nothing although a share is served; said once. */
  readonly #unknown = new Set<string>();
  #isUnderWay = false;
  #isTroubled = false;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#round(), parts.everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One round at a time: a slow server is not asked twice at once. */
  async #round(): Promise<void> {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    const { log, rollouts } = this.#parts;
    const troubles: unknown[] = [];
    // One by one, and each for itself: what is wrong with one rollout's counts is no silence about the others.
    for (const live of rollouts()) if (isJudged(live.plan)) await this.#ask(live).catch((error: unknown) => troubles.push(error));
    const [err] = troubles;
    if (err !== undefined && !this.#isTroubled)
      log.warn({ err }, "Prometheus does not answer: no evidence, so nothing advances; trying again");
    if (err === undefined && this.#isTroubled) log.info({}, "Prometheus answers again");
    this.#isTroubled = err !== undefined;
    this.#isUnderWay = false;
  }

  async #ask({ rollout, shareBp }: LiveState): Promise<void> {
    const series = await this.#parts.api.instant(scrapeQuery(rollout));
    const counters = countersOf(series);
    const [atMs] = counters.flatMap(({ points }) => [...points.keys()]);
    if (atMs !== undefined) {
      this.#unknown.delete(rollout);
      return this.#parts.heard(scrapedReports(counters, atMs, scrapedAtMs(series)));
    }
    if (shareBp === 0 || this.#unknown.has(rollout)) return;
    this.#unknown.add(rollout);
    this.#parts.log.warn({ rollout }, "Prometheus knows no counts of this rollout; does it scrape the sidecars' --metrics?");
  }
}
