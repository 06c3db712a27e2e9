/** What the judge counts; `slowAt` is the quantile of stable's own past at which a request begins to be slow. */
export const METRICS = [
  { key: "errors", name: "errors", weight: 0.5, slowAt: undefined },
  { key: "slowP50", name: "slow p50", weight: 0.1, slowAt: 0.5 },
  { key: "slowP90", name: "slow p90", weight: 0.2, slowAt: 0.9 },
  { key: "slowP99", name: "slow p99", weight: 0.2, slowAt: 0.99 },
] as const;

export type Metric = (typeof METRICS)[number];

/** Chance of ever rolling back a canary that is within tolerance, over the whole rollout and all metrics. */
export const ALPHA = 0.01;
/** Chance of ever stating too small a bound on a difference, for each metric. */
export const BETA = 0.05;

/** Evidence in favour of harm beyond which nothing advances, as odds. */
export const HOLD_ODDS = 10;

/**
 * Harm is a ratio above 1.1 times stable's plus the tolerated difference. The factor absorbs what is uneven inside an outage
 * that hits both: at 40 % errors a few points more are no finding about the release.
 */
export const HARM_FACTOR = 1.1;

/** Guesses at a harmed canary, as odds over those of the tolerated ratio: from barely worse to failing always. */
export const HARM_ODDS = [1.4, 2, 4, 12, 100] as const;

/** Where nearly everything of stable is hit, no canary can be told to be worse. */
export const HIGHEST_LEVEL = 0.98;

/** Margins of the safety bets, in multiples of the tolerated difference; the safe share is the inverse of the one proven. */
export const MARGINS = [0.5, 1, 1.5, 2, 3, 4, 6, 10, 20, 40, 100, 180] as const;
/** Guesses at a safe canary: stable's ratio plus this part of the margin. */
export const SAFE_PARTS = [0, 1 / 3] as const;
/** Margins near 100 points are not bet on; the tolerated one always is. */
export const WIDEST_MARGIN = 0.95;

/**
 * Outcomes come in clumps (one user, one connection), so they say less than their number: log wealth is divided by this.
 * A floor that holds until the clumping is measured.
 */
export const DISPERSION = 1.2;

/**
 * Half of the wealth is bet from the start. The rest follows bit by bit, so that harm which begins late does not have to win
 * back what a good past has cost: in proportion to the logarithm of the time, because most faults show early, until the horizon.
 */
export const START_WEALTH = 0.5;
export const RESERVE_UNIT_MS = 30_000;
export const HORIZON_MS = 30 * 86_400_000;

/** Wealth is kept below these: enough for any verdict, and a good past does not outweigh a bad present for long. */
export const MOST_HARM_WEALTH = 1e9;
export const MOST_SAFE_WEALTH = 1e4;
/** The largest win, as a logarithm, that is still a number when it is none. */
export const MOST_LOG_WIN = 700;

/**
 * Most that one batch may multiply a bet by: about half of the way from the start to a rollback, in logarithms, so that a single
 * burst is no verdict, and two always can be. A batch that covers more time may say more, up to the whole way, or slow readers
 * of evidence would wait a round longer.
 */
export const BATCH_LOG_CAP = (Math.log(1 / ALPHA) + 4) / 2;
export const BATCH_CAP_MS = 1_000;
export const BATCH_MOST_CAPS = 2;

/** Stable's outcomes without any of the canary are bet on with the canary's next, when that comes so soon. */
export const STABLE_WAITS_MS = 30_000;

/** Stable's ratio is taken from the last seconds when they hold enough events, else from the last half hour. */
export const SHORT_MEMORY_MS = 20_000;
export const LONG_MEMORY_MS = 1_800_000;
export const SHORT_MEMORY_EVENTS = 20;
/** What is assumed of stable before anything is known: 0.2 % of 100 requests. */
export const PRIOR = { hits: 0.2, all: 100 } as const;
export const RATIO_LIMITS = { low: 1e-4, high: 0.999 } as const;

/** Outcomes of stable that must be known before its quantiles are. */
export const QUANTILE_SAMPLE = 500;
/** Below this, in milliseconds, differences are connection set-up and cold code, not releases. */
export const LEAST_BOUND_MS = 10;
/**
 * A canary is cold at first: until so long after its first outcome, only requests that take several times as long are slow.
 * Gross slowness is thus found at once, and compiling code or empty pools are not taken for it.
 */
export const COLD_MS = 30_000;
export const COLD_FACTOR = 2;

/**
 * A request that has not ended so long after its decision is slow; one of the latency bounds. What is decided and what has ended
 * come by different sidecars and messages: the access log up to 200 ms late, evidence of a live canary up to 2 s.
 */
export const OVERDUE_MS = 2_000;
export const EVIDENCE_LAG_MS = 3_000;
/** What is overdue no more is forgotten within two of these. */
export const OVERDUE_WINDOW_MS = 60_000;

/**
 * Stable itself fails when a batch has so many failures, and a ratio far above its own past. Nothing advances then. What lasts
 * becomes the past within the half hour of the long memory, so that no rollout waits for ever.
 */
export const OUTAGE = { leastPast: 500, failures: 5, times: 5, points: 0.02, timesBeside: 3 } as const;
