import type { SeriesPoint } from "../contract/stream.ts";
import { MOST_POINTS, seriesPoint, withPoint } from "../told/series-point.ts";
import type { Judging } from "./judging.ts";
import type { Seat } from "./seats.ts";
import { shareSeenBp } from "./tally.ts";

/** Points of all rollouts together: some 15 MB. */
const MOST_OF_ALL = 24_000;
/** Of one rollout at least, however many there are. */
const LEAST_POINTS = 12;

type Recorded = Pick<Seat, "name" | "live"> & Readonly<{ judging: Pick<Judging, "verdict" | "tally"> }>;

interface Way {
  readonly firstRun: number;
  readonly points: readonly SeriesPoint[];
}

/** Keeps in memory how the checks of each rollout went in its attempt, for charts. */
export class SeriesKeeper {
  readonly #isThere: (name: string) => boolean;
  readonly #ways = new Map<string, Way>();

  /** `isThere` says which rollouts there are; the ways of others are forgotten. */
  constructor(isThere: (name: string) => boolean) {
    this.#isThere = isThere;
  }

  /** Takes the last verdict in. */
  record({ name, live, judging: { verdict, tally } }: Recorded): void {
    if (verdict === null) return;
    const { firstRun } = live.plan;
    const known = this.#ways.get(name);
    if (known === undefined) for (const other of this.#ways.keys()) if (!this.#isThere(other)) this.#ways.delete(other);
    const most = Math.max(LEAST_POINTS, Math.min(MOST_POINTS, Math.floor(MOST_OF_ALL / (this.#ways.size + 1))));
    const point = seriesPoint(verdict, { shareBp: live.shareBp, shareSeenBp: shareSeenBp(tally) });
    this.#ways.set(name, { firstRun, points: withPoint(known?.firstRun === firstRun ? known.points : [], point, most) });
  }

  /** The way of the rollout that the question names, as JSON; empty where none is known. */
  answer(question: Uint8Array): string {
    const points = this.#ways.get(new TextDecoder().decode(question))?.points ?? [];
    return JSON.stringify({ points });
  }
}
