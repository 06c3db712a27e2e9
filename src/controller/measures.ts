import { TICK_BOUNDS_MS } from "../contract/histogram-bounds.ts";
import type { PlanState } from "../contract/live.ts";
import { emptyDistribution, measure } from "../io/distribution.ts";
import { CourseCounts } from "./course-counts.ts";
import type { FailingKeeper } from "./failing-keeper.ts";
import type { FleetCounts, Revision } from "./fleet.ts";
import type { FleetKeeper } from "./fleet-keeper.ts";
import type { ShownRollout } from "./gauges.ts";
import type { MixKeeper } from "./mix-keeper.ts";
import type { TermParts } from "./ports.ts";
import type { Publisher } from "./publisher.ts";
import { spansAfter } from "./rollout-spans.ts";
import type { Seat } from "./seats.ts";

interface Keepers {
  readonly fleet: FleetKeeper;
  readonly failing: FailingKeeper;
  readonly mix: MixKeeper;
  readonly publisher: Publisher;
  seats(): Iterable<Seat>;
}

/** What one time in office shows of itself. */
export class Measures {
  readonly courses: CourseCounts;
  /** Its begin, Unix milliseconds. */
  readonly sinceMs: number;
  /** How long looks at all rollouts took. */
  readonly ticks = emptyDistribution(TICK_BOUNDS_MS);
  readonly #keepers: Keepers;
  readonly #tell: TermParts["span"];
  readonly #nowMs: () => number;

  constructor({ clock, span }: Pick<TermParts, "clock" | "span">, keepers: Keepers) {
    this.#tell = span;
    this.#nowMs = clock.nowMs;
    this.courses = new CourseCounts(clock.nowMs);
    this.sinceMs = clock.nowMs();
    this.#keepers = keepers;
  }

  /** A rollout stood there before, and stands now where its live state says. */
  moved(seat: Seat, before: PlanState): void {
    this.courses.moved(seat, before);
    if (this.#tell === undefined) return;
    for (const span of spansAfter(seat, before, this.#nowMs())) this.#tell(span);
  }

  /** A look at all rollouts took so long, in milliseconds. */
  ticked(ms: number): void {
    measure(this.ticks, ms);
  }

  /** Rollouts with all that is known of them. */
  rollouts(): readonly ShownRollout[] {
    const { failing, mix, seats } = this.#keepers;
    return [...seats()].map(({ name, rollout, live, judging }) => {
      return { name, rollout, live, judging, users: failing.users(live), mix: mix.figures(live) };
    });
  }

  /** The rule set that was published last. */
  get published(): Revision {
    return this.#keepers.publisher.current;
  }

  /** Known sidecars by their state. */
  fleet(): FleetCounts {
    return this.#keepers.fleet.counts(this.published);
  }
}
